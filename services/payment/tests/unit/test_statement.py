"""The bank's statement of a day: which movements are on it, and that it is published once."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from payment_fakes import FakeDeps

import efi
from contracts.payment import StatementClosed, StatementLine, StatementLineKind
from efi.wire import EnviadoWire
from kernel.money import ZERO
from payment.adapters.efi_statement import received_movements, sent_movements
from payment.domain.provider import ProviderUnclear
from payment.domain.statement import Movement, due_day, line_of
from payment.effects.publish_statement import publish_statement
from payment.usecases.store_statement import store_statement

YESTERDAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


def a_movement(*, line_id: str = "received:E1", occurred_at: datetime = NOON) -> Movement:
    return Movement(
        line_id=line_id,
        kind=StatementLineKind.PIX_RECEIVED,
        amount=Decimal("50.00"),
        occurred_at=occurred_at,
        e2e_id="E1",
    )


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (datetime(2026, 11, 24, 12, 0, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 24, 3, 29, tzinfo=UTC), date(2026, 11, 22)),
        (datetime(2026, 11, 24, 3, 30, tzinfo=UTC), date(2026, 11, 23)),
    ],
)
def test_a_day_is_complete_half_an_hour_after_its_end_in_sao_paulo(now: datetime, day: date) -> None:
    assert due_day(now) == day


@pytest.mark.parametrize(
    ("occurred_at", "inside"),
    [
        (datetime(2026, 11, 23, 3, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 24, 2, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 23, 2, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 24, 3, 0, tzinfo=UTC), False),
    ],
)
def test_a_movement_is_on_the_statement_of_its_own_day(occurred_at: datetime, inside: bool) -> None:
    assert (line_of(a_movement(occurred_at=occurred_at), day=YESTERDAY) is not None) is inside


async def test_a_statement_is_published_once() -> None:
    deps = FakeDeps()
    deps.provider.moved = [a_movement(), a_movement(line_id="old", occurred_at=NOON - timedelta(days=2))]
    assert await publish_statement(deps) == 1
    assert await publish_statement(deps) == 0
    assert await store_statement(deps.tx, day=YESTERDAY, movements=[a_movement()], now=NOON) is None
    line, closed = deps.tx.facts
    assert isinstance(line, StatementLine)
    assert isinstance(closed, StatementClosed)
    assert (closed.lines, closed.came_in, closed.went_out, closed.key()) == (1, line.amount, ZERO, line.key())
    assert (line.day, line.amount, line.line_id) == ("2026-11-23", Decimal("50.00"), "received:E1")


async def test_a_statement_waits_for_the_bank() -> None:
    deps = FakeDeps()
    deps.provider.failing = ProviderUnclear("down")
    assert await publish_statement(deps) == 0
    deps.provider.failing = None
    deps.provider.moved = [a_movement()]
    assert await publish_statement(deps) == 1


def test_a_received_pix_moves_its_amount_its_fee_and_what_was_given_back() -> None:
    refund = efi.Refund(
        refund_id="r1",
        return_id="D1",
        amount=Decimal("20.00"),
        status=efi.RefundStatus.DONE,
        settled_at=NOON,
    )
    open_refund = efi.Refund(
        refund_id="r2", return_id=None, amount=Decimal("1.00"), status=efi.RefundStatus.PROCESSING
    )
    pix = efi.ReceivedPix(
        e2e_id="E1",
        txid="t",
        key=None,
        amount=Decimal("50.00"),
        paid_at=NOON,
        fee=Decimal("0.60"),
        refunds=(refund, open_refund),
    )
    moved = [(m.line_id, m.amount) for m in received_movements(pix)]
    assert moved == [
        ("received:E1", Decimal("50.00")),
        ("fee:E1", Decimal("-0.60")),
        ("refund:E1:r1", Decimal("-20.00")),
    ]


@pytest.mark.parametrize("status", list(efi.SendStatus))
def test_only_a_transfer_that_went_through_moves_money(status: efi.SendStatus) -> None:
    back = efi.Return(return_id=None, amount=Decimal("2.00"), status=efi.RefundStatus.DONE)
    sent = efi.Send(
        id_envio="i1",
        e2e_id="E2",
        status=status,
        amount=Decimal("4.00"),
        fee=Decimal("0.10"),
        returns=(back, back),
        settled_at=NOON,
    )
    moved = {m.line_id: m.amount for m in sent_movements(sent)}
    done = status is efi.SendStatus.DONE
    assert moved == (
        {
            "sent:i1": Decimal("-4.00"),
            "fee:i1": Decimal("-0.10"),
            "return:E2:0": Decimal("2.00"),
            "return:E2:1": Decimal("2.00"),
        }
        if done
        else {}
    )


def a_send(*returns: dict[str, str]) -> efi.Send:
    """As Efí's JSON tells it, with these `devolucoes`."""
    done = {"status": "DEVOLVIDO", "horario": {"liquidacao": NOON.isoformat()}}
    sent = {"idEnvio": "i1", "endToEndId": "E2", "valor": "9.00", "status": "REALIZADO"}
    times = {"horario": {"liquidacao": NOON.isoformat()}}
    return EnviadoWire.model_validate(sent | times | {"devolucoes": [one | done for one in returns]}).send()


def returns_of(send: efi.Send) -> dict[str, tuple[Decimal, str | None]]:
    backs = [m for m in sent_movements(send) if m.kind is StatementLineKind.RETURN_RECEIVED]
    return {m.line_id: (m.amount, m.return_id) for m in backs}


def test_a_return_is_the_same_line_before_and_after_its_rtr_id_is_told() -> None:
    """Whatever stands before it in the list: else one return would be a line too many and one that is missing."""
    first, second = {"id": "a1", "valor": "2.00"}, {"id": "b2", "valor": "2.00"}
    early = returns_of(a_send(second))
    late = returns_of(a_send(first | {"rtrId": "D1"}, second | {"rtrId": "D2"}))
    assert early == {"return:E2:b2": (Decimal("2.00"), None)}
    assert late == {"return:E2:a1": (Decimal("2.00"), "D1"), "return:E2:b2": (Decimal("2.00"), "D2")}


def test_a_refund_is_the_same_line_before_and_after_its_rtr_id_is_told() -> None:
    def line(return_id: str | None) -> tuple[str, str | None]:
        refund = efi.Refund(
            refund_id="r1",
            return_id=return_id,
            amount=Decimal("20.00"),
            status=efi.RefundStatus.DONE,
            settled_at=NOON,
        )
        pix = efi.ReceivedPix(
            e2e_id="E1", txid="t", key=None, amount=Decimal("50.00"), paid_at=NOON, refunds=(refund,)
        )
        _, moved = received_movements(pix)
        return moved.line_id, moved.return_id

    assert (line(None), line("D1")) == (("refund:E1:r1", None), ("refund:E1:r1", "D1"))
