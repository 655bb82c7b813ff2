"""A conversation about a study: the same code as the commands, asked for in words, by a person or by a language model's tools."""
