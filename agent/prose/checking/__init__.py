"""What a text says about a study, held against its results: every number, comparison and verdict is backed, contradicted or unbacked."""
