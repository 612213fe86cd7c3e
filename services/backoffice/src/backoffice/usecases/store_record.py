"""Keep an audit record."""

from ipaddress import ip_address

from backoffice.domain.record import Record
from backoffice.ports import Tx
from contracts.audit import AuditRecorded


async def store_record(tx: Tx, *, recorded: AuditRecorded) -> None:
    """Once, whatever is delivered; an address that is none is left out rather than the record refused."""
    tx.audit_log.add(
        Record(
            id=recorded.record_id,
            action=recorded.action,
            entity_type=recorded.entity_type,
            entity_id=recorded.entity_id,
            user_id=recorded.user_id,
            user_type=recorded.user_type,
            before=recorded.before,
            after=recorded.after,
            reason=recorded.reason,
            ip_address=_address(recorded.ip_address),
            user_agent=recorded.user_agent,
            request_id=recorded.request_id,
            occurred_at=recorded.occurred_at,
        )
    )


def _address(text: str | None) -> str | None:
    try:
        return str(ip_address(text)) if text else None
    except ValueError:
        return None
