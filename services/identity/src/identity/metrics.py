"""What identity counts. Labels are enumerations, never a person."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import Counter, Gauge

from kernel.refusals import Refusal

REGISTRATIONS: Final = Counter("identity_registrations_total", "Accounts opened", ["user_type"])
LOGINS: Final = Counter("identity_logins_total", "Logins by how they ended", ["result"])
REFRESHES: Final = Counter("identity_refreshes_total", "Refreshes by how they ended", ["result"])
REVOCATIONS_ALIVE: Final = Gauge(
    "identity_revocations_alive", "Revoked sessions whose access tokens have not expired yet"
)
ATTEMPTS_UNCOUNTED: Final = Counter(
    "identity_attempts_local_total", "Login attempts counted in this process only, Valkey being away"
)


@contextmanager
def counting_logins() -> Iterator[None]:
    """Count how the block's login ended: "ok" or the refusal's code."""
    try:
        yield
    except Refusal as refusal:
        LOGINS.labels(result=refusal.code).inc()
        raise
    LOGINS.labels(result="ok").inc()
