"""Matching statement lines, and the hash chain."""

from dataclasses import replace
from decimal import Decimal

import pytest
from ledger_books import NOW, confirmed
from ledger_fakes import FakeBooks, sealed

from contracts.payment import StatementLine, StatementLineKind
from ledger.domain.seal import GENESIS, broken, canonical, next_seal
from ledger.domain.settlement import settlement
from ledger.domain.statement import EVENTS_OF_KIND, CaseKind, compare, reference_of


def line(amount: str, **values: str | None) -> StatementLine:
    return StatementLine.model_validate(
        {
            "day": "2026-03-10",
            "line_id": "line-1",
            "kind": StatementLineKind.PIX_RECEIVED,
            "amount": amount,
            "occurred_at": NOW,
            **values,
        }
    )


@pytest.mark.parametrize(
    ("posted", "kind"),
    [
        (["50.00"], None),
        (["20.00", "50.00"], None),
        (["20.00", "30.00"], None),
        ([], CaseKind.MISSING_IN_LEDGER),
        (["49.99"], CaseKind.AMOUNT_DIFFERS),
    ],
)
def test_a_line_matches_one_movement_or_all_of_them(posted: list[str], kind: CaseKind | None) -> None:
    difference = compare(line("50.00"), posted=[Decimal(amount) for amount in posted])
    assert (difference.kind if difference else None) == kind


def test_every_kind_of_line_has_its_events() -> None:
    assert set(EVENTS_OF_KIND) == set(StatementLineKind)


@pytest.mark.parametrize(
    ("values", "reference"),
    [
        ({"e2e_id": "E1", "id_envio": "i", "txid": "t"}, "E1"),
        ({"id_envio": "i", "txid": "t"}, "i"),
        ({"txid": "t"}, "t"),
        ({}, "line-1"),
    ],
)
def test_a_line_is_known_by_the_best_reference(values: dict[str, str | None], reference: str) -> None:
    assert reference_of(line("1.00", **values)) == reference


def test_a_seal_follows_from_the_one_before_it() -> None:
    books = FakeBooks()
    books.post(settlement(confirmed()), settlement(confirmed()))
    journals = [sealed(journal) for journal in books.journals]
    first = next_seal(None, to_xid="10", journals=journals[:3], now=NOW)
    second = next_seal(first, to_xid="20", journals=journals[3:], now=NOW)

    assert (first.previous_hash, second.previous_hash) == (GENESIS, first.hash)
    assert (first.from_xid, second.from_xid) == ("0", "10")
    assert not broken(first, last=None, journals=journals[:3])
    assert not broken(second, last=first, journals=journals[3:])
    assert broken(second, last=None, journals=journals[3:])
    assert broken(second, last=first, journals=journals[3:5])
    tampered = [*journals[3:5], replace(journals[5], entity_id="other")]
    assert broken(second, last=first, journals=tampered)


def test_canonical_bytes_tell_every_field_apart() -> None:
    books = FakeBooks()
    books.post(settlement(confirmed()))
    journal = sealed(books.journals[1])
    entry = journal.entries[2]
    changed = [
        replace(journal, reference_number=None),
        replace(journal, event_type=journal.event_type + "x", entity_type=journal.entity_type[1:]),
        replace(journal, entries=journal.entries[:2]),
        replace(journal, entries=(*journal.entries[:2], replace(entry, amount=entry.amount + 1))),
        replace(journal, entries=(*journal.entries[:2], replace(entry, driver_id=None))),
        replace(journal, entries=(*journal.entries[:2], replace(entry, reversal_entry_id=1))),
    ]
    assert len({canonical(one) for one in [journal, *changed]}) == 7
