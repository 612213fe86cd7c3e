"""One notification of Efí's, as it was stored before the 2xx: a hint, never a proof."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID


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
    REJECTED = "rejected"
    REFUND_NOTED = "refund_noted"
    UNREADABLE = "unreadable"
    IGNORED = "ignored"


class TurnedAway(StrEnum):
    """Why a call at the webhook's door was not stored."""

    MALFORMED = "malformed_json"
    WRONG_CALLER = "wrong_client_certificate"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent:
    """`payload` is the item redacted; `amount` is what it claims. `delivery_id`: the body that it came in."""

    id: UUID
    event_type: EventType
    payload: Mapping[str, Any]
    payload_hash: str
    received_at: datetime
    txid: str | None = None
    e2e_id: str | None = None
    reference: str | None = None
    status: str | None = None
    amount: Decimal | None = None
    attempts: int = 0
    delivery_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One call of Efí's. `sealed` is its whole body, encrypted, until `shred_at`; the rest stays."""

    id: UUID
    sealed: bytes
    sha256: str
    redacted: Mapping[str, Any]
    received_at: datetime
    shred_at: datetime


def payload_hash(item: Mapping[str, Any]) -> str:
    """SHA-256 of the whole item in canonical JSON: equal notifications have equal hashes."""
    canonical = json.dumps(item, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()
