"""The hash chain and its anchors."""

from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from ledger_books import NOW, confirmed
from ledger_fakes import FakeBooks

from kernel.ids import new_id
from ledger.domain.anchor import Anchor, NotAnAnchor, in_order, parse_anchor
from ledger.domain.seal import GENESIS, Seal, broken, canonical, next_seal, sealed
from ledger.domain.settlement import settlement


def two_seals() -> tuple[FakeBooks, Seal, Seal]:
    books = FakeBooks()
    books.post(*(settlement(confirmed()) for _ in range(6)))
    journals = [sealed(journal) for journal in books.journals]
    first = next_seal(None, batch=10, journals=journals[:3], sealed_at=NOW)
    return books, first, next_seal(first, batch=20, journals=journals[3:], sealed_at=NOW)


def test_a_seal_follows_from_the_one_before_it() -> None:
    books, first, second = two_seals()
    journals = [sealed(journal) for journal in books.journals]

    assert (first.previous_hash, second.previous_hash) == (GENESIS, first.hash)
    assert (first.seq, second.seq) == (1, 2)
    assert (second.journals, second.entries) == (6, 42)
    assert not broken(first, last=None, journals=journals[:3])
    assert not broken(second, last=first, journals=journals[3:])
    assert broken(second, last=None, journals=journals[3:])
    assert broken(second, last=first, journals=journals[3:5])
    assert broken(replace(second, batch=21), last=first, journals=journals[3:])
    tampered = [*journals[3:5], journals[5]._replace(entity_id="other")]
    assert broken(second, last=first, journals=tampered)
    repeated_wrongly = [*journals[3:5], journals[5]._replace(true_copy=False)]
    assert broken(second, last=first, journals=repeated_wrongly)


def test_a_seal_is_told_by_its_hash_and_what_it_counts() -> None:
    _, first, second = two_seals()
    told = second.fact()
    assert (told.seq, told.hash, told.previous_hash) == (2, second.hash.hex(), first.hash.hex())
    assert (told.journals, told.entries, told.sealed_at) == (6, 42, NOW)


def test_canonical_bytes_tell_every_field_apart() -> None:
    books = FakeBooks()
    books.post(settlement(confirmed()))
    journal = sealed(books.journals[0])
    entry = next(one for one in journal.entries if one.line.driver_id)
    place = journal.entries.index(entry)
    changed = [
        journal._replace(id=new_id()),
        journal._replace(transaction_id="x"),
        journal._replace(reference_number=None),
        journal._replace(event_type=journal.event_type + "x", entity_type=journal.entity_type[1:]),
        journal._replace(description="x"),
        journal._replace(driver_id=None),
        journal._replace(reverses=new_id()),
        journal._replace(line_count=8),
        journal._replace(transaction_date=journal.transaction_date + timedelta(days=1)),
        journal._replace(occurred_at=journal.occurred_at + timedelta(microseconds=1)),
        journal._replace(posted_at=journal.posted_at + timedelta(microseconds=1)),
        journal._replace(entries=journal.entries[:-1]),
    ]
    changed += [
        journal._replace(entries=(*journal.entries[:place], one, *journal.entries[place + 1 :]))
        for one in (
            entry._replace(id=entry.id + 1),
            entry._replace(line=entry.line._replace(account_code="2150")),
            entry._replace(line=entry.line._replace(entry_type="DEBIT")),
            entry._replace(line=entry.line._replace(amount=entry.line.amount + 1)),
            entry._replace(line=entry.line._replace(driver_id=None)),
            entry._replace(line=entry.line._replace(passenger_id=new_id())),
            entry._replace(line=entry.line._replace(reverses=1)),
        )
    ]
    assert len({canonical(one) for one in [journal, *changed]}) == len(changed) + 1


def test_a_moment_has_the_same_bytes_in_every_zone() -> None:
    books = FakeBooks()
    books.post(settlement(confirmed()))
    journal = sealed(books.journals[0])
    elsewhere = timezone(timedelta(hours=-3))
    same = journal._replace(
        occurred_at=journal.occurred_at.astimezone(elsewhere),
        posted_at=journal.posted_at.astimezone(elsewhere),
    )
    assert canonical(same) == canonical(journal)


def test_an_anchor_says_what_the_seal_says() -> None:
    _, first, second = two_seals()
    told = [Anchor.told(second.fact()), Anchor.told(first.fact())]
    assert in_order(told) == [Anchor.of(first), Anchor.of(second)]
    assert parse_anchor(Anchor.of(second).line()) == Anchor.of(second)


@pytest.mark.parametrize(
    "line", ["", "x", "ibora-anchor-v1:other:1:ab:1:2", "ibora-anchor-v1:books:one:ab:1:2", "a:b:c:d:e:f:g"]
)
def test_other_text_is_no_anchor(line: str) -> None:
    with pytest.raises(NotAnAnchor):
        parse_anchor(line)
