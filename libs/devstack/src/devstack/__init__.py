"""The whole system on one machine without Docker: the embedded parts, services, the `ibora` command."""
