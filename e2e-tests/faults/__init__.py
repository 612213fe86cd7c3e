"""Fault campaigns: a town that rides, pays and is paid out while its parts are killed under it (docs/testing.md)."""
