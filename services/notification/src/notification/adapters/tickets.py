"""Tickets in Postgres, for the time when Valkey is away."""

import json
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from notification.adapters.tables import tickets
from notification.domain.ticket import Holder


def holder_json(holder: Holder) -> str:
    return json.dumps(
        {
            "user_id": str(holder.user_id),
            "user_type": holder.user_type,
            "session_id": str(holder.session_id),
            "issued_at": holder.issued_at.isoformat(),
            "expires_at": holder.expires_at.isoformat(),
        }
    )


def holder_of(text: str) -> Holder:
    fields = json.loads(text)
    return Holder(
        user_id=UUID(fields["user_id"]),
        user_type=fields["user_type"],
        session_id=UUID(fields["session_id"]),
        issued_at=datetime.fromisoformat(fields["issued_at"]),
        expires_at=datetime.fromisoformat(fields["expires_at"]),
    )


class SqlTickets:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def keep(self, ticket_hash: str, holder: Holder, *, until: datetime) -> None:
        values = {"ticket_hash": ticket_hash, "holder": json.loads(holder_json(holder)), "expires_at": until}
        await self._session.execute(insert(tickets).values(values))

    async def take(self, ticket_hash: str, *, now: datetime) -> Holder | None:
        taken = await self._session.execute(
            delete(tickets)
            .where(tickets.c.ticket_hash == ticket_hash)
            .returning(tickets.c.holder, tickets.c.expires_at)
        )
        row = taken.one_or_none()
        return holder_of(json.dumps(row.holder)) if row and row.expires_at > now else None

    async def drop_before(self, before: datetime) -> int:
        dropped = await self._session.execute(
            delete(tickets).where(tickets.c.expires_at < before).returning(tickets.c.ticket_hash)
        )
        return len(dropped.all())
