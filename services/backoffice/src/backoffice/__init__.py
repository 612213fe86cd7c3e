"""What operators look at: so far the audit log."""
