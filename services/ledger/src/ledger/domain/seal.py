"""The hash chain: each seal covers a range of finished transactions and the seal before it.

h = SHA-256(previous h ‖ sequence number ‖ canonical bytes of each journal, in order). Changing, removing or
adding a sealed entry behind the database's guards (a superuser can) breaks the chain. The newest hash should
be kept elsewhere too: a chain alone does not show that its tail was cut off.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Final
from uuid import UUID

GENESIS: Final = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedEntry:
    """What the seal protects of an entry."""

    id: int
    account_code: str
    entry_type: str
    amount: Decimal
    driver_id: UUID | None
    passenger_id: UUID | None
    reversal_entry_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedJournal:
    """What the seal protects of a journal."""

    id: UUID
    transaction_id: str
    event_type: str
    entity_type: str
    entity_id: str
    reference_number: str | None
    transaction_date: date
    occurred_at: datetime
    entries: tuple[SealedEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """One link of the chain. `from_xid` (inclusive) and `to_xid` (exclusive) bound the transactions."""

    seq: int
    from_xid: str
    to_xid: str
    journal_count: int
    entry_count: int
    previous_hash: bytes
    hash: bytes
    sealed_at: datetime


def canonical(journal: SealedJournal) -> bytes:
    """The journal as bytes, every field with its length first: no two journals share them."""
    fields: list[object] = [
        journal.id,
        journal.transaction_id,
        journal.event_type,
        journal.entity_type,
        journal.entity_id,
        journal.reference_number,
        journal.transaction_date.isoformat(),
        journal.occurred_at.isoformat(),
        len(journal.entries),
    ]
    for entry in journal.entries:
        fields += [entry.id, entry.account_code, entry.entry_type, f"{entry.amount:.6f}"]
        fields += [entry.driver_id, entry.passenger_id, entry.reversal_entry_id]
    return b"".join(_framed(field) for field in fields)


def _framed(field: object) -> bytes:
    if field is None:
        return b"\xff\xff\xff\xff"
    data = str(field).encode()
    return len(data).to_bytes(4, "big") + data


def link_hash(previous: bytes, *, seq: int, journals: Iterable[SealedJournal]) -> bytes:
    """The hash of the next link."""
    digest = sha256(previous)
    digest.update(seq.to_bytes(8, "big"))
    for journal in journals:
        digest.update(canonical(journal))
    return digest.digest()


def next_seal(last: Seal | None, *, to_xid: str, journals: Sequence[SealedJournal], now: datetime) -> Seal:
    """The seal that follows `last` and covers `journals`, of which there is at least one."""
    seq = last.seq + 1 if last else 1
    previous = last.hash if last else GENESIS
    return Seal(
        seq=seq,
        from_xid=last.to_xid if last else "0",
        to_xid=to_xid,
        journal_count=len(journals),
        entry_count=sum(len(journal.entries) for journal in journals),
        previous_hash=previous,
        hash=link_hash(previous, seq=seq, journals=journals),
        sealed_at=now,
    )


def broken(seal: Seal, *, last: Seal | None, journals: Sequence[SealedJournal]) -> bool:
    """Whether `seal` does not follow from the seal before it and the journals it should cover."""
    expected = next_seal(last, to_xid=seal.to_xid, journals=journals, now=seal.sealed_at)
    return expected != seal
