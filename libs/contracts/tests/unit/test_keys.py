"""Keys keep one aggregate in order, also where the obvious field is empty."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from contracts.ledger import EntryType, JournalLine, LedgerPosted
from contracts.payment import MismatchKind, PaymentMismatchFound
from contracts.ride_dispatch import RidePaid
from kernel.ids import new_id

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_a_fact_is_keyed_by_its_aggregate() -> None:
    ride_id = new_id()
    paid = RidePaid(
        ride_id=ride_id, passenger_id=new_id(), driver_id=new_id(), amount=Decimal("10.00"), paid_at=NOW
    )
    assert paid.key() == str(ride_id)


@pytest.mark.parametrize("driver_id", [None, new_id()])
def test_a_journal_is_keyed_by_its_driver_or_by_itself(driver_id: UUID | None) -> None:
    journal_id = new_id()
    line = JournalLine(account_code="1100", entry_type=EntryType.DEBIT, amount=Decimal("1.00"))
    posted = LedgerPosted(
        journal_id=journal_id,
        driver_id=driver_id,
        transaction_id="payment:1",
        event_type="payment.confirmed",
        entity_type="payment",
        entity_id="1",
        lines=(line,),
        posted_at=NOW,
    )
    assert posted.key() == str(driver_id or journal_id)


@pytest.mark.parametrize("ride_id", [None, new_id()])
def test_an_unmatched_pix_is_keyed_by_itself(ride_id: UUID | None) -> None:
    found = PaymentMismatchFound(
        kind=MismatchKind.UNMATCHED,
        amount=Decimal("1.00"),
        external_id="E1",
        e2e_id="E1",
        ride_id=ride_id,
        paid_at=NOW,
        found_at=NOW,
    )
    assert found.key() == (str(ride_id) if ride_id else "E1")
