"""Verbs that are more than one transaction."""
