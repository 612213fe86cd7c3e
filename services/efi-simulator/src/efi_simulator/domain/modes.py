"""How the bank misbehaves for a while, on request."""

from enum import StrEnum
from typing import Generic, TypeVar

M = TypeVar("M", bound=StrEnum)


class WebhookMode(StrEnum):
    DELIVER = "deliver"
    DROP = "drop"
    DUPLICATE = "duplicate"
    DELAY = "delay"
    REORDER = "reorder"


class SendMode(StrEnum):
    OK = "ok"
    REJECT = "reject"
    REJECT_LATER = "reject_later"
    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    ERROR_500 = "error_500"
    RETURN_LATER = "return_later"


class RefundMode(StrEnum):
    OK = "ok"
    REJECT = "reject"
    REJECT_LATER = "reject_later"
    CONTRADICT = "contradict"


class ApiMode(StrEnum):
    OK = "ok"
    DOWN = "down"
    SLOW = "slow"
    ERROR_500 = "error_500"
    HTML_502 = "html_502"
    THROTTLED = "throttled"
    CUT = "cut"
    HALF_OPEN = "half_open"


class Mode(Generic[M]):
    """A mode for the next `count` occasions, then the first of its list again."""

    def __init__(self, modes: type[M]) -> None:
        self._first: M = next(iter(modes))
        self.current: M = self._first
        self.left = 0
        self.delay_ms: int | None = None

    def set(self, mode: M, *, count: int, delay_ms: int | None = None) -> None:
        """Replaces whatever mode there was."""
        self.current, self.left, self.delay_ms = mode, count, delay_ms

    def take(self) -> M:
        """The mode for this occasion."""
        mode = self.current
        if mode != self._first:
            self.left -= 1
            if self.left <= 0:
                self.set(self._first, count=0)
        return mode
