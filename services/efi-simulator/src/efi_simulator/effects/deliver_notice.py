"""Bring one notice to its webhook, on Efí's schedule of retries."""

import time
from collections.abc import Awaitable, Callable

from efi_simulator.domain.nouns import Notice
from efi_simulator.domain.schedule import RETRY_MINUTES
from efi_simulator.metrics import WEBHOOK_ATTEMPTS
from efi_simulator.ports import Attempt, Post, Undeliverable, Watch


async def deliver_notice(
    post: Post,
    *,
    notice: Notice,
    url_of: Callable[[str], str | None],
    minute_s: float,
    sleep: Callable[[float], Awaitable[None]],
    watch: Watch,
) -> bool:
    """Whether a 2xx came in the end. `minute_s` is how long a minute of the schedule lasts.

    `url_of` is asked before every attempt: a webhook that moved is followed, one that was removed ends it.
    `watch` is told of every attempt.
    """
    waits = (0,) if notice.once else (0, *RETRY_MINUTES)
    for number, wait_minutes in enumerate(waits, 1):
        if wait_minutes:
            await sleep(wait_minutes * minute_s)
        url = url_of(notice.key)
        if url is None:
            return False
        if await _attempt(post, url, notice=notice, number=number, watch=watch):
            return True
    return False


async def _attempt(post: Post, url: str, *, notice: Notice, number: int, watch: Watch) -> bool:
    started = time.perf_counter()
    try:
        status = await post(f"{url}/pix", {"pix": [dict(notice.item)]}, with_certificate=True)
    except Undeliverable as error:
        outcome, delivered, said = "unreachable", False, str(error)
    else:
        delivered, said = 200 <= status < 300, str(status)
        outcome = "delivered" if delivered else "refused"
    WEBHOOK_ATTEMPTS.labels(notice.kind, outcome).inc()
    took_ms = round((time.perf_counter() - started) * 1000)
    watch(Attempt(notice=notice, outcome=said, took_ms=took_ms, number=number))
    return delivered
