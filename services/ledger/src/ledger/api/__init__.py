"""HTTP: a driver's balance and financials."""
