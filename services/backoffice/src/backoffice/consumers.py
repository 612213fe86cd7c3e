"""What backoffice listens to: every service's audit records."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from backoffice.ports import Tx
from backoffice.usecases.store_record import store_record
from contracts.audit import AuditRecorded
from contracts.base import Fact
from messaging import Delivery


async def on_audit_recorded(tx: Tx, fact: AuditRecorded, delivery: Delivery) -> None:
    await store_record(tx, recorded=fact)


HANDLERS: Final[Mapping[type[Fact], Callable[..., Awaitable[None]]]] = {AuditRecorded: on_audit_recorded}
