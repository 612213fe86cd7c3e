"""Who did something, and from where: what an audit record says of its author."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """`user_type` is passenger, driver, admin or system; `user_id` is None for the system."""

    user_id: UUID | None
    user_type: str
    ip_address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None


SYSTEM = Actor(user_id=None, user_type="system")
