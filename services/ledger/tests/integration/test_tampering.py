"""What a superuser does behind the guards, `ledger verify` finds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from ledger_books import Books, confirmed, query

from contracts.ledger import LedgerSealed
from ledger.adapters.sealed_rows import ORDER, SELECT, sealed_journals
from ledger.adapters.signing import BadSignature, NoKey, checked, signed
from ledger.domain.anchor import Anchor, parse_anchor
from ledger.domain.seal import Seal, next_seal
from ledger.usecases.anchor_seals import anchor_seals
from ledger.usecases.settle_payment import settle_payment
from ledger.usecases.verify_seals import Verdict, verify_seals
from telemetry import mask
from testkit import published
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock

SEALS = 4


@pytest.fixture
async def anchors(books: Books, urls: DatabaseUrls, clock: FakeClock) -> list[Anchor]:
    """Four batches of two payments, each told outside."""
    for _ in range(SEALS):
        async with books.transaction() as tx:
            for _ in range(2):
                await settle_payment(tx, paid=confirmed(), now=clock.now())
        async with books.transaction() as tx:
            await anchor_seals(tx)
    told = await published(urls, of=LedgerSealed)
    return [Anchor.told(fact) for fact, _, _ in told if isinstance(fact, LedgerSealed)]


@asynccontextmanager
async def superuser(urls: DatabaseUrls) -> AsyncIterator[Any]:
    """A connection for which no trigger fires."""
    connection = await asyncpg.connect(urls.admin_url)
    try:
        await connection.execute("SET session_replication_role = replica")
        yield connection
    finally:
        await connection.close()


async def verdict(books: Books, anchors: list[Anchor]) -> Verdict:
    async with books.reading() as tx:
        return await verify_seals(tx, anchors=anchors)


async def test_untouched_books_hold(books: Books, anchors: list[Anchor]) -> None:
    found = await verdict(books, anchors)
    assert (found.seals, found.journals, found.anchors, found.fault) == (SEALS, 2 * SEALS, SEALS, None)


async def test_nothing_new_is_told_twice(books: Books, anchors: list[Anchor]) -> None:
    assert [anchor.seq for anchor in anchors] == [1, 2, 3, 4]
    async with books.transaction() as tx:
        assert await anchor_seals(tx) is None


CAPITAL = "(SELECT id FROM ledger_accounts WHERE code = '3100')"
BATCH_OF_4 = "(SELECT batch FROM ledger_seals WHERE seq = 4)"
BATCH_OF_3 = "(SELECT batch FROM ledger_seals WHERE seq = 3)"
ENTRY = f"id = (SELECT min(e.id) FROM ledger_entries e JOIN journals j ON j.id = journal_id WHERE batch = {BATCH_OF_3})"
JOURNAL = f"(SELECT id FROM journals WHERE batch = {BATCH_OF_3} ORDER BY id LIMIT 1)"

IN_BATCH_3 = {
    "an amount": f"UPDATE ledger_entries SET amount = amount + 1 WHERE {ENTRY}",
    "an amount by a millionth": f"UPDATE ledger_entries SET amount = amount + 0.000001 WHERE {ENTRY}",
    "an entry's account": f"UPDATE ledger_entries SET account_id = {CAPITAL} WHERE {ENTRY}",
    "an account that looks like the entry's": (
        "WITH forged AS (INSERT INTO ledger_accounts SELECT (jsonb_populate_record(a, jsonb_build_object("
        "'id', gen_random_uuid(), 'code', a.code || '9', 'name', 'x'))).* FROM ledger_accounts a "
        f"WHERE a.id = (SELECT account_id FROM ledger_entries WHERE {ENTRY}) RETURNING id) "
        f"UPDATE ledger_entries SET account_id = (SELECT id FROM forged) WHERE {ENTRY}"
    ),
    "an entry's owner": f"UPDATE ledger_entries SET driver_id = gen_random_uuid() WHERE {ENTRY}",
    "an entry's text": f"UPDATE ledger_entries SET description = 'x' WHERE {ENTRY}",
    "an entry's reference": f"UPDATE ledger_entries SET reference_number = NULL WHERE {ENTRY}",
    "an entry gone": f"DELETE FROM ledger_entries WHERE {ENTRY}",
    "an entry on another day": f"UPDATE ledger_entries SET transaction_date = transaction_date + 1 WHERE {ENTRY}",
    "a journal's text": f"UPDATE journals SET description = 'x' WHERE id = {JOURNAL}",
    "a journal's day": f"UPDATE journals SET occurred_at = occurred_at - interval '1 day' WHERE id = {JOURNAL}",
    "a journal gone": f"DELETE FROM journals WHERE id = {JOURNAL}",
    "a journal moved to another batch": f"UPDATE journals SET batch = {BATCH_OF_4} WHERE id = {JOURNAL}",
    "a line more": (
        "INSERT INTO ledger_entries "
        'SELECT (jsonb_populate_record(e, \'{"line": 9, "id": 99}\')).* FROM ledger_entries e '
        f"WHERE {ENTRY}"
    ),
    "a seal's count": "UPDATE ledger_seals SET journal_count = 5 WHERE seq = 3",
    "a seal's hash": "UPDATE ledger_seals SET hash = sha256('x') WHERE seq = 3",
    "a batch without a seal": "DELETE FROM ledger_seals WHERE seq = 3",
}


TABLES = ("journals", "ledger_entries", "ledger_seals", "ledger_chain")


@asynccontextmanager
async def undone(connection: Any) -> AsyncIterator[None]:
    """What the block does to the books is put back as it was."""
    for table in TABLES:
        await connection.execute(f"CREATE TEMP TABLE kept_{table} AS SELECT * FROM {table}")
    try:
        yield
    finally:
        for table in TABLES:
            await connection.execute(f"DELETE FROM {table}")
            await connection.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")
            await connection.execute(f"DROP TABLE kept_{table}")


async def test_the_first_bad_batch_is_named(books: Books, urls: DatabaseUrls, anchors: list[Anchor]) -> None:
    [third] = await query(urls, "SELECT batch FROM ledger_seals WHERE seq = 3")
    async with superuser(urls) as connection:
        for what, edit in IN_BATCH_3.items():
            async with undone(connection):
                assert await connection.execute(edit) in ("UPDATE 1", "DELETE 1", "INSERT 0 1"), what
                found = await verdict(books, [])
            batch = None if what == "a batch without a seal" else third["batch"]
            assert (found.seals, found.broken_seq, found.batch) == (2, 3, batch), what
    assert (await verdict(books, anchors)).fault is None


STRAY = {
    "a journal of a batch of its own": (
        "WITH new AS (SELECT j.*, gen_random_uuid() AS new_id FROM journals j WHERE id = {journal}), "
        "kept AS (INSERT INTO journals SELECT (jsonb_populate_record(NULL::journals, to_jsonb(new) || "
        "jsonb_build_object('id', new_id, 'transaction_id', 'x', 'batch', 999999))).* FROM new) "
        "INSERT INTO ledger_entries SELECT (jsonb_populate_record(e, jsonb_build_object('journal_id', new_id))).* "
        "FROM ledger_entries e JOIN new ON new.id = e.journal_id"
    ),
    "entries of no journal": (
        "INSERT INTO ledger_entries SELECT (jsonb_populate_record(e, "
        "jsonb_build_object('journal_id', gen_random_uuid()))).* FROM ledger_entries e WHERE journal_id = {journal}"
    ),
}


async def test_what_is_in_no_batch_is_found(books: Books, urls: DatabaseUrls, anchors: list[Anchor]) -> None:
    async with superuser(urls) as connection:
        for what, edit in STRAY.items():
            async with undone(connection):
                await connection.execute(edit.format(journal=JOURNAL))
                found = await verdict(books, anchors)
            assert found.fault is not None, what
            assert "belong to no batch" in found.fault
            assert found.seals == SEALS


async def make_chain_anew(connection: Any, *, since: int) -> None:
    """What a clever forger does: every link from `since` on is computed again, and the head with it."""
    rows = await connection.fetch(
        "SELECT * FROM ledger_seals WHERE seq < $1 ORDER BY seq DESC LIMIT 1", since
    )
    last = Seal(**dict(rows[0])) if rows else None
    for row in await connection.fetch("SELECT * FROM ledger_seals WHERE seq >= $1 ORDER BY seq", since):
        posted = await connection.fetch(SELECT + "WHERE j.batch = $1" + ORDER, row["batch"])
        last = next_seal(
            last, batch=row["batch"], journals=sealed_journals(posted), sealed_at=row["sealed_at"]
        )
        values = [getattr(last, name) for name in Seal.__dataclass_fields__]
        await connection.execute("DELETE FROM ledger_seals WHERE seq = $1", last.seq)
        await connection.execute(
            "INSERT INTO ledger_seals (seq, batch, journal_count, entry_count, journals, entries, content, "
            "previous_hash, hash, sealed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            *values,
        )
    assert last is not None
    await connection.execute(
        "UPDATE ledger_chain SET hash = $1, previous_hash = $2", last.hash, last.previous_hash
    )


async def test_a_chain_made_anew_is_found_by_its_anchors(
    books: Books, urls: DatabaseUrls, anchors: list[Anchor]
) -> None:
    async with superuser(urls) as connection:
        await connection.execute(IN_BATCH_3["an entry's owner"])
        await make_chain_anew(connection, since=3)

    assert (await verdict(books, [])).fault is None
    found = await verdict(books, anchors)
    assert (found.seals, found.broken_seq, found.fault) == (3, 3, "is not what was told outside")
    by_the_last_one = await verdict(books, anchors[-1:])
    assert by_the_last_one.broken_seq == 4


async def cut_tail(connection: Any) -> None:
    """The last batch goes without a trace in the database."""
    await connection.execute(
        "DELETE FROM ledger_entries WHERE journal_id IN "
        "(SELECT id FROM journals WHERE batch = (SELECT batch FROM ledger_seals WHERE seq = 4))"
    )
    await connection.execute(
        "DELETE FROM journals WHERE batch = (SELECT batch FROM ledger_seals WHERE seq = 4)"
    )
    await connection.execute("DELETE FROM ledger_seals WHERE seq = 4")


async def test_a_cut_tail_is_found_by_an_anchor(
    books: Books, urls: DatabaseUrls, anchors: list[Anchor]
) -> None:
    async with superuser(urls) as connection:
        await cut_tail(connection)
        found = await verdict(books, [])
        assert (found.broken_seq, found.fault) == (4, "is missing: the chain's head is at 4")
        await connection.execute(
            "UPDATE ledger_chain SET seq = s.seq, hash = s.hash, previous_hash = s.previous_hash, "
            "journals = s.journals, entries = s.entries FROM ledger_seals s WHERE s.seq = 3"
        )
    assert (await verdict(books, [])).fault is None
    found = await verdict(books, anchors)
    assert (found.seals, found.broken_seq) == (3, 4)
    assert found.fault == "is missing: seal 4 was told outside"


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """(private, public) as PEM files."""
    key = Ed25519PrivateKey.generate()
    private, public = tmp_path / "anchor.pem", tmp_path / "anchor.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


async def test_a_signed_line_proves_an_anchor(anchors: list[Anchor], keys: tuple[Path, Path]) -> None:
    private, public = keys
    line = signed(anchors[-1].line(), key_file=private)
    for key_file in keys:
        assert parse_anchor(checked(line, key_file=key_file)) == anchors[-1]
    for forged in (line.replace(":8:", ":6:"), signed(anchors[-1].line(), key_file=None), "x", line[:-2]):
        with pytest.raises(BadSignature):
            checked(forged, key_file=public)
    with pytest.raises(NoKey):
        checked(line, key_file=None)


def test_the_logs_mask_leaves_a_signed_line_as_it_is(keys: tuple[Path, Path]) -> None:
    for seq in range(300):
        anchor = Anchor(
            seq=seq, hash=sha256(bytes([seq % 256])).hexdigest(), journals=seq * 3, entries=seq * 7
        )
        line = signed(anchor.line(), key_file=keys[0])
        assert mask({"anchor": line}) == {"anchor": line}
