"""How a conversation is seen: a terminal, or a pipe."""
