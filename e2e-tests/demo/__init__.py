"""`make demo`: the whole ride, from request to payout, on real parts, with proof at the end."""
