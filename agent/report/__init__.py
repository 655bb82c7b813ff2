"""Writes what a study found: Markdown, CSV, JSON and figures, every number rendered from the results."""
