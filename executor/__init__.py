"""Runs: interventions, sandbox, workers. Knows nothing of plans or statistics."""
