"""Planning by a language model: what it is told, what it may answer, and how answers become typed ablations."""
