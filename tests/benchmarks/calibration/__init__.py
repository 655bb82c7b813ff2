"""Whole simulated studies through the real analysis: how often it errs, and how much it sees. Every number is simulated."""
