"""The verbs: one file, one function, one name."""
