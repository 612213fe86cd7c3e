"""Calls to identity and to Efí, each between two transactions."""
