"""The project as a language model may read it: within a budget, without ignored files, without secrets."""
