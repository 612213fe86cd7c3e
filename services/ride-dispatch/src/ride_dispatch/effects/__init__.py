"""Verbs that read, ask the outside, and write."""
