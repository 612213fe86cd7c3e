"""Bring one notice to its webhook, on Efí's schedule of retries."""

from collections.abc import Awaitable, Callable

from efi_simulator.domain.nouns import Notice
from efi_simulator.domain.schedule import RETRY_MINUTES
from efi_simulator.metrics import WEBHOOK_ATTEMPTS
from efi_simulator.ports import Post, Undeliverable


async def deliver_notice(
    post: Post,
    *,
    notice: Notice,
    url_of: Callable[[str], str | None],
    minute_s: float,
    sleep: Callable[[float], Awaitable[None]],
) -> bool:
    """Whether a 2xx came in the end. `minute_s` is how long a minute of the schedule lasts.

    `url_of` is asked before every attempt: a webhook that moved is followed, one that was removed ends it.
    """
    for wait_minutes in (0, *RETRY_MINUTES):
        if wait_minutes:
            await sleep(wait_minutes * minute_s)
        url = url_of(notice.key)
        if url is None:
            return False
        if await _attempt(post, url, notice):
            return True
    return False


async def _attempt(post: Post, url: str, notice: Notice) -> bool:
    try:
        status = await post(f"{url}/pix", {"pix": [dict(notice.item)]}, with_certificate=True)
    except Undeliverable:
        outcome = "unreachable"
    else:
        outcome = "delivered" if 200 <= status < 300 else "refused"
    WEBHOOK_ATTEMPTS.labels(notice.kind, outcome).inc()
    return outcome == "delivered"
