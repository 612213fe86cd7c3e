from collections.abc import Sequence

from gateway import metrics
from gateway.domain.limits import Standing, TooManyRequests, Window
from gateway.ports import Limiter


async def count_request(limiter: Limiter, *, windows: Sequence[tuple[Window, str]]) -> Standing | None:
    """Count a call in each window, for its key, up to the first full one: TooManyRequests.

    The last window's standing, which is what the caller is told; None when limits are lifted.
    """
    standing: Standing | None = None
    for window, key in windows:
        standing = await limiter.hit(window, key=key)
        if standing is not None and not standing.allowed:
            metrics.RATE_LIMITED.labels(window=window.name).inc()
            raise TooManyRequests(standing)
    return standing
