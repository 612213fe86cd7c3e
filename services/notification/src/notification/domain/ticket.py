"""A ticket for one socket: worth nothing twice, and nothing after half a minute."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whom a ticket lets in, and until when: the access token's own claims."""

    user_id: UUID
    user_type: str
    session_id: UUID
    issued_at: datetime
    expires_at: datetime


def ticket_hash(ticket: str) -> str:
    """What is stored of a ticket: its SHA-256, in hex."""
    return hashlib.sha256(ticket.encode()).hexdigest()
