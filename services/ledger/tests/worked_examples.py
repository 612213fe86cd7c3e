"""The worked examples of docs/accounting.md: facts posted by the real rules, drawn as T-accounts.

`python services/ledger/tests/worked_examples.py` draws those of the page anew.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import count, zip_longest
from pathlib import Path
from typing import Final
from uuid import UUID

import ledger_books as facts
import ledger_office as office

from contracts.ledger import EntryType
from contracts.payment import MismatchKind
from kernel.ids import new_id
from kernel.money import ZERO
from ledger.domain.book import Book
from ledger.domain.chart import Account, account
from ledger.domain.credit_refund import credit_refund
from ledger.domain.driver_balance import DriverBalance
from ledger.domain.instruction import EntityType, Instruction
from ledger.domain.journal import Draft, Journal, Line, credit, debit
from ledger.domain.manual import manual_entry
from ledger.domain.payout import completion, giving_back, hold, release
from ledger.domain.refund import refund
from ledger.domain.reversal import reversal
from ledger.domain.settlement import settlement, suspension

SIDE_WIDTH: Final = 14
ACCOUNTS_A_ROW: Final = 3
GAP: Final = "   "


class Desk:
    """One driver, and the journals of one example in order, each with the number of its step."""

    def __init__(self) -> None:
        self.driver_id: UUID = new_id()
        self.steps: list[tuple[str, tuple[Journal, ...]]] = []
        self._book = Book(
            balances={self.driver_id: DriverBalance(driver_id=self.driver_id)},
            history=(),
            entry_ids=count(1),
            new_id=new_id,
        )

    def post(self, said: str, instruction: Instruction) -> tuple[Journal, ...]:
        """Post one event; `said` is what it is called in the example."""
        before = len(self._book.journals)
        self._book.apply(instruction, now=facts.NOW)
        journals = tuple(self._book.journals[before:])
        self.steps.append((said, journals))
        return journals


def paid() -> Desk:
    desk = Desk()
    desk.post("payment.confirmed 50.00", settlement(facts.confirmed(driver_id=desk.driver_id)))
    return desk


def paid_with_a_fee() -> Desk:
    desk = Desk()
    desk.post(
        "payment.confirmed 50.00, fee 0.60", settlement(facts.confirmed(driver_id=desk.driver_id, fee="0.60"))
    )
    return desk


def paid_more() -> Desk:
    desk = Desk()
    surplus = facts.mismatch("5.00", passenger_id=new_id(), kind=MismatchKind.SURPLUS)
    desk.post("payment.confirmed 50.00", settlement(facts.confirmed(driver_id=desk.driver_id)))
    desk.post("payment.mismatch_found surplus 5.00", suspension(surplus))
    return desk


def held_for(kind: MismatchKind, amount: str, *, known: bool = True) -> Callable[[], Desk]:
    def example() -> Desk:
        desk = Desk()
        found = facts.mismatch(amount, passenger_id=new_id() if known else None, kind=kind)
        desk.post(f"payment.mismatch_found {kind.value} {amount}", suspension(found))
        return desk

    return example


def paid_twice() -> Desk:
    desk = Desk()
    second = facts.mismatch("50.00", passenger_id=new_id(), kind=MismatchKind.SECOND)
    desk.post("payment.confirmed 50.00", settlement(facts.confirmed(driver_id=desk.driver_id)))
    desk.post("payment.mismatch_found second 50.00", suspension(second))
    desk.post(
        "payment.credit_refunded 50.00", credit_refund(office.credit_refunded(second, "50.00", at=facts.NOW))
    )
    return desk


def refunded_in_part() -> Desk:
    desk = Desk()
    payment = facts.confirmed(driver_id=desk.driver_id)
    desk.post("payment.confirmed 50.00", settlement(payment))
    desk.post("payment.refunded 20.00", refund(facts.refunded(payment, "20.00")))
    return desk


def refunded_in_full() -> Desk:
    desk = Desk()
    payment = facts.confirmed(driver_id=desk.driver_id)
    desk.post("payment.confirmed 50.00", settlement(payment))
    desk.post("payment.refunded 50.00", refund(facts.refunded(payment, "50.00")))
    return desk


def refunded_after_the_payout() -> Desk:
    desk = Desk()
    payment = facts.confirmed(driver_id=desk.driver_id)
    payout = facts.ready("40.00", driver_id=desk.driver_id)
    desk.post("payment.confirmed 50.00", settlement(payment))
    desk.post("payout.ready 40.00", hold(payout))
    desk.post("payout.completed 40.00", completion(facts.completed(payout)))
    desk.post("payment.refunded 50.00", refund(facts.refunded(payment, "50.00")))
    desk.post(
        "the next ride: payment.confirmed 30.00",
        settlement(facts.confirmed("30.00", commission="6.00", driver_id=desk.driver_id)),
    )
    return desk


def paid_out() -> Desk:
    desk = paid()
    payout = facts.ready("40.00", driver_id=desk.driver_id)
    desk.post("payout.ready 40.00", hold(payout))
    desk.post("payout.completed 40.00, fee 0.35", completion(facts.completed(payout, fee="0.35")))
    return desk


def payout_failed() -> Desk:
    desk = paid()
    payout = facts.ready("40.00", driver_id=desk.driver_id)
    desk.post("payout.ready 40.00", hold(payout))
    desk.post("payout.failed 40.00", release(facts.failed(payout)))
    return desk


def payout_refused() -> Desk:
    desk = paid()
    desk.post("payout.ready 40.01", hold(facts.ready("40.01", driver_id=desk.driver_id)))
    return desk


def payout_returned() -> Desk:
    desk = paid()
    payout = facts.ready("40.00", driver_id=desk.driver_id)
    desk.post("payout.ready 40.00", hold(payout))
    desk.post("payout.completed 40.00", completion(facts.completed(payout)))
    desk.post("payout.returned 15.00", giving_back(facts.returned(payout, "15.00")))
    desk.post("payout.returned 25.00", giving_back(facts.returned(payout, "25.00", total="40.00")))
    return desk


def reversed_after_a_refund() -> Desk:
    desk = Desk()
    payment = facts.confirmed(driver_id=desk.driver_id)
    [settled] = desk.post("payment.confirmed 50.00", settlement(payment))
    desk.post("payment.refunded 20.00", refund(facts.refunded(payment, "20.00")))
    desk.post("an admin reverses the payment", reversal(settled, reason="cobrada em dobro"))
    return desk


def netted_from_a_returned_payout() -> Desk:
    desk = Desk()
    payment = facts.confirmed(driver_id=desk.driver_id)
    payout = facts.ready("40.00", driver_id=desk.driver_id)
    desk.post("payment.confirmed 50.00", settlement(payment))
    desk.post("payout.ready 40.00", hold(payout))
    desk.post("payout.completed 40.00", completion(facts.completed(payout)))
    desk.post("payment.refunded 50.00", refund(facts.refunded(payment, "50.00")))
    desk.post("payout.returned 40.00", giving_back(facts.returned(payout, "40.00")))
    return desk


def manual() -> Desk:
    desk = Desk()
    draft = Draft(
        transaction_id="capital-2026",
        event_type="journal.manual",
        entity_type=EntityType.MANUAL,
        entity_id="capital-2026",
        description="Aporte de capital",
        lines=(debit("1100", Decimal("1000.00")), credit("3100", Decimal("1000.00"))),
    )
    [journal] = desk.post("capital 1000.00", manual_entry(draft, now=facts.NOW))
    desk.post("its reversal", reversal(journal, reason="lançado em dobro"))
    return desk


EXAMPLES: Final[Mapping[str, Callable[[], Desk]]] = {
    "paid": paid,
    "paid with a fee": paid_with_a_fee,
    "paid more": paid_more,
    "paid less": held_for(MismatchKind.SHORT, "1.00"),
    "paid late": held_for(MismatchKind.LATE, "50.00"),
    "paid twice": paid_twice,
    "paid to nobody": held_for(MismatchKind.UNMATCHED, "12.34", known=False),
    "refunded in part": refunded_in_part,
    "refunded in full": refunded_in_full,
    "refunded after the payout": refunded_after_the_payout,
    "paid out": paid_out,
    "payout failed": payout_failed,
    "payout refused": payout_refused,
    "payout returned in parts": payout_returned,
    "netted from a returned payout": netted_from_a_returned_payout,
    "reversed after a refund": reversed_after_a_refund,
    "manual journal and its reversal": manual,
}


def drawn(desk: Desk) -> str:
    """The steps with their journals, then a T-account for each account that moved."""
    lines = []
    for number, (said, journals) in enumerate(desk.steps, start=1):
        lines.append(f"({number}) {said}" + ("" if journals else ": nothing is posted"))
        lines += [line for journal in journals for line in _journal_lines(journal)]
    return "\n".join([*lines, *_t_accounts(desk)])


def _journal_lines(journal: Journal) -> list[str]:
    """A line for each part of the journal that balances by itself; those after the first begin with a dot."""
    first, *more = [_part_line(part) for part in balanced_parts(journal)]
    return [f"      {first}", *(f"    · {part}" for part in more)]


def balanced_parts(journal: Journal) -> list[list[Line]]:
    """The journal's lines in order, cut wherever the debits so far equal the credits so far."""
    parts: list[list[Line]] = [[]]
    for line in journal.draft.lines:
        if parts[-1] and _difference(parts[-1]) == 0:
            parts.append([])
        parts[-1].append(line)
    return parts


def _difference(lines: Sequence[Line]) -> Decimal:
    return sum((one.amount if one.entry_type is EntryType.DEBIT else -one.amount for one in lines), ZERO)


def _part_line(lines: Sequence[Line]) -> str:
    sides: dict[EntryType, list[str]] = {side: [] for side in EntryType}
    for line in lines:
        sides[line.entry_type].append(f"{line.account_code} {line.amount}")
    return f"D {', '.join(sides[EntryType.DEBIT]):<24} / C {', '.join(sides[EntryType.CREDIT])}"


def _t_accounts(desk: Desk) -> list[str]:
    moved: dict[str, dict[EntryType, list[tuple[int, Decimal]]]] = {}
    for number, (_, journals) in enumerate(desk.steps, start=1):
        for entry in (entry for journal in journals for entry in journal.entries):
            sides = moved.setdefault(entry.line.account_code, {side: [] for side in EntryType})
            sides[entry.line.entry_type].append((number, entry.line.amount))
    drawings = [_t_account(account(code), sides) for code, sides in sorted(moved.items())]
    lines: list[str] = []
    for first in range(0, len(drawings), ACCOUNTS_A_ROW):
        row = drawings[first : first + ACCOUNTS_A_ROW]
        lines.append("")
        lines += [
            GAP.join(parts).rstrip() for parts in zip_longest(*row, fillvalue=" " * (2 * SIDE_WIDTH + 1))
        ]
    return lines


def _t_account(of: Account, sides: Mapping[EntryType, Sequence[tuple[int, Decimal]]]) -> list[str]:
    width = 2 * SIDE_WIDTH + 1
    on_left, on_right = (sides[side] for side in EntryType)
    rule = "─" * SIDE_WIDTH
    lines = [f"{of.code} {of.name}"[:width].ljust(width), f"{rule}┬{rule}"]
    for left, right in zip_longest(on_left, on_right):
        lines.append(f"{_cell(left)}│{_cell(right)}")
    difference = sum((a for _, a in on_left), ZERO) - sum((a for _, a in on_right), ZERO)
    left_total = f"{difference:.2f}" if difference > 0 else ""
    right_total = f"{-difference:.2f}" if difference < 0 else ("0.00" if difference == 0 else "")
    lines += [f"{rule}┼{rule}", f"{left_total:>{SIDE_WIDTH - 1}} │{right_total:>{SIDE_WIDTH - 1}} "]
    return lines


def _cell(entry: tuple[int, Decimal] | None) -> str:
    if entry is None:
        return " " * SIDE_WIDTH
    number, amount = entry
    return f" ({number}){amount:>{SIDE_WIDTH - 5}} "


PAGE: Final = Path(__file__).resolve().parents[3] / "docs" / "accounting.md"
_BLOCK: Final = re.compile(
    r"(<!-- worked example: (?P<name>[^>]+) -->\n```text\n)(?P<drawing>.*?)(\n```)", re.DOTALL
)


def shown_in(page: str) -> dict[str, str]:
    """Name → drawing, of every worked example on a page."""
    return {block["name"]: block["drawing"] for block in _BLOCK.finditer(page)}


def redrawn(page: str) -> str:
    """The page with every drawing made anew."""
    return _BLOCK.sub(lambda block: f"{block[1]}{drawn(EXAMPLES[block['name']]())}{block[4]}", page)


if __name__ == "__main__":
    PAGE.write_text(redrawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
