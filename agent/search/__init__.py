"""Interaction search: from a pool of components that cost nothing alone to the groups that cost something together."""
