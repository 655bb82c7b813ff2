"""Removals on fixed weights: what they cost with this engine, by hand and with the peers, and what stopping early saves."""
