"""A stand-in for Efí's Pix API, for development and tests."""
