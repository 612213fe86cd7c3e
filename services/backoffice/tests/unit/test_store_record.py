"""Keeping a record, against an in-memory log."""

from collections.abc import Sequence

import pytest
from backoffice_fakes import a_record

from backoffice.domain.record import Filter, Record
from backoffice.usecases.list_records import list_records
from backoffice.usecases.store_record import store_record


class FakeLog:
    def __init__(self) -> None:
        self.rows: list[Record] = []

    def add(self, record: Record) -> None:
        self.rows.append(record)

    async def find(self, filter_: Filter, *, before_sequence: int | None, limit: int) -> Sequence[Record]:
        return self.rows[:limit]


class FakeTx:
    def __init__(self) -> None:
        self.audit_log = FakeLog()


async def test_a_record_is_kept_as_it_came() -> None:
    tx, recorded = FakeTx(), a_record()
    await store_record(tx, recorded=recorded)
    [kept] = tx.audit_log.rows
    assert (kept.id, kept.before, kept.after) == (recorded.record_id, recorded.before, recorded.after)
    assert kept.ip_address == "203.0.113.7"


@pytest.mark.parametrize("address", ["testclient", "", None])
async def test_an_address_that_is_none_does_not_lose_the_record(address: str | None) -> None:
    tx = FakeTx()
    await store_record(tx, recorded=a_record(ip_address=address))
    assert tx.audit_log.rows[0].ip_address is None


async def test_one_more_than_asked_is_read_to_know_whether_there_is_more() -> None:
    tx = FakeTx()
    for _ in range(5):
        await store_record(tx, recorded=a_record())
    assert len(await list_records(tx, filter_=Filter(), before_sequence=None, limit=2)) == 3
