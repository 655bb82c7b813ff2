"""What could be ablated in source code, read from its syntax tree alone."""
