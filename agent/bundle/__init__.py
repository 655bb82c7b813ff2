"""The reproducibility bundle: what is packed, the archive, running a row of it again, and saying what came of that."""
