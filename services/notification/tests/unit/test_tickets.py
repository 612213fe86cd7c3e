"""Issuing and redeeming tickets while Valkey falls silent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from kernel.ids import new_id
from notification.domain.ticket import Holder, ticket_hash
from notification.effects.issue_ticket import issue_ticket
from notification.effects.redeem_ticket import redeem_ticket
from notification.ports import FastPathAway

NOW = datetime.now(UTC)
HOLDER = Holder(
    user_id=new_id(),
    user_type="passenger",
    session_id=new_id(),
    issued_at=NOW,
    expires_at=NOW + timedelta(hours=1),
)


class FallsSilent:
    """Keeps what it is given, and its answer is lost."""

    def __init__(self) -> None:
        self.kept: dict[str, Holder] = {}

    async def keep(self, ticket_hash: str, holder: Holder, *, ttl_s: int) -> None:
        self.kept[ticket_hash] = holder
        raise FastPathAway("ConnectionError")

    async def take(self, ticket_hash: str, *, ttl_s: int) -> Holder | None:
        return self.kept.pop(ticket_hash, None)


class Rows:
    def __init__(self) -> None:
        self.kept: dict[str, Holder] = {}

    async def keep(self, ticket_hash: str, holder: Holder, *, until: datetime) -> None:
        self.kept[ticket_hash] = holder

    async def take(self, ticket_hash: str, *, now: datetime) -> Holder | None:
        return self.kept.pop(ticket_hash, None)


def deps_of(fast: FallsSilent, rows: Rows) -> Any:
    @asynccontextmanager
    async def transaction() -> AsyncIterator[Any]:
        yield SimpleNamespace(tickets=rows)

    return SimpleNamespace(fast_tickets=fast, transaction=transaction, now=lambda: NOW, ticket_ttl_s=30)


async def test_a_ticket_that_valkey_may_have_kept_is_never_given_out() -> None:
    fast, rows = FallsSilent(), Rows()
    deps = deps_of(fast, rows)
    ticket = await issue_ticket(deps, holder=HOLDER)

    assert list(rows.kept) == [ticket_hash(ticket)]
    assert ticket_hash(ticket) not in fast.kept
    assert await redeem_ticket(deps, ticket=ticket) == HOLDER
    assert await redeem_ticket(deps, ticket=ticket) is None
