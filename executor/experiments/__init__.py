"""Kinds of experiments, as jobs for a worker."""
