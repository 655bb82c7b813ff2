"""Who plans, and what a plan is."""
