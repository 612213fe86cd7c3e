"""How often one caller may call."""

import math
from dataclasses import dataclass

from kernel.refusals import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """At most `limit` calls in any `window_s` seconds. `exact`: a moving window, which never lets one more pass;
    otherwise a sliding counter, which is cheaper and may be off by a few."""

    name: str
    limit: int
    window_s: int = 60
    exact: bool = False

    def policy(self) -> str:
        """The RateLimit-Policy header (draft-ietf-httpapi-ratelimit-headers)."""
        return f'"{self.name}";q={self.limit};w={self.window_s}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a caller stands in a window after a call."""

    window: Window
    allowed: bool
    remaining: int
    reset_s: float

    def headers(self) -> dict[str, str]:
        reset_s = max(0, math.ceil(self.reset_s))
        return {
            "ratelimit-policy": self.window.policy(),
            "ratelimit": f'"{self.window.name}";r={self.remaining};t={reset_s}',
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The windows in force: of one address, of one user, and of one driver's accepts."""

    address: Window
    user: Window
    accept: Window


class TooManyRequests(Refusal):
    """One window is full."""

    code = "rate_limited"
    status = 429
    final = False
    pt = "Muitas tentativas. Aguarde um pouco e tente de novo."
    en = "Too many requests. Wait a little and try again."

    def __init__(self, standing: Standing) -> None:
        super().__init__(retry_after_s=max(1, math.ceil(standing.reset_s)))
        self.standing = standing
