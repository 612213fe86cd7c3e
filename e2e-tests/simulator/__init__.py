"""Virtual passengers and drivers: they know the public contract (docs/api.md) and nothing else."""
