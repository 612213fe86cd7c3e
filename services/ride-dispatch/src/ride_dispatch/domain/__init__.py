"""The nouns: rides, offers, fares, drivers and points. Pure."""
