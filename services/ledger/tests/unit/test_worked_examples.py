"""docs/accounting.md shows what the rules really post."""

from decimal import Decimal

import pytest
from worked_examples import EXAMPLES, PAGE, balanced_parts, drawn, shown_in

from contracts.ledger import EntryType
from kernel.money import ZERO
from ledger.domain.chart import AccountType, account

SHOWN = shown_in(PAGE.read_text(encoding="utf-8"))
DEBIT_TYPES = {AccountType.ASSET, AccountType.EXPENSE}


def test_every_example_is_on_the_page_and_no_other() -> None:
    assert SHOWN.keys() == EXAMPLES.keys()


@pytest.mark.parametrize("name", [*EXAMPLES])
def test_an_example_is_drawn_as_the_rules_post_it(name: str) -> None:
    assert SHOWN[name] == drawn(EXAMPLES[name]())


def test_a_ride_is_drawn_as_the_three_balanced_parts_of_its_one_journal() -> None:
    [(_, [journal])] = EXAMPLES["paid"]().steps
    parts = balanced_parts(journal)
    assert [[line.account_code for line in part] for part in parts] == [
        ["1300", "4100"],
        ["4100", "4200", "2100"],
        ["1100", "1300"],
    ]
    assert tuple(line for part in parts for line in part) == journal.draft.lines


@pytest.mark.parametrize("name", [*EXAMPLES])
def test_an_example_leaves_the_books_balanced(name: str) -> None:
    sides = {AccountType.ASSET: ZERO, AccountType.LIABILITY: ZERO}
    for _, journals in EXAMPLES[name]().steps:
        for entry in (entry for journal in journals for entry in journal.entries):
            of = account(entry.line.account_code)
            sign = 1 if (entry.line.entry_type is EntryType.DEBIT) else -1
            # Assets and expenses on one side; liabilities, equity and income on the other.
            side = AccountType.ASSET if of.account_type in DEBIT_TYPES else AccountType.LIABILITY
            sides[side] += sign * Decimal(entry.line.amount)
    assert sides[AccountType.ASSET] == -sides[AccountType.LIABILITY]
