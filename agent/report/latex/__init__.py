"""The report in LaTeX: a section for a paper, the reviewer's appendix, a document that compiles both, and its PDF."""
