"""Matching Efí's statement against the bank account's entries. Differences open cases; nothing is edited."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from contracts.payment import StatementClosed, StatementLine, StatementLineKind
from kernel.money import ZERO
from ledger.domain.cases import CaseKind, Difference
from ledger.domain.credit_refund import CREDIT_REFUNDED
from ledger.domain.instruction import Contradiction
from ledger.domain.manual import MANUAL
from ledger.domain.payout import COMPLETED, PAYOUT_FEE, RETURNED
from ledger.domain.refund import REFUNDED
from ledger.domain.reversal import REVERSED
from ledger.domain.settlement import CONFIRMED, MISMATCH, PAYMENT_FEE

# A manual journal speaks for a line when it names the line's reference.
EVENTS_OF_KIND: Final[Mapping[StatementLineKind, tuple[str, ...]]] = {
    StatementLineKind.PIX_RECEIVED: (CONFIRMED, MISMATCH, MANUAL),
    StatementLineKind.PIX_SENT: (COMPLETED, MANUAL),
    StatementLineKind.REFUND_SENT: (REFUNDED, CREDIT_REFUNDED, MANUAL),
    StatementLineKind.RETURN_RECEIVED: (RETURNED, MANUAL),
    StatementLineKind.FEE: (PAYMENT_FEE, PAYOUT_FEE, MANUAL),
}

_NAMES: Final = ("e2e_id", "txid", "id_envio", "return_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class BankEntry:
    """An entry on BANCO_CORRENTE that no line speaks for yet; `amount` is positive when money came in."""

    id: int
    journal_id: UUID
    transaction_id: str
    event_type: str
    amount: Decimal
    occurred_at: datetime
    return_id: str | None = None
    reverses: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedLine:
    """A statement line as it is kept, and when it came."""

    line: StatementLine
    received_at: datetime


def changed_line(line: StatementLine, known: StatementLine) -> Difference | None:
    """That a line says another amount than it did before; Contradiction when it speaks of something else at all.

    A name that was not told at first is no difference, and neither is the moment within the day: Efí's lists know
    fewer names than its report, and other moments.
    """
    untold = [name for name in _NAMES if getattr(line, name) is None or getattr(known, name) is None]
    same = dict.fromkeys(untold) | {"amount": known.amount, "occurred_at": known.occurred_at}
    if line.model_copy(update=same) != known.model_copy(update=dict.fromkeys(untold)):
        raise Contradiction(f"statement line {line.line_id} was different before")
    if line.amount == known.amount:
        return None
    detail = f"Efí reports {line.kind.value} of {line.amount} on {line.day}; it said {known.amount} before"
    return Difference(kind=CaseKind.AMOUNT_DIFFERS, detail=detail)


def choose(line: StatementLine, candidates: Sequence[BankEntry]) -> tuple[BankEntry, ...]:
    """The entries that the line speaks for: one of its amount, the oldest, else all if they add up to it.

    Those of the line's own return go first: they may be two, of held money and of the fare, among those of
    other returns of the same Pix. None: no match.
    """
    own = [entry for entry in candidates if entry.return_id is not None and entry.return_id == line.return_id]
    return _fitting(line, own) or _fitting(line, candidates)


def _fitting(line: StatementLine, candidates: Sequence[BankEntry]) -> tuple[BankEntry, ...]:
    equal = [entry for entry in candidates if entry.amount == line.amount]
    if equal:
        return (min(equal, key=lambda entry: entry.id),)
    if candidates and line.amount == sum((entry.amount for entry in candidates), ZERO):
        return tuple(candidates)
    return ()


def difference_of(line: StatementLine, candidates: Sequence[BankEntry]) -> Difference:
    """Why a line that nothing matched needs someone."""
    told = f"Efí reports {line.kind.value} of {line.amount} on {line.day}"
    if not candidates:
        return Difference(kind=CaseKind.MISSING_IN_LEDGER, detail=f"{told}; nothing is posted for it")
    posted = sum((entry.amount for entry in candidates), ZERO)
    return Difference(kind=CaseKind.AMOUNT_DIFFERS, detail=f"{told}; posted: {posted}")


def missing_at_bank(entry: BankEntry, *, day: date) -> Difference:
    """Why an entry without a line needs someone."""
    return Difference(
        kind=CaseKind.MISSING_AT_BANK,
        detail=f"{entry.transaction_id} moves {entry.amount} on {day}; Efí's statement has no such line",
    )


def reference_of(line: StatementLine) -> str:
    """What the line is known by: e2eId, else idEnvio, else txid, else its own id."""
    return line.e2e_id or line.id_envio or line.txid or line.line_id


def unexplained(entries: Iterable[BankEntry]) -> list[BankEntry]:
    """The entries without a line, less those that a reversal took back: both never were at the bank."""
    kept = list(entries)
    amounts = {entry.id: entry.amount for entry in kept}
    undoing = {
        entry.id: entry.reverses
        for entry in kept
        if entry.event_type == REVERSED and entry.reverses and amounts.get(entry.reverses) == -entry.amount
    }
    gone = {*undoing, *undoing.values()}
    return [entry for entry in kept if entry.id not in gone]


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySums:
    """A day's statement beside the books. `lines` and `lines_total` are of the lines that arrived.

    `booked` is what moved on BANCO_CORRENTE by occurred time on that day; of it `entries_alone` has no line
    yet, and of the lines `lines_alone` no entry. `shifted` is what matched across midnight: entries of this
    day with lines of another, less lines of this day with entries of another.
    """

    lines: int
    lines_total: Decimal
    booked: Decimal
    entries_alone: Decimal
    lines_alone: Decimal
    shifted: Decimal

    @property
    def remainder(self) -> Decimal:
        """What no line and no entry explains: zero, or the matching is wrong."""
        return self.booked - self.lines_total - self.entries_alone + self.lines_alone - self.shifted


def day_differences(closed: StatementClosed, sums: DaySums) -> list[Difference]:
    """What is wrong with the day's lines as a whole. Its balance is judged later: `domain/bank_balance.py`."""
    found: list[Difference] = []
    stated = closed.came_in + closed.went_out
    if (closed.lines, stated) != (sums.lines, sums.lines_total):
        detail = f"announced: {closed.lines} lines of {stated}; arrived: {sums.lines} of {sums.lines_total}"
        found.append(Difference(kind=CaseKind.STATEMENT_INCOMPLETE, detail=detail))
    if sums.remainder != ZERO:
        detail = f"booked {sums.booked}, stated {sums.lines_total}, of it {sums.remainder} unexplained"
        found.append(Difference(kind=CaseKind.TOTALS_DIFFER, detail=detail))
    return found
