"""The implementations of the ports: Postgres and Valkey."""
