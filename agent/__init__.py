"""Thinks: reads, plans, analyses, reports. Nothing here runs the user's code."""
