"""One notification of Efí's, as it was stored before the 2xx: a hint, never a proof."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

_PAYER: Final = ("pagador", "favorecido", "infoPagador")


class EventType(StrEnum):
    RECEIVED = "pix.received"
    REFUND = "pix.refund"
    SEND = "pix.send"
    TEST = "test"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """What became of an event."""

    CONFIRMED = "confirmed"
    HELD = "held"
    DUPLICATE = "duplicate"
    NOT_FOUND = "not_found"
    FORWARDED = "forwarded"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent:
    """`payload` is the item without the payer's name and document: identity is their only home."""

    id: UUID
    event_type: EventType
    payload: Mapping[str, Any]
    payload_hash: str
    received_at: datetime
    txid: str | None = None
    e2e_id: str | None = None
    reference: str | None = None
    status: str | None = None
    attempts: int = 0


def payload_hash(item: Mapping[str, Any]) -> str:
    """SHA-256 of the whole item in canonical JSON: equal notifications have equal hashes."""
    canonical = json.dumps(item, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def storable(text: str) -> str:
    """Text that Postgres can hold: no NUL, no lone surrogate."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def without_payer(value: Any) -> Any:
    """The item, storable, without what identifies the payer, at any depth."""
    if isinstance(value, Mapping):
        return {storable(key): without_payer(inner) for key, inner in value.items() if key not in _PAYER}
    if isinstance(value, list):
        return [without_payer(inner) for inner in value]
    # A number with a fraction was read exactly; as text it stays so.
    return storable(str(value)) if isinstance(value, str | Decimal) else value
