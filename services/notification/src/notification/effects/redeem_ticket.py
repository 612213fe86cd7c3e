"""Let the holder of a ticket in, once."""

from notification.domain.ticket import Holder, ticket_hash
from notification.ports import Deps, FastPathAway


async def redeem_ticket(deps: Deps, *, ticket: str) -> Holder | None:
    """The holder, or None for a ticket that is unknown, used or too old."""
    hashed = ticket_hash(ticket)
    try:
        holder = await deps.fast_tickets.take(hashed, ttl_s=deps.ticket_ttl_s)
    except FastPathAway:
        holder = None
    if holder is None:
        async with deps.transaction() as tx:
            holder = await tx.tickets.take(hashed, now=deps.now())
    if holder is None or holder.expires_at <= deps.now():
        return None
    return holder
