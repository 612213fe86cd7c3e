"""The clockwork settles what is due and the courier carries notices as the mode says."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest
from simulator_fakes import KEY, RecordingPost, StillClock, bank, keep_nothing, send

from efi_simulator.domain.bank import Bank
from efi_simulator.domain.modes import Mode, WebhookMode
from efi_simulator.domain.nouns import Notice, NoticeKind, SendStatus
from efi_simulator.domain.receiving import receive_pix
from efi_simulator.jobs import DUPLICATES, Clockwork, Courier
from testkit import eventually


def notice(name: str) -> Notice:
    return Notice(key=KEY, kind=NoticeKind.RECEIVED, item={"name": name})


@dataclass
class Round:
    """A courier whose waits end when the test says so."""

    post: RecordingPost = field(default_factory=RecordingPost)
    mode: Mode[WebhookMode] = field(default_factory=lambda: Mode(WebhookMode))
    waits: list[float] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await self.over.wait()

    def courier(self) -> Courier:
        return Courier(
            self.post, url_of=lambda _: "https://x.invalid", mode=self.mode, minute_s=1, sleep=self.sleep
        )

    def names(self) -> list[str]:
        return [item["name"] for item in self.post.items()]


@pytest.fixture
async def carried() -> AsyncIterator[tuple[Round, Courier]]:
    here = Round()
    courier = here.courier()
    yield here, courier
    await courier.stop()


async def test_a_notice_is_carried(carried: tuple[Round, Courier]) -> None:
    here, courier = carried
    courier.carry(notice("a"))
    await eventually(lambda: here.names() == ["a"])


async def test_a_dropped_notice_never_arrives_and_the_next_does(carried: tuple[Round, Courier]) -> None:
    here, courier = carried
    here.mode.set(WebhookMode.DROP, count=2)
    for name in "abc":
        courier.carry(notice(name))
    await eventually(lambda: here.names() == ["c"])


async def test_a_duplicated_notice_arrives_three_times(carried: tuple[Round, Courier]) -> None:
    here, courier = carried
    here.mode.set(WebhookMode.DUPLICATE, count=1)
    courier.carry(notice("a"))
    courier.carry(notice("b"))
    await eventually(lambda: sorted(here.names()) == ["a"] * DUPLICATES + ["b"])


async def test_a_delayed_notice_waits_as_long_as_it_was_told(carried: tuple[Round, Courier]) -> None:
    here, courier = carried
    here.mode.set(WebhookMode.DELAY, count=1, delay_ms=2500)
    courier.carry(notice("a"))
    courier.carry(notice("b"))
    await eventually(lambda: here.names() == ["b"] and here.waits == [2.5])
    here.over.set()
    await eventually(lambda: here.names() == ["b", "a"])


async def test_reordered_notices_arrive_last_first(carried: tuple[Round, Courier]) -> None:
    here, courier = carried
    here.mode.set(WebhookMode.REORDER, count=3)
    for name in "abc":
        courier.carry(notice(name))
    await eventually(lambda: here.names() == ["c", "b", "a"])


async def test_held_notices_go_out_when_the_mode_is_replaced(carried: tuple[Round, Courier]) -> None:
    here, courier = carried
    here.mode.set(WebhookMode.REORDER, count=5)
    courier.carry(notice("a"))
    courier.carry(notice("b"))
    here.mode.set(WebhookMode.DELIVER, count=1)
    courier.release_if_over()
    await eventually(lambda: here.names() == ["b", "a"])


async def test_held_notices_go_out_after_a_while_in_any_case(carried: tuple[Round, Courier]) -> None:
    here, courier = carried
    here.mode.set(WebhookMode.REORDER, count=5, delay_ms=400)
    courier.carry(notice("a"))
    await eventually(lambda: here.waits == [0.4])
    here.over.set()
    await eventually(lambda: here.names() == ["a"])


async def test_what_cannot_be_delivered_is_given_up_without_harm(carried: tuple[Round, Courier]) -> None:
    here, courier = carried
    here.over.set()
    here.post.statuses = [500] * 10
    courier.carry(notice("a"))
    courier.carry(notice("b"))
    await eventually(lambda: here.names().count("b") >= 1 and len(here.waits) >= 9)


@dataclass
class Machine:
    bank: Bank
    clock: StillClock
    round: Round
    clockwork: Clockwork


@pytest.fixture
async def machine() -> AsyncIterator[Machine]:
    clock, here, books = StillClock(), Round(), bank()
    books.rules.settles_after = timedelta(hours=1)
    clockwork = Clockwork(books, courier=here.courier(), clock=clock, keep=keep_nothing)
    await clockwork.start()
    yield Machine(books, clock, here, clockwork)
    await clockwork.stop()


async def test_a_woken_clockwork_carries_what_the_bank_has_to_tell(machine: Machine) -> None:
    receive_pix(machine.bank, txid=None, amount=Decimal("1.00"), payer_cpf=None, now=machine.clock.now())
    machine.clockwork.wake()
    await eventually(lambda: len(machine.round.post.items()) == 1)


async def test_nothing_settles_before_its_time(machine: Machine) -> None:
    send(machine.bank)
    machine.clock.advance(3599)
    await machine.clockwork.turn()
    assert machine.bank.sends["envio1"].status is SendStatus.PROCESSING
    machine.clock.advance(1)
    machine.clockwork.wake()
    await eventually(lambda: machine.bank.sends["envio1"].status is SendStatus.DONE)


async def test_a_clockwork_that_stopped_by_itself_is_unhealthy(machine: Machine) -> None:
    assert machine.clockwork.unhealthy() is None
    machine.bank.later("nonsense", now=machine.clock.now() - timedelta(hours=2))  # type: ignore[arg-type]
    machine.clockwork.wake()
    await eventually(lambda: machine.clockwork.unhealthy() == "the clockwork stopped")


async def test_a_clockwork_that_never_started_stops_in_peace() -> None:
    clockwork = Clockwork(bank(), courier=Round().courier(), clock=StillClock(), keep=keep_nothing)
    await clockwork.stop()
    assert clockwork.unhealthy() is None
