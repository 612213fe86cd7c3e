"""What ride-dispatch counts: the blueprint's names first."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

RIDES_CREATED: Final = Counter("rides_created_total", "Rides requested", ["category"])
RIDES_ACCEPTED: Final = Counter("rides_accepted_total", "Rides accepted")
RIDES_CANCELED: Final = Counter("rides_canceled_total", "Rides canceled", ["reason"])
ACCEPT_DURATION: Final = Histogram(
    "ride_accept_duration_seconds",
    "How long the service took over an accept, won or lost",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5),
)
ACTIVE_RIDES: Final = Gauge("active_rides", "Rides that are not over")
DRIVERS_ONLINE: Final = Gauge("drivers_online", "Drivers on duty")
DRIVERS_AVAILABLE: Final = Gauge("drivers_available", "Drivers on duty and free")

OPEN_RIDES: Final = Gauge("open_rides", "Rides that are not over, by state", ["status"])
TIME_TO_MATCH: Final = Histogram(
    "ride_time_to_match_seconds",
    "From the request to the accept",
    buckets=(0.5, 1, 2, 4, 8, 15, 30, 60, 120, 300),
)
TIME_TO_FIRST_OFFER: Final = Histogram(
    "ride_time_to_first_offer_seconds",
    "From the request to the first wave",
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 60),
)
ACCEPTS_LOST: Final = Counter("ride_accepts_lost_total", "Accepts that came too late or had no offer")
OFFERS_SENT: Final = Counter("ride_offers_total", "Offers made")
OFFERS_EXPIRED: Final = Counter("ride_offers_expired_total", "Offers that ended unanswered")
OFFERS_REJECTED: Final = Counter("ride_offers_rejected_total", "Offers that a driver turned down")
WAVES_EMPTY: Final = Counter("ride_waves_empty_total", "Waves that found nobody")
CANDIDATES_DROPPED: Final = Counter(
    "ride_candidates_dropped_total",
    "Drivers nearby who got no offer, by what kept them out",
    ["gate"],
)
NO_DRIVER_FOUND: Final = Counter("rides_no_driver_found_total", "Searches that ended with nobody")
REASSIGNED: Final = Counter("rides_reassigned_total", "Rides that their driver gave up", ["reason"])
POINTS_RECEIVED: Final = Counter("driver_points_total", "Location points believed")
POINTS_DROPPED: Final = Counter("driver_points_dropped_total", "Location points dropped", ["reason"])
INDEX_FALLBACKS: Final = Counter(
    "geo_index_fallbacks_total", "Searches that Postgres answered because the index was away"
)
INDEX_REBUILDS: Final = Counter("geo_index_rebuilds_total", "Times the geo index was filled from Postgres")
ACCEPT_LOCK: Final = Counter("ride_accept_lock_total", "Accepts by what became of their lock", ["outcome"])
