"""The books: every movement of money as balanced, append-only journals."""
