"""The verbs of the books: one file, one function, one name."""
