"""Where a study starts: looks at a folder that nobody prepared, and writes a study file for it."""
