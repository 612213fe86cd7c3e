"""Payouts in Postgres, and the outside: identity and Efí."""
