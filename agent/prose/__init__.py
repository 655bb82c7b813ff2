"""Prose about results: its numbers are references that are filled from the ledger, and any other number is marked or refused."""
