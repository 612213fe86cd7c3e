"""The verbs of payouts: one file, one function, one name."""
