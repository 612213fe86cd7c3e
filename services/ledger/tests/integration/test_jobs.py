"""What the jobs tell: each gauge is what the database holds, and anchors are signed lines."""

import math
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from ledger_books import Books, confirmed, query
from ledger_office import consume, refund_failed
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from kernel.ids import new_id
from ledger import jobs, metrics
from ledger.adapters.signing import checked
from ledger.domain.anchor import parse_anchor
from ledger.domain.cases import CaseKind, Resolution
from ledger.main import Deps, build
from ledger.settings import Settings, UnsignedAnchors
from ledger.usecases.settle_payment import settle_payment
from testkit.databases import DatabaseUrls
from testkit.fake_clock import FakeClock

EVERY_S = 3600.0


@pytest.fixture
def deps(books: Books, clock: FakeClock) -> Deps:
    return make_deps(books, clock)


def make_deps(books: Books, clock: FakeClock, *, key_file: Path | None = None) -> Deps:
    return Deps(
        transaction=books.transaction,
        reading=books.reading,
        clock=clock,
        partition_days_ahead=95,
        anchor_key_file=key_file,
        recheck_grace_s=0.0,
        recheck_balance_s=0.0,
        recheck_flight_s=0.0,
        idempotency_keep_s=1.0,
    )


def gauge(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


async def post(books: Books, clock: FakeClock, *amounts: str) -> None:
    for amount in amounts:
        async with books.transaction() as tx:
            await settle_payment(tx, paid=confirmed(amount, commission="1.00"), now=clock.now())


async def as_superuser(urls: DatabaseUrls, *statements: str) -> None:
    connection = await asyncpg.connect(urls.admin_url)
    try:
        await connection.execute("SET session_replication_role = replica")
        for statement in statements:
            assert not (await connection.execute(statement)).endswith(" 0"), statement
    finally:
        await connection.close()


def test_what_a_process_has_not_measured_is_no_number() -> None:
    """A process of its own, such as an api pod: it runs no job."""
    script = (
        "import ledger.metrics\n"
        "from prometheus_client import generate_latest\n"
        "print(generate_latest().decode())"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    for name in (
        "ledger_partition_days_ahead",
        "ledger_default_partition_entries",
        "ledger_trial_balance",
        "ledger_anchored_seal",
        "ledger_books_faults",
        "ledger_books_verified_at_seconds",
    ):
        assert f"\n{name} NaN\n" in told
    assert "\nledger_open_cases{" not in told
    assert "\nledger_account_balance{" not in told


async def test_every_worker_measures_and_one_writes(deps: Deps) -> None:
    schedules = jobs.timetable(
        deps,
        fold_every_s=1.0,
        anchor_every_s=1.0,
        partition_every_s=1.0,
        snapshot_every_s=1.0,
        recheck_every_s=1.0,
        verify_books_every_s=1.0,
    )
    assert {schedule.name for schedule in schedules if not schedule.exclusive} == {
        "watch_balances",
        "watch_partitions",
        "watch_cases",
        "watch_books_check",
    }


async def test_partitions_are_measured(
    deps: Deps, books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    metrics.PARTITION_DAYS_AHEAD.set(-1)
    metrics.DEFAULT_PARTITION.set(-1)
    await jobs.prepare_partitions(deps)
    assert gauge("ledger_partition_days_ahead") == -1
    assert await jobs.watch_partitions(deps) == 0
    async with books.reading() as tx:
        room = await tx.journals.partition_room(today=clock.now().date())
    assert room.days_ahead >= 95
    assert gauge("ledger_partition_days_ahead") == room.days_ahead
    assert gauge("ledger_default_partition_entries") == 0
    await drop_month(urls, clock)
    await post(books, clock, "10.00")
    await jobs.watch_partitions(deps)
    [stored] = await query(urls, "SELECT count(*) AS n FROM ledger_entries_default")
    assert stored["n"] > 0
    assert gauge("ledger_default_partition_entries") == stored["n"]
    assert gauge("ledger_partition_days_ahead") == 0


async def drop_month(urls: DatabaseUrls, clock: FakeClock) -> None:
    connection = await asyncpg.connect(urls.admin_url)
    try:
        await connection.execute(f"DROP TABLE ledger_entries_{clock.now():%Y%m}")
    finally:
        await connection.close()


async def test_balances_are_measured(deps: Deps, books: Books, urls: DatabaseUrls, clock: FakeClock) -> None:
    await post(books, clock, "10.00", "5.00")
    metrics.TRIAL_BALANCE.set(math.nan)
    assert await jobs.watch_balances(deps) == 0
    assert gauge("ledger_trial_balance") == 0
    assert gauge("ledger_account_balance", account="BANCO_CORRENTE") == 15
    await jobs.fold(deps)
    await as_superuser(urls, "UPDATE account_balances SET balance = balance + 2 WHERE balance = 15")
    await jobs.watch_balances(deps)
    assert gauge("ledger_trial_balance") == 2


async def test_open_cases_are_measured_until_each_is_resolved(
    deps: Deps, books: Books, clock: FakeClock
) -> None:
    await consume(books, refund_failed("3.00"), refund_failed("4.00"), now=clock.now())
    metrics.OPEN_CASES.labels(kind="refund_failed").set(math.nan)
    assert await jobs.watch_cases(deps) == 0
    assert gauge("ledger_open_cases", kind="refund_failed") == 2
    assert {gauge("ledger_open_cases", kind=kind.value) for kind in CaseKind} == {0, 2}
    async with books.transaction() as tx:
        for case in await tx.cases.page(status=None, kind=None, after=None, limit=9):
            await tx.cases.resolve(
                case.resolve(Resolution.EXPLAINED, note="x", journal_id=None, by=new_id(), now=clock.now())
            )
    await jobs.watch_cases(deps)
    assert gauge("ledger_open_cases", kind="refund_failed") == 0


FIRST = "(SELECT min(id) FROM ledger_entries)"
CREDIT = "(SELECT min(id) FROM ledger_entries WHERE entry_type = 'CREDIT')"
DRIVER = "(SELECT driver_id FROM ledger_entries WHERE driver_id IS NOT NULL LIMIT 1)"
# What is done, and how many faults that is: the chain, the sum of all entries, each account that differs.
TAMPERED = {
    "an amount": (f"UPDATE ledger_entries SET amount = amount + 1 WHERE id = {FIRST}", 3),
    "an amount by a millionth": (
        f"UPDATE ledger_entries SET amount = amount + 0.000001 WHERE id = {FIRST}",
        3,
    ),
    "an entry gone": (f"DELETE FROM ledger_entries WHERE id = {CREDIT}", 3),
    "an entry's text": (f"UPDATE ledger_entries SET description = 'x' WHERE id = {FIRST}", 1),
    "a driver's balance": (
        f"UPDATE account_balances SET balance = balance + 1 WHERE owner_id = {DRIVER} AND balance > 0",
        1,
    ),
}


@pytest.mark.parametrize("what", list(TAMPERED))
async def test_books_behind_whose_back_somebody_wrote_are_found_by_the_job(
    deps: Deps, books: Books, urls: DatabaseUrls, clock: FakeClock, what: str
) -> None:
    await post(books, clock, "10.00", "20.00")
    check = jobs.BooksCheck(deps, every_s=EVERY_S)
    await check.run()
    assert gauge("ledger_books_faults") == 0
    assert gauge("ledger_books_verified_at_seconds") == clock.now().timestamp()
    edit, faults = TAMPERED[what]
    await as_superuser(urls, edit)

    metrics.BOOKS_FAULTS.set(math.nan)
    with capture_logs() as logs:
        await jobs.BooksCheck(deps, every_s=EVERY_S).run()
    assert gauge("ledger_books_faults") == faults
    errors = [log for log in logs if log["log_level"] == "error"]
    assert errors
    for error in errors:
        if error["event"] == "books_chain_broken":
            [first] = await query(urls, "SELECT batch FROM ledger_seals WHERE seq = 1")
            assert (error["seal"], error["batch"]) == (1, first["batch"])
        else:
            assert error["account"] is not None


async def test_the_chain_is_walked_from_where_it_was_verified_and_whole_once_a_day(
    deps: Deps, books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    """An edited text moves no sum: only a walk over its link sees it."""
    await post(books, clock, "10.00", "20.00")
    check = jobs.BooksCheck(deps, every_s=EVERY_S)
    await check.run()
    await as_superuser(urls, TAMPERED["an entry's text"][0])
    await post(books, clock, "30.00")
    clock.advance(EVERY_S)
    await check.run()
    assert gauge("ledger_books_faults") == 0
    clock.advance(timedelta(days=1).total_seconds())
    await check.run()
    assert gauge("ledger_books_faults") == 1
    clock.advance(EVERY_S)
    await check.run()
    assert gauge("ledger_books_faults") == 1


async def test_a_new_link_that_does_not_hold_is_seen_by_the_next_check(
    deps: Deps, books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    await post(books, clock, "10.00")
    check = jobs.BooksCheck(deps, every_s=EVERY_S)
    await check.run()
    await post(books, clock, "20.00")
    await as_superuser(
        urls, "UPDATE ledger_entries SET description = 'x' WHERE id = (SELECT max(id) FROM ledger_entries)"
    )
    await check.run()
    assert gauge("ledger_books_faults") == 1


async def test_what_was_verified_and_is_another_now_is_found(
    deps: Deps, books: Books, urls: DatabaseUrls, clock: FakeClock
) -> None:
    await post(books, clock, "10.00")
    check = jobs.BooksCheck(deps, every_s=EVERY_S)
    await check.run()
    await as_superuser(urls, "UPDATE ledger_seals SET hash = sha256('x')")
    with capture_logs() as logs:
        await check.run()
    assert gauge("ledger_books_faults") == 1
    assert logs[0]["fault"] == "is not what it was when it was verified"


async def test_a_finding_is_shown_no_longer_when_another_worker_checks(
    deps: Deps, books: Books, clock: FakeClock
) -> None:
    check = jobs.BooksCheck(deps, every_s=EVERY_S)
    metrics.BOOKS_FAULTS.set(7)
    assert await check.forget() == 0
    assert gauge("ledger_books_faults") == 7
    await check.run()
    at = clock.now().timestamp()
    clock.advance(2 * EVERY_S)
    await check.forget()
    assert gauge("ledger_books_faults") == 0
    clock.advance(EVERY_S)
    await check.forget()
    assert math.isnan(gauge("ledger_books_faults") or 0)
    assert gauge("ledger_books_verified_at_seconds") == at


async def test_an_anchor_is_logged_as_a_line_whose_signature_holds(
    books: Books, clock: FakeClock, tmp_path: Path
) -> None:
    key = Ed25519PrivateKey.generate()
    key_file = tmp_path / "anchor.pem"
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    await post(books, clock, "10.00", "20.00")
    with capture_logs() as logs:
        await jobs.anchor(make_deps(books, clock, key_file=key_file))
        await jobs.anchor(make_deps(books, clock, key_file=key_file))
    [told] = [log for log in logs if log["event"] == "anchor_seals"]
    told_anchor = parse_anchor(checked(told["anchor"], key_file=key_file))
    assert (told_anchor.seq, told_anchor.journals) == (2, 2)
    assert gauge("ledger_anchored_seal") == 2
    async with books.reading() as tx:
        [newest] = await tx.seals.after(1, limit=1)
    assert told_anchor.hash == newest.hash.hex()


async def test_a_worker_without_a_key_warns_and_does_not_start_in_production(
    urls: DatabaseUrls, clock: FakeClock, tmp_path: Path
) -> None:
    settings = Settings(database_url=urls.app_url, kafka_bootstrap="127.0.0.1:1")
    with capture_logs() as logs:
        build(settings, mode="api", clock=clock)
        assert logs == []
        build(settings, mode="worker", clock=clock)
    assert [(log["event"], log["log_level"]) for log in logs] == [("anchors_unsigned", "warning")]
    production = settings.model_copy(update={"environment": "production"})
    build(production, mode="api", clock=clock)
    for mode in ("worker", "all"):
        with pytest.raises(UnsignedAnchors):
            build(production, mode=mode, clock=clock)
    with capture_logs() as logs:
        keyed = production.model_copy(update={"anchor_key_file": tmp_path / "anchor.pem"})
        build(keyed, mode="worker", clock=clock)
    assert logs == []
