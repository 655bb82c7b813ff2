"""What goes wrong in a night, done on purpose."""
