"""The outbox row of a journal is what its fact says."""

import json
from decimal import Decimal

from ledger_books import confirmed, mismatch
from ledger_fakes import FakeBooks

from contracts.ledger import LedgerPosted
from kernel.ids import new_id
from ledger.adapters.posted_json import posted_json
from ledger.domain.settlement import settlement, suspension


def test_a_journal_is_written_as_its_fact_would_be() -> None:
    books = FakeBooks()
    books.post(
        settlement(confirmed("12.30", commission="2.46", fee="0.10")),
        suspension(mismatch("5.00", passenger_id=new_id())),
    )
    assert len(books.journals) == 5
    for journal in books.journals:
        assert json.loads(posted_json(journal)) == json.loads(journal.fact().model_dump_json())
        assert LedgerPosted.model_validate_json(posted_json(journal)) == journal.fact()


def test_awkward_text_is_escaped() -> None:
    books = FakeBooks()
    books.post(settlement(confirmed()))
    journal = books.journals[0]
    awkward = 'a"b\\c\né\u2028'
    draft = journal.draft._replace(transaction_id=awkward, entity_id=awkward, reference_number=awkward)
    changed = journal._replace(draft=draft)
    assert json.loads(posted_json(changed)) == json.loads(changed.fact().model_dump_json())
    assert changed.total == Decimal("50.00")
