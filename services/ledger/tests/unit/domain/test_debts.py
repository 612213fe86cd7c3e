"""A driver who owes money pays it back first, from wherever their balance grows."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_books import completed, confirmed, failed, mismatch, ready, refunded, returned
from ledger_fakes import FakeBooks

from contracts.ledger import LedgerPayoutHeld, LedgerPayoutRefused
from kernel.ids import new_id
from ledger.domain.instruction import DuplicateDiffers
from ledger.domain.payout import completion, giving_back, hold, release
from ledger.domain.refund import refund
from ledger.domain.settlement import settlement, suspension


def test_a_released_hold_pays_back_what_a_refund_took_meanwhile() -> None:
    books, driver_id = FakeBooks(), new_id()
    paid = confirmed("100.00", commission="20.00", driver_id=driver_id)
    payout = ready("80.00", driver_id=driver_id)
    books.post(settlement(paid), hold(payout), refund(refunded(paid, "100.00")))
    assert books.balance(driver_id).receivable == Decimal("80.00")
    books.post(release(failed(payout)))
    balance = books.balance(driver_id)
    assert (balance.available, balance.on_hold, balance.receivable) == (0, 0, 0)
    again = books.post(hold(ready("80.00", driver_id=driver_id)))
    assert [type(fact) for fact in again] == [LedgerPayoutRefused]


def test_what_comes_back_of_a_payout_pays_back_the_debt_first() -> None:
    books, driver_id = FakeBooks(), new_id()
    paid = confirmed("100.00", commission="20.00", driver_id=driver_id)
    payout = ready("80.00", driver_id=driver_id)
    books.post(settlement(paid), hold(payout), completion(completed(payout)))
    books.post(refund(refunded(paid, "50.00")))
    assert books.balance(driver_id).receivable == Decimal("40.00")
    books.post(giving_back(returned(payout, "30.00", total="30.00")))
    assert books.balance(driver_id).receivable == Decimal("10.00")
    books.post(giving_back(returned(payout, "50.00", total="80.00")))
    balance = books.balance(driver_id)
    assert (balance.available, balance.receivable) == (Decimal("40.00"), 0)


def test_without_a_debt_a_release_posts_only_the_reversal() -> None:
    books, driver_id = FakeBooks(), new_id()
    payout = ready("8.00", driver_id=driver_id)
    books.post(settlement(confirmed("10.00", commission="2.00", driver_id=driver_id)), hold(payout))
    before = len(books.journals)
    books.post(release(failed(payout)))
    assert len(books.journals) == before + 1


@pytest.mark.parametrize("passenger", [True, False])
def test_the_fee_of_a_pix_that_fits_no_charge_leaves_the_bank_too(*, passenger: bool) -> None:
    books = FakeBooks()
    found = mismatch("5.00", passenger_id=new_id() if passenger else None)
    books.post(suspension(found.model_copy(update={"fee": Decimal("0.06")})))
    assert (books.account("1100"), books.account("5100")) == (Decimal("4.94"), Decimal("0.06"))
    assert books.account("2200" if passenger else "2900") == Decimal("5.00")


@given(
    parts=st.lists(st.integers(1, 400), min_size=1, max_size=6),
    commission=st.integers(0, 1000),
)
def test_partial_refunds_in_any_parts_give_back_exactly_the_payment(
    parts: list[int], commission: int
) -> None:
    """Odd centavos, commissions of nothing and of everything, refunded between two payouts."""
    books, driver_id = FakeBooks(), new_id()
    fare = Decimal(sum(parts)) / 100
    kept = min(Decimal(commission) / 100, fare)
    paid = confirmed(f"{fare:.2f}", commission=f"{kept:.2f}", driver_id=driver_id)
    books.post(settlement(paid))
    total = Decimal(0)
    for part in parts:
        available = books.balance(driver_id).available
        if available > 0:
            payout = ready(f"{available / 2:.2f}", driver_id=driver_id)
            if payout.amount > 0:
                decided = {type(fact) for fact in books.post(hold(payout))}
                assert LedgerPayoutHeld in decided
                books.post(completion(completed(payout)))
        amount = Decimal(part) / 100
        total += amount
        books.post(refund(refunded(paid, f"{amount:.2f}", total=f"{total:.2f}")))
    assert books.account("4200") == books.account("4100") == books.account("1300") == 0
    balance = books.balance(driver_id)
    paid_out = -books.account("1100")
    assert balance.available - balance.receivable == -paid_out


def test_a_fact_that_changed_its_amount_on_the_way_is_refused() -> None:
    books, driver_id = FakeBooks(), new_id()
    books.post(settlement(confirmed("100.00", driver_id=driver_id)))
    payout = ready("10.00", driver_id=driver_id)
    books.post(hold(payout))
    with pytest.raises(DuplicateDiffers):
        books.post(hold(payout), hold(payout.model_copy(update={"amount": Decimal("11.00")})))
