"""Ride dispatch: from a request to the end of a ride, who drives it and what it costs."""
