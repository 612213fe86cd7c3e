"""What payment does by the clock."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from messaging import Schedule
from payment.effects.expire_pix_charges import expire_pix_charges
from payment.effects.process_webhooks import process_webhooks
from payment.effects.publish_statement import publish_statement
from payment.effects.reconcile_pix_charges import reconcile_pix_charges
from payment.effects.register_webhook import register_webhook
from payment.effects.shred_bodies import shred_bodies
from payment.effects.submit_charges import submit_charges
from payment.effects.submit_refunds import submit_refunds
from payment.effects.watch_refunds import watch_refunds
from payment.ports import Deps

SOON_S: Final = 0.2
"""How late a job sees what another process committed, or what falls due; our own commits wake it."""

REGISTER_S: Final = 1.0
WATCH_S: Final = 15.0

# The first two claim rows with SKIP LOCKED, so every worker may run them at once.
JOBS: Final[Mapping[Schedule, Callable[[Deps], Awaitable[int]]]] = {
    Schedule(name="submit_charges", every_s=SOON_S, exclusive=False, wake_on_commit=True): submit_charges,
    Schedule(name="process_webhooks", every_s=SOON_S, exclusive=False, wake_on_commit=True): process_webhooks,
    Schedule(name="submit_refunds", every_s=0.5): submit_refunds,
    Schedule(name="expire_pix_charges", every_s=1.0): expire_pix_charges,
    Schedule(name="publish_statement", every_s=60.0): publish_statement,
    Schedule(name="shred_bodies", every_s=3600.0): shred_bodies,
    # Every worker measures for itself.
    Schedule(name="watch_refunds", every_s=WATCH_S, exclusive=False): watch_refunds,
}


def timetable(
    deps: Deps, *, webhook_url: str | None = None
) -> Mapping[Schedule, Callable[[], Awaitable[object]]]:
    """JOBS bound to `deps`, with the janitor at its interval and our webhook kept registered."""
    janitor = Schedule(name="reconcile_pix_charges", every_s=deps.policy.janitor_s)
    jobs = {**JOBS, janitor: reconcile_pix_charges}
    timetable: dict[Schedule, Callable[[], Awaitable[object]]] = {
        schedule: partial(job, deps) for schedule, job in jobs.items()
    }
    if webhook_url is not None:
        timetable[Schedule(name="register_webhook", every_s=REGISTER_S)] = _Registration(deps, webhook_url)
    return timetable


class _Registration:
    """Tries each second until Efí has our webhook, then looks again every hour: others share the key."""

    def __init__(self, deps: Deps, url: str) -> None:
        self._deps = deps
        self._url = url
        self._again_at: datetime | None = None

    async def __call__(self) -> int:
        now = self._deps.now()
        if self._again_at is not None and now < self._again_at:
            return 0
        if not await register_webhook(self._deps, url=self._url):
            return 0
        self._again_at = now + timedelta(hours=1)
        return 1
