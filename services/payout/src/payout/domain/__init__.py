"""The nouns and rules of payouts. Pure: no I/O, no clock, no framework."""
