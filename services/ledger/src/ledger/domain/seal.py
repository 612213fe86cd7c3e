"""The hash chain: one link for what one transaction posted, and the link before it.

h = SHA-256(previous h ‖ batch ‖ SHA-256(canonical bytes of each journal, in order)). Changing, removing or
adding an entry behind the database's guards (a superuser can) breaks the chain; that the whole chain was made
anew, or its tail cut off, shows against an anchor: the hash as it was told outside the database.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from struct import Struct
from typing import Final, NamedTuple
from uuid import UUID

from contracts.ledger import EntryType, LedgerSealed
from ledger.domain.journal import Entry, Journal

GENESIS: Final = bytes(32)
CHAIN: Final = "books"
_NOBODY: Final = bytes(16)
_DEBIT: Final = EntryType.DEBIT.value
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# id, driver, reverses, lines, day, occurred (days, seconds, µs), posted (days, seconds, µs)
_HEAD: Final = Struct(">16s16s16sHi3i3i")
# id, account, side, amount in millionths, driver, passenger, reversed entry
_ENTRY: Final = Struct(">q4s?12s16s16sq")
_MILLIONTHS: Final = 1_000_000


class SealedJournal(NamedTuple):
    """What a seal protects of a journal. `true_copy`: its entries repeat what the journal says of itself."""

    id: UUID
    transaction_id: str
    event_type: str
    entity_type: str
    entity_id: str
    reference_number: str | None
    description: str
    driver_id: UUID | None
    reverses: UUID | None
    line_count: int
    transaction_date: date
    occurred_at: datetime
    posted_at: datetime
    entries: tuple[Entry, ...]
    true_copy: bool = True


def sealed(journal: Journal) -> SealedJournal:
    """A posted journal as its seal sees it."""
    draft = journal.draft
    return SealedJournal(
        journal.id,
        draft.transaction_id,
        draft.event_type,
        draft.entity_type,
        draft.entity_id,
        draft.reference_number,
        draft.description,
        draft.driver_id,
        draft.reverses,
        len(draft.lines),
        journal.transaction_date,
        journal.occurred_at,
        journal.posted_at,
        journal.entries,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """One link. `journals` and `entries` count everything sealed so far, this batch included."""

    seq: int
    batch: int
    journal_count: int
    entry_count: int
    journals: int
    entries: int
    content: bytes
    previous_hash: bytes
    hash: bytes
    sealed_at: datetime

    def fact(self) -> LedgerSealed:
        """What is told outside the database."""
        return LedgerSealed(
            chain=CHAIN,
            seq=self.seq,
            hash=self.hash.hex(),
            previous_hash=self.previous_hash.hex(),
            journals=self.journals,
            entries=self.entries,
            sealed_at=self.sealed_at,
        )


def canonical(journal: SealedJournal) -> bytes:
    """The journal as bytes: fixed fields packed, texts with their lengths, so that no two journals share them."""
    head = _HEAD.pack(
        journal.id.bytes,
        journal.driver_id.bytes if journal.driver_id else _NOBODY,
        journal.reverses.bytes if journal.reverses else _NOBODY,
        journal.line_count,
        journal.transaction_date.toordinal(),
        *_since_epoch(journal.occurred_at),
        *_since_epoch(journal.posted_at),
    )
    _, transaction_id, event_type, entity_type, entity_id, reference, description = journal[:7]
    words = (
        f"{len(transaction_id)}:{transaction_id}{len(event_type)}:{event_type}"
        f"{len(entity_type)}:{entity_type}{len(entity_id)}:{entity_id}{len(description)}:{description}"
        f"{'-' if reference is None else f'{len(reference)}:{reference}'}"
    )
    return b"".join((head, words.encode(), *_entries_bytes(journal.entries)))


def _entries_bytes(entries: Iterable[Entry]) -> list[bytes]:
    return [
        _ENTRY.pack(
            id_,
            account_code.encode(),
            entry_type == _DEBIT,
            int(amount * _MILLIONTHS).to_bytes(12, "big", signed=True),
            driver_id.bytes if driver_id else _NOBODY,
            passenger_id.bytes if passenger_id else _NOBODY,
            reverses or 0,
        )
        for id_, (account_code, entry_type, amount, driver_id, passenger_id, reverses) in entries
    ]


def _since_epoch(moment: datetime) -> tuple[int, int, int]:
    """Whatever zone the moment is written in, and without a float's rounding."""
    since = moment - _EPOCH
    return since.days, since.seconds, since.microseconds


def content_hash(journals: Iterable[bytes]) -> bytes:
    """The hash of what a batch posted, of the canonical bytes of its journals in order."""
    return sha256(b"".join(journals)).digest()


def link_hash(previous: bytes, *, batch: int, content: bytes) -> bytes:
    """The hash of the next link."""
    return sha256(previous + batch.to_bytes(8, "big", signed=True) + content).digest()


def next_seal(last: Seal | None, *, batch: int, journals: list[SealedJournal], sealed_at: datetime) -> Seal:
    """The seal that follows `last` and covers `journals`."""
    entries = sum(len(journal.entries) for journal in journals)
    previous = last.hash if last else GENESIS
    content = content_hash(map(canonical, journals))
    return Seal(
        seq=last.seq + 1 if last else 1,
        batch=batch,
        journal_count=len(journals),
        entry_count=entries,
        journals=(last.journals if last else 0) + len(journals),
        entries=(last.entries if last else 0) + entries,
        content=content,
        previous_hash=previous,
        hash=link_hash(previous, batch=batch, content=content),
        sealed_at=sealed_at,
    )


def broken(seal: Seal, *, last: Seal | None, journals: list[SealedJournal]) -> bool:
    """Whether `seal` does not follow from the seal before it and the journals of its batch."""
    if not all(journal.true_copy for journal in journals):
        return True
    return next_seal(last, batch=seal.batch, journals=journals, sealed_at=seal.sealed_at) != seal
