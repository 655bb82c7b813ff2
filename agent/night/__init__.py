"""A night: studies that are left alone until a deadline, watched and steered from elsewhere, and told of in the morning."""
