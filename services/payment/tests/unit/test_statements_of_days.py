"""Which days are published, from what, and what a statement shows that nobody had told."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from payment_fakes import FakeDeps, FakeTx, a_pix
from prometheus_client import REGISTRY

import efi
from contracts.payment import StatementClosed, StatementLine, StatementLineKind
from kernel.money import ZERO
from kernel.refusals import Invalid
from payment.adapters.efi_statement import reported_movements
from payment.domain.devolution import Devolution, ProviderRefund, RefundState
from payment.domain.merging import merged
from payment.domain.provider import ProviderRefused, ProviderUnclear
from payment.domain.received import Received, Source
from payment.domain.statement import Movement, Statement, due_day, due_days, over
from payment.domain.sweep import OVERLAP, WINDOW, windows
from payment.effects.publish_day_statement import publish_day_statement
from payment.effects.publish_statement import publish_statement
from payment.usecases.confirm_pix import confirm_pix

YESTERDAY = date(2026, 11, 23)
TODAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
KIND = StatementLineKind


def received(e2e_id: str, amount: str = "50.00", *, at: datetime = NOON, txid: str | None = None) -> Movement:
    return Movement(
        line_id=f"received:{e2e_id}",
        kind=KIND.PIX_RECEIVED,
        amount=Decimal(amount),
        occurred_at=at,
        e2e_id=e2e_id,
        txid=txid,
    )


def refunded(e2e_id: str, return_id: str, amount: str = "-20.00", *, at: datetime = NOON) -> Movement:
    return Movement(
        line_id=f"refund:{return_id}",
        kind=KIND.REFUND_SENT,
        amount=Decimal(amount),
        occurred_at=at,
        e2e_id=e2e_id,
        return_id=return_id,
    )


def returned(line_id: str, amount: str, *, return_id: str | None = None) -> Movement:
    return Movement(
        line_id=line_id,
        kind=KIND.RETURN_RECEIVED,
        amount=Decimal(amount),
        occurred_at=NOON,
        e2e_id="E9",
        id_envio="i1",
        return_id=return_id,
    )


def published(deps: FakeDeps) -> list[tuple[str, int]]:
    return [(fact.day, fact.lines) for fact in deps.tx.facts if isinstance(fact, StatementClosed)]


def test_what_both_know_counts_once_by_the_lists_name_and_the_reports_amount() -> None:
    listed = received("E1", "50.00", txid="t")
    booked = replace(listed, line_id="received:E1", amount=Decimal("49.00"), txid=None, occurred_at=NOON)
    assert merged([listed], [booked]) == [replace(listed, amount=Decimal("49.00"))]


def test_what_one_of_them_knows_is_there_too() -> None:
    assert {m.line_id for m in merged([received("E1")], [received("E2")])} == {"received:E1", "received:E2"}


def test_returns_in_equal_parts_without_ids_are_told_apart_by_their_number() -> None:
    listed = [returned("return:i1:0", "2.00"), returned("return:i1:1", "2.00")]
    reported = [returned("return:D1", "2.00", return_id="D1"), returned("return:D2", "2.00", return_id="D2")]
    found = merged(listed, reported)
    assert [(m.line_id, m.return_id) for m in found] == [("return:i1:0", "D1"), ("return:i1:1", "D2")]


def test_parts_of_different_amounts_are_different_returns() -> None:
    found = merged([returned("return:i1:0", "2.00")], [returned("return:D2", "3.00", return_id="D2")])
    assert sorted(m.amount for m in found) == [Decimal("2.00"), Decimal("3.00")]


def test_refunds_with_other_ids_are_other_refunds() -> None:
    assert len(merged([refunded("E1", "D1")], [refunded("E1", "D2")])) == 2


def test_a_fee_and_its_return_are_two_movements() -> None:
    fee = Movement(line_id="fee:i1", kind=KIND.FEE, amount=Decimal("-1.00"), occurred_at=NOON, id_envio="i1")
    back = replace(fee, line_id="fee_back:i1", amount=Decimal("1.00"))
    assert merged([fee], [fee, back]) == [fee, back]


@given(
    listed=st.lists(st.integers(0, 30), unique=True),
    reported=st.lists(st.integers(0, 30), unique=True),
    order=st.randoms(use_true_random=False),
)
def test_in_whatever_order_the_union_has_each_movement_once(
    listed: list[int], reported: list[int], order: object
) -> None:
    ours = [received(f"E{number}") for number in listed]
    theirs = [received(f"E{number}") for number in reported]
    order.shuffle(theirs)  # type: ignore[attr-defined]
    found = [movement.e2e_id for movement in merged(ours, theirs)]
    assert sorted(found) == sorted({f"E{number}" for number in {*listed, *reported}})


def test_a_statement_sums_what_came_in_and_what_went_out() -> None:
    movements = [received("E1"), received("E1"), refunded("E1", "D1"), received("E2", at=NOON - timedelta(2))]
    statement = Statement.of(movements, day=YESTERDAY)
    closed = statement.closed(balance=Decimal("7.00"), now=NOON)
    assert (closed.lines, closed.came_in, closed.went_out) == (2, Decimal("50.00"), Decimal("-20.00"))
    assert closed.balance == Decimal("7.00")
    assert Statement.of([], day=YESTERDAY).closed(balance=None, now=NOON).came_in == ZERO


def test_the_reports_rows_have_the_names_that_the_lists_give() -> None:
    def row(kind: efi.StatementKind, amount: str, **ids: str) -> efi.StatementRow:
        return efi.StatementRow(kind=kind, amount=Decimal(amount), occurred_at=NOON, **ids)

    rows = [
        row(efi.StatementKind.PIX_RECEIVED, "50.00", e2e_id="E1"),
        row(efi.StatementKind.FEE, "-0.60", e2e_id="E1"),
        row(efi.StatementKind.REFUND_SENT, "-20.00", e2e_id="E1", return_id="D1"),
        row(efi.StatementKind.PIX_SENT, "-4.00", e2e_id="E2", id_envio="i1"),
        row(efi.StatementKind.RETURN_RECEIVED, "2.00", e2e_id="E2", return_id="D2"),
        row(efi.StatementKind.FEE, "0.60", e2e_id="E1"),
        row(efi.StatementKind.FEE, "-1.00"),
        row(efi.StatementKind.FEE, "-1.00"),
    ]
    assert [movement.line_id for movement in reported_movements(rows)] == [
        "received:E1",
        "fee:E1",
        "refund:D1",
        "sent:i1",
        "return:D2",
        "fee_back:E1",
        f"fee:{NOON.isoformat()}:-1.00",
        f"fee:{NOON.isoformat()}:-1.00:2",
    ]


def test_missed_days_are_due_oldest_first_and_thirty_at_most() -> None:
    now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    before = YESTERDAY - timedelta(days=1)
    old = before - timedelta(days=1)
    assert due_days(now, oldest=None, published=()) == [YESTERDAY]
    assert due_days(now, oldest=YESTERDAY, published={YESTERDAY}) == []
    assert due_days(now, oldest=old, published={old}) == [before, YESTERDAY]
    assert due_days(now, oldest=old, published={old, YESTERDAY}) == [before]
    many = due_days(now, oldest=date(2026, 1, 1), published=())
    assert len(many) == 30
    assert many[-1] == YESTERDAY == due_day(now)


def test_a_day_is_over_half_an_hour_after_its_end_and_a_future_one_is_refused() -> None:
    now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    assert over(YESTERDAY, now=now)
    assert not over(TODAY, now=now)
    with pytest.raises(Invalid):
        over(TODAY + timedelta(days=1), now=now)


async def test_after_an_outage_every_missed_day_is_published_and_closed_once() -> None:
    deps = FakeDeps()
    await deps.tx.statements.claim(YESTERDAY - timedelta(days=3), lines=0, now=deps.now())
    deps.provider.moved = [received("E1"), received("E2", at=NOON - timedelta(days=1))]
    assert await publish_statement(deps) == 2
    assert await publish_statement(deps) == 0
    assert published(deps) == [("2026-11-21", 0), ("2026-11-22", 1), ("2026-11-23", 1)]


async def test_a_day_that_was_published_by_hand_hides_no_missed_one_before_it() -> None:
    deps = FakeDeps()
    await deps.tx.statements.claim(YESTERDAY - timedelta(days=3), lines=0, now=deps.now())
    await publish_day_statement(deps, day=YESTERDAY)
    await publish_statement(deps)
    assert [day for day, _ in published(deps)] == ["2026-11-23", "2026-11-21", "2026-11-22"]


async def test_a_day_waits_for_efis_report_and_is_both_together() -> None:
    deps = FakeDeps()
    deps.provider.reports[YESTERDAY.isoformat()] = None
    deps.provider.moved = [received("E1")]
    for _ in range(2):
        assert await publish_statement(deps) == 0, "Efí makes the report"
        deps.advance(60)
    deps.provider.reports[YESTERDAY.isoformat()] = [received("E1"), received("E2")]
    assert await publish_statement(deps) == 2
    assert [call for call in deps.provider.calls if call.startswith("request")] == [
        f"request report {YESTERDAY}"
    ], "the report was asked for once, and its name stored"


async def test_a_report_that_never_comes_does_not_hold_a_day_back_for_ever() -> None:
    deps = FakeDeps()
    deps.provider.reports[YESTERDAY.isoformat()] = None
    deps.provider.moved = [received("E1")]
    await publish_statement(deps)
    deps.advance(deps.policy.report_wait_s + 1)
    assert await publish_statement(deps) == 1


async def test_an_unreadable_report_is_waited_for_too_and_no_longer() -> None:
    class Unreadable(FakeDeps):
        def __init__(self) -> None:
            super().__init__()
            self.provider.report = self._unreadable  # type: ignore[method-assign]

        async def _unreadable(self, name: str) -> Sequence[Movement] | None:
            raise ProviderUnclear("unreadable")

    deps = Unreadable()
    deps.provider.reports[YESTERDAY.isoformat()] = None
    deps.provider.moved = [received("E1")]
    for _ in range(2):
        assert await publish_statement(deps) == 0
    deps.advance(deps.policy.report_wait_s + 1)
    assert await publish_statement(deps) == 1


async def test_a_report_that_efi_cannot_even_be_asked_for_holds_no_late_day_back() -> None:
    deps = FakeDeps()

    async def down(day: date) -> str:
        raise ProviderUnclear("down")

    deps.provider.request_report = down  # type: ignore[method-assign]
    deps.provider.moved = [received("E1")]
    assert await publish_statement(deps) == 1, "noon: the day has been over for hours"


async def test_what_a_statement_shows_and_nobody_told_is_booked_first() -> None:
    deps = FakeDeps()
    untold, known = a_pix(txid=None, e2e_id="E1"), a_pix(txid=None, e2e_id="E2")
    for pix in (untold, known):
        deps.provider.pay(replace(pix, paid_at=NOON))
    await confirm_pix(deps.tx, received=known, source=Source.JANITOR, now=deps.now())
    answer = ProviderRefund(state=RefundState.DONE, return_id="D1")
    deps.provider.outside["E2"] = [Devolution(efi_id="app1", amount=Decimal("20.00"), answer=answer)]
    foreign = replace(a_pix(txid=None, e2e_id="E3"), ours=False)
    deps.provider.pay(foreign)
    deps.provider.moved = [received("E1"), received("E2"), refunded("E2", "D1"), received("E3")]
    for _ in range(2):
        await publish_day_statement(deps, day=YESTERDAY)
    assert deps.tx.received.rows.keys() == {"E1", "E2"}
    told = deps.tx.told()
    assert told.index("payment.credit_refunded") < told.index("statement.line")
    assert told.count("payment.credit_refunded") == told.count("statement.closed") == 1
    assert deps.provider.calls.count("received E2") == 1


async def test_a_row_that_efi_will_not_look_up_holds_no_statement_back() -> None:
    deps = FakeDeps()
    find = deps.provider.find_received

    async def refusing(e2e_id: str) -> Received | None:
        if e2e_id == "odd":
            raise ProviderRefused("valor_invalido")
        return await find(e2e_id)

    deps.provider.find_received = refusing  # type: ignore[method-assign]
    deps.provider.pay(replace(a_pix(txid=None, e2e_id="E1"), paid_at=NOON))
    deps.provider.moved = [received("odd"), received("E1")]
    assert await publish_statement(deps) == 2
    assert deps.tx.received.rows.keys() == {"E1"}, "what can be booked is, and the other is the ledger's case"


async def test_a_day_under_way_is_shown_so_far_and_published_in_full_when_it_is_over() -> None:
    def counted() -> float:
        return REGISTRY.get_sample_value("payment_statements_published_total") or 0.0

    deps = FakeDeps()
    deps.provider.moved = [received("E1", at=deps.now())]
    before = counted()
    for _ in range(2):
        statement = await publish_day_statement(deps, day=TODAY)
        assert statement is not None
        assert len(statement.lines) == 1
    assert TODAY not in deps.tx.statements.days
    assert counted() == before, "a look at a day is no day published, or it would hide that none is"
    deps.advance(86_400)
    await publish_day_statement(deps, day=TODAY)
    assert counted() == before + 1
    assert await publish_day_statement(deps, day=TODAY) is None
    lines = [fact.line_id for fact in deps.tx.facts if isinstance(fact, StatementLine)]
    assert set(lines) == {"received:E1"}, "a line keeps its name however often it is told"


async def test_the_balance_is_told_when_efi_tells_it() -> None:
    deps = FakeDeps()
    deps.provider.held = Decimal("123.45")
    await publish_day_statement(deps, day=YESTERDAY)

    async def away() -> Decimal:
        raise ProviderUnclear("down")

    deps.provider.balance = away  # type: ignore[method-assign]
    await publish_day_statement(deps, day=TODAY)
    closed = [fact.balance for fact in deps.tx.facts if isinstance(fact, StatementClosed)]
    assert closed == [Decimal("123.45"), None]


async def test_a_statement_names_the_moment_of_its_balance() -> None:
    class Slow(FakeDeps):
        @asynccontextmanager
        async def transaction(self) -> AsyncIterator[FakeTx]:
            self.advance(5)
            yield self.tx

    deps = Slow()
    asked_at = []

    async def balance() -> Decimal:
        asked_at.append(deps.now())
        return ZERO

    deps.provider.balance = balance  # type: ignore[method-assign]
    await publish_day_statement(deps, day=YESTERDAY)
    assert [fact.closed_at for fact in deps.tx.facts if isinstance(fact, StatementClosed)] == asked_at


@given(
    start=st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2026, 6, 1)),  # noqa: DTZ001
    length=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=40)),
)
def test_windows_cover_every_moment_of_a_gap_and_overlap(start: datetime, length: timedelta) -> None:
    opens = start.replace(tzinfo=UTC)
    end = opens + length
    walked = list(windows(opens, end=end))
    assert bool(walked) == (length > timedelta(0))
    for earlier, later in pairwise(walked):
        assert later[0] == earlier[1] - OVERLAP
    assert all(closes - begins <= WINDOW for begins, closes in walked)
    if walked:
        assert (walked[0][0], walked[-1][1]) == (opens, end)
