"""Edits of the user's source: what they touch, and which of them are refused before anything runs."""
