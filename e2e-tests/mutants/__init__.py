"""Guards of the money, each taken away in a copy of the sources: some test must notice (docs/mutants.md)."""
