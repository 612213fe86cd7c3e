"""What notification counts."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

SOCKETS: Final = Gauge("websocket_connections", "Open sockets")
SOCKETS_CLOSED: Final = Counter("websocket_closed_total", "Sockets that we closed", ["reason"])
FRAMES: Final = Counter("websocket_frames_total", "Frames sent to apps", ["type"])
GAPS: Final = Counter("websocket_gaps_total", "Times a socket had to catch up from the log")
DELIVERY: Final = Histogram(
    "websocket_delivery_seconds",
    "From the fact to the socket",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30),
)
ANNOUNCEMENTS_LOST: Final = Counter(
    "announcements_lost_total", "Messages that could not be announced: the sockets poll the log for them"
)
