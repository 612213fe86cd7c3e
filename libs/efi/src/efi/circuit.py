"""A circuit breaker: a host that keeps failing is left alone for a while, then tried by one request.

A failure is a host that does not answer or answers 5xx. A 4xx, a 401 and a 429 are answers: the host is well.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum

from efi.errors import EfiCircuitOpen, EfiError, EfiThrottled, EfiUnauthorized, EfiUnknown, EfiUnreachable
from efi.metrics import CIRCUIT_STATE
from telemetry import get_logger

log = get_logger(__name__)


class State(IntEnum):
    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Circuit:
    """Of one host. Opens after `failures` in a row, for `open_s` seconds of `monotonic`."""

    def __init__(self, host: str, *, failures: int, open_s: float, monotonic: Callable[[], float]) -> None:
        self._host = host
        self._limit = failures
        self._open_s = open_s
        self._monotonic = monotonic
        self._failed = 0
        self._try_at: float | None = None
        self._trying = False
        self._show()

    @property
    def state(self) -> State:
        if self._try_at is None:
            return State.CLOSED
        return State.HALF_OPEN if self._trying else State.OPEN

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Around one request; EfiCircuitOpen instead of it while the host is left alone."""
        trial = self._enter()
        try:
            yield
        except EfiError as error:
            self._saw(failure=_is_failure(error))
            raise
        else:
            self._saw(failure=False)
        finally:
            if trial:
                # Also when it was canceled, which says nothing about the host: the next one tries.
                self._trying = False
            self._show()

    def _enter(self) -> bool:
        """Whether this request is the one that tries the host again."""
        if self._try_at is None:
            return False
        left_s = self._try_at - self._monotonic()
        if self._trying or left_s > 0:
            raise EfiCircuitOpen(f"{self._host} is left alone", retry_after_s=max(left_s, 0.0))
        self._trying = True
        self._show()
        return True

    def _saw(self, *, failure: bool) -> None:
        if not failure:
            if self._try_at is not None:
                log.info("efi_circuit_closed", host=self._host)
            self._failed, self._try_at = 0, None
            return
        self._failed += 1
        if self._failed >= self._limit:
            log.warning("efi_circuit_opened", host=self._host, failures=self._failed)
            self._try_at = self._monotonic() + self._open_s

    def _show(self) -> None:
        CIRCUIT_STATE.labels(self._host).set(self.state)


def _is_failure(error: EfiError) -> bool:
    if isinstance(error, EfiThrottled | EfiUnauthorized):
        return False
    silent = error.status is None or error.status >= 500
    return silent and isinstance(error, EfiUnreachable | EfiUnknown)
