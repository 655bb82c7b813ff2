"""Prose about results, written by a language model or by the rules: every value a reference, every sentence held against the results."""
