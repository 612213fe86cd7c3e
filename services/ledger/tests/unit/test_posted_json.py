"""The outbox row of a journal is what its fact says."""

import json
from datetime import UTC, datetime
from decimal import Decimal

from ledger_books import confirmed, mismatch
from ledger_fakes import FakeBooks

from contracts.ledger import LedgerPosted
from kernel.ids import new_id
from ledger.adapters.bulk import IdTexts
from ledger.adapters.posted_json import balance_json, posted_json
from ledger.domain.driver_balance import DriverBalance
from ledger.domain.settlement import settlement, suspension


def test_a_journal_is_written_as_its_fact_would_be() -> None:
    books = FakeBooks()
    books.post(
        settlement(confirmed("12.30", commission="2.46", fee="0.10")),
        suspension(mismatch("5.00", passenger_id=new_id())),
    )
    assert len(books.journals) == 3
    for journal in books.journals:
        key, payload = posted_json(journal, ids=IdTexts())
        assert json.loads(payload) == json.loads(journal.fact().model_dump_json())
        assert LedgerPosted.model_validate_json(payload) == journal.fact()
        assert key == journal.fact().key()


def test_awkward_text_is_escaped() -> None:
    books = FakeBooks()
    books.post(settlement(confirmed()))
    journal = books.journals[0]
    awkward = 'a"b\\c\né\u2028'
    draft = journal.draft._replace(transaction_id=awkward, entity_id=awkward, reference_number=awkward)
    changed = journal._replace(draft=draft)
    _, payload = posted_json(changed, ids=IdTexts())
    assert json.loads(payload) == json.loads(changed.fact().model_dump_json())
    assert changed.total == Decimal("50.00")


def test_a_balance_is_written_as_its_fact_would_be() -> None:
    balance = DriverBalance(
        driver_id=new_id(),
        available=Decimal("12.30"),
        on_hold=Decimal("0.07"),
        version=4,
        as_of=datetime(2026, 3, 10, 12, 30, 1, 5, tzinfo=UTC),
    )
    key, payload, version = balance_json(balance, ids=IdTexts())
    assert json.loads(payload) == json.loads(balance.fact().model_dump_json())
    assert (key, version) == (balance.fact().key(), 4)
