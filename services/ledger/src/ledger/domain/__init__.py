"""The nouns and rules of the books. Pure: no I/O, no clock, no framework."""
