"""Recording without a lock: the rule sees a debt, and the balance is taken as it is under the lock at the end."""

from decimal import Decimal
from itertools import count

import pytest
from ledger_books import NOW, confirmed

from kernel.ids import new_id
from kernel.money import money
from ledger.domain.book import Book
from ledger.domain.chart import CHART, Account, PostingPolicy, account
from ledger.domain.driver_balance import BalanceMoved, DriverBalance
from ledger.domain.settlement import settlement

DRIVER = new_id()


def posted(*, debt: str) -> Book:
    seen = DriverBalance(driver_id=DRIVER, receivable=money(debt))
    book = Book(balances={DRIVER: seen}, history=(), entry_ids=count(1), new_id=new_id)
    book.apply(settlement(confirmed("50.00", commission="10.00", driver_id=DRIVER)), now=NOW)
    return book


def test_the_balance_goes_on_from_what_the_lock_shows() -> None:
    book = posted(debt="0.00")
    book.move_on({DRIVER: DriverBalance(driver_id=DRIVER, available=money("7.00"), version=4)})
    [balance] = book.changed_balances()
    assert (balance.available, balance.receivable, balance.version) == (money("47.00"), money("0.00"), 5)


def test_a_debt_is_netted_as_it_was_seen() -> None:
    book = posted(debt="15.00")
    book.move_on({DRIVER: DriverBalance(driver_id=DRIVER, receivable=money("15.00"), on_hold=money("3.00"))})
    [balance] = book.changed_balances()
    assert (balance.available, balance.receivable, balance.on_hold) == tuple(
        map(money, ("25.00", "0.00", "3.00"))
    )


@pytest.mark.parametrize("debt", ["0.00", "15.00"])
def test_a_debt_that_changed_meanwhile_has_the_batch_done_again(debt: str) -> None:
    book = posted(debt=debt)
    with pytest.raises(BalanceMoved) as refusal:
        book.move_on({DRIVER: DriverBalance(driver_id=DRIVER, receivable=money("4.00"))})
    assert not refusal.value.final


def test_movements_are_of_accounts_without_owners() -> None:
    book = posted(debt="0.00")
    assert book.movements() == {
        "1300": Decimal("0.00"),
        "4100": Decimal("0.00"),
        "4200": Decimal("10.00"),
        "1100": Decimal("50.00"),
    }
    assert book.changes_by_account() == {("2100", DRIVER): Decimal("40.00")}


def test_a_ride_of_nothing_posts_nothing() -> None:
    book = Book(
        balances={DRIVER: DriverBalance(driver_id=DRIVER)}, history=(), entry_ids=count(1), new_id=new_id
    )
    book.apply(settlement(confirmed("0.00", commission="0.00", driver_id=DRIVER)), now=NOW)
    assert book.journals == []


def test_what_somebody_owns_is_authorised() -> None:
    def policy(one: Account) -> PostingPolicy:
        return PostingPolicy.AUTHORISING if one.owner else PostingPolicy.RECORDING

    assert [one.policy for one in CHART] == [policy(one) for one in CHART]
    assert account("2100").policy is PostingPolicy.AUTHORISING
    assert account("1100").policy is PostingPolicy.RECORDING
