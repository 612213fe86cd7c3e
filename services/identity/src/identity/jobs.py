"""The timetable. Each job is run by one process at a time."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from identity import metrics
from identity.domain.session import SessionPolicy
from identity.domain.signing_key import KeyPolicy
from identity.effects.renew_signing_keys import renew_signing_keys
from identity.effects.spread_revocations import spread_revocations
from identity.ports import KeyMaker, OpenTransaction, RevocationCopy
from identity.usecases.purge_sessions import BATCH, purge_sessions
from messaging import Schedule
from telemetry import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDeps:
    transaction: OpenTransaction
    copy: RevocationCopy
    maker: KeyMaker
    session_policy: SessionPolicy
    key_policy: KeyPolicy


def jobs(deps: JobDeps, *, spread_s: float) -> Mapping[Schedule, Callable[[], Awaitable[None]]]:
    """Every job with its schedule; `spread_s` bounds how long a flushed Valkey misses revocations."""
    return {
        Schedule("spread_revocations", every_s=spread_s): partial(run_spread_revocations, deps),
        Schedule("renew_signing_keys", every_s=60): partial(run_renew_signing_keys, deps),
        Schedule("purge_sessions", every_s=3_600): partial(run_purge_sessions, deps),
    }


async def run_spread_revocations(deps: JobDeps) -> None:
    alive = await spread_revocations(deps.transaction, copy=deps.copy, policy=deps.session_policy)
    metrics.REVOCATIONS_ALIVE.set(alive)


async def run_renew_signing_keys(deps: JobDeps) -> None:
    if await renew_signing_keys(deps.transaction, maker=deps.maker, policy=deps.key_policy):
        log.info("renew_signing_keys")


async def run_purge_sessions(deps: JobDeps) -> None:
    purged = BATCH
    while purged == BATCH:
        async with deps.transaction() as tx:
            purged = await purge_sessions(tx, now=tx.now())
        log.info("purge_sessions", purged=purged)
