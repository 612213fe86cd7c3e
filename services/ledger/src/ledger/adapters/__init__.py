"""The books in Postgres."""
