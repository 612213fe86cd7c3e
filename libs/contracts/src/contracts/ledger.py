"""Facts that ledger publishes."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from contracts.base import Fact, Model, Money, Time
from contracts.topics import JOURNALS, SEALS


class EntryType(StrEnum):
    DEBIT = "DEBIT"
    CREDIT = "CREDIT"


class JournalLine(Model):
    account_code: str
    entry_type: EntryType
    amount: Money
    driver_id: UUID | None = None
    passenger_id: UUID | None = None


class JournalFact(Fact):
    """Keyed by the driver when there is one, else by the journal."""

    topic = JOURNALS
    key_field = "journal_id"
    journal_id: UUID
    driver_id: UUID | None = None

    def key(self) -> str:
        return str(self.driver_id or self.journal_id)


class LedgerPosted(JournalFact):
    fact = "ledger.posted"
    transaction_id: str
    event_type: str
    entity_type: str
    entity_id: str
    reference_number: str | None = None
    lines: tuple[JournalLine, ...]
    posted_at: Time


class LedgerReversed(JournalFact):
    fact = "ledger.reversed"
    transaction_id: str
    reversed_transaction_id: str
    reason: str
    posted_at: Time


class LedgerDriverBalanceChanged(Fact):
    """`available` = 2100[d]; `on_hold` = 2150[d]; `total` both; `receivable` = 1350[d], the driver's debt."""

    fact = "ledger.driver_balance.changed"
    topic = JOURNALS
    key_field = "driver_id"
    driver_id: UUID
    version: int
    available: Money
    on_hold: Money
    total: Money
    receivable: Money
    as_of: Time


class PayoutDecision(Fact):
    topic = JOURNALS
    key_field = "driver_id"
    driver_id: UUID
    payout_id: UUID
    amount: Money


class LedgerPayoutHeld(PayoutDecision):
    """`balance_version` is the version of the driver's balance that this hold is part of (0: not said)."""

    fact = "ledger.payout_held"
    balance_version: int = 0
    held_at: Time


class LedgerPayoutRefused(PayoutDecision):
    fact = "ledger.payout_refused"
    reason: str
    available: Money
    refused_at: Time


class LedgerCaseOpened(Fact):
    """A reconciliation case: someone must look. Nothing was edited."""

    fact = "ledger.case_opened"
    topic = JOURNALS
    key_field = "case_id"
    case_id: UUID
    kind: str
    reference: str
    amount: Money
    detail: str
    opened_at: Time


class LedgerCaseResolved(Fact):
    """A person looked and wrote down what it was. Nothing was edited."""

    fact = "ledger.case_resolved"
    topic = JOURNALS
    key_field = "case_id"
    case_id: UUID
    kind: str
    reference: str
    resolved_by: UUID
    resolved_at: Time


class LedgerSealed(Fact):
    """The newest link of the hash chain, told outside Postgres: `hash` covers every journal up to `seq`.

    `journals` and `entries` count everything sealed so far, so a cut tail shows. Hashes are lower-case hex of SHA-256.
    """

    fact = "ledger.sealed"
    topic = SEALS
    key_field = "chain"
    chain: str = "books"
    seq: int
    hash: str
    previous_hash: str
    journals: int
    entries: int
    sealed_at: Time


FACTS: Final[tuple[type[Fact], ...]] = (
    LedgerPosted,
    LedgerReversed,
    LedgerDriverBalanceChanged,
    LedgerPayoutHeld,
    LedgerPayoutRefused,
    LedgerCaseOpened,
    LedgerCaseResolved,
    LedgerSealed,
)
