"""Issue a ticket for one socket."""

import secrets
from datetime import timedelta

from notification.domain.ticket import Holder, ticket_hash
from notification.ports import Deps, FastPathAway


async def issue_ticket(deps: Deps, *, holder: Holder) -> str:
    """256 random bits; only their hash is stored: in Valkey, or in Postgres while Valkey is away."""
    ticket = secrets.token_urlsafe(32)
    try:
        await deps.fast_tickets.keep(ticket_hash(ticket), holder, ttl_s=deps.ticket_ttl_s)
    except FastPathAway:
        # Valkey may have kept the first before it fell silent: one ticket in two places could be used twice.
        ticket = secrets.token_urlsafe(32)
        until = deps.now() + timedelta(seconds=deps.ticket_ttl_s)
        async with deps.transaction() as tx:
            await tx.tickets.keep(ticket_hash(ticket), holder, until=until)
    return ticket
