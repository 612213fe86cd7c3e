"""Every fault of the campaign. A fault is over when it returns; the system has to recover by itself from then on."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from valkey.asyncio import Valkey

from faults.scene import Scene, until
from proof.evidence import query

Fault = Callable[[Scene], Awaitable[None]]

WEBHOOK_MODES: Final = ("drop", "duplicate", "reorder", "delay")
SEND_MODES: Final = ("timeout_before", "timeout_after", "error_500", "reject_later", "return_later", "reject")
API_DELAY_MS: Final = 1500
BANK_OUTAGE_S: Final = 5.0
MANY: Final = 100_000

STORED_WEBHOOK_SQL = "SELECT 1 FROM webhook_events WHERE NOT processed LIMIT 1"
OPEN_ATTEMPT_SQL = "SELECT 1 FROM payout_attempts WHERE outcome IS NULL LIMIT 1"


async def payment_killed_between_webhook_and_confirmation(scene: Scene) -> None:
    async with scene.locked("payment", "received_pix"):
        await until(partial(_exists, scene, "payment", STORED_WEBHOOK_SQL), what="a stored webhook")
        await scene.kill_only("payment")
    await scene.recovered()


async def payout_killed_while_efi_thinks(scene: Scene) -> None:
    """An attempt is on record and its send is on its way: nobody knows whether it will be made."""
    await scene.town.bank.api("slow", count=MANY, delay_ms=API_DELAY_MS)
    try:
        await until(partial(_exists, scene, "payout", OPEN_ATTEMPT_SQL), what="a send under way")
        await scene.kill("payout")
    finally:
        await scene.town.bank.api("ok")


async def payout_killed_after_the_send(scene: Scene) -> None:
    """Efí has made the send and has answered; the answer dies with the process that heard it."""
    await scene.town.bank.api("slow", count=MANY, delay_ms=API_DELAY_MS)
    try:
        await until(partial(_exists, scene, "payout", OPEN_ATTEMPT_SQL), what="a send under way")
        await scene.caught("payout", "payout_attempts")
    finally:
        await scene.town.bank.api("ok")


async def identity_killed_in_a_refresh(scene: Scene) -> None:
    """The sessions live on: a refresh whose answer was lost is repeated, a login works."""
    person = scene.town.passengers[0]
    refreshing = asyncio.create_task(person.refresh())
    async with scene.locked("identity", "refresh_tokens"):
        await scene.kill_only("identity")
    await scene.recovered()
    await refreshing
    await scene.town.passengers[1].log_in()


async def kafka_killed(scene: Scene) -> None:
    await scene.kill("kafka")


async def valkey_flushed(scene: Scene) -> None:
    async with Valkey.from_url(scene.stack.valkey) as client:
        await client.flushall()
    await scene.recovered()


async def bank_api(scene: Scene, *, mode: str) -> None:
    """Efí's whole API misbehaves for some seconds."""
    delay = {"delay_ms": API_DELAY_MS} if mode == "slow" else {}
    await scene.town.bank.api(mode, count=MANY, **delay)
    try:
        await asyncio.sleep(BANK_OUTAGE_S)  # the length of an outage, not a wait for something
    finally:
        await scene.town.bank.api("ok")


async def webhooks_at_random(scene: Scene) -> None:
    """Ten payments, each with another fate of its webhook."""
    for _ in range(10):
        mode = scene.random.choice(WEBHOOK_MODES)
        before = len(scene.town.paid)
        await scene.town.bank.webhooks(mode, count=scene.random.randint(1, 4), delay_ms=700)
        await until(partial(_paid_more, scene, before), what=f"a payment in spite of {mode}")
    await scene.town.bank.webhooks("deliver")


async def sends_at_random(scene: Scene) -> None:
    """Each send meets another of Efí's moods."""
    for _ in range(6):
        mode = scene.random.choice(SEND_MODES)
        before = len((await scene.town.bank.state())["sends"])
        await scene.town.bank.sends(mode, count=scene.random.randint(1, 2))
        await until(partial(_sent_more, scene, before), what=f"another send in spite of {mode}")
    await scene.town.bank.sends("ok")


async def everything_at_random(scene: Scene) -> None:
    """Three processes die one after the other while webhooks are lost and sends time out."""
    await scene.town.bank.webhooks("drop", count=5)
    await scene.town.bank.sends("timeout_after", count=2)
    for name in scene.random.sample(sorted(scene.stack.pids.keys() - {"efi-simulator"}), k=3):
        await scene.kill(name)
    await scene.town.bank.webhooks("deliver")
    await scene.town.bank.sends("ok")


async def _exists(scene: Scene, service: str, sql: str) -> bool:
    return bool(await query(scene.stack, service, sql))


async def _paid_more(scene: Scene, before: int) -> bool:
    return len(scene.town.paid) > before


async def _sent_more(scene: Scene, before: int) -> bool:
    return len((await scene.town.bank.state())["sends"]) > before


def _kill(name: str, with_signal: int = signal.SIGKILL) -> Fault:
    return partial(Scene.kill, name=name, with_signal=with_signal)


def _caught(service: str, table: str) -> Fault:
    return partial(Scene.caught, service=service, table=table)


def _relay_killed(service: str) -> Fault:
    """The relay is part of its service's process: Kafka has the facts, the outbox has them still."""
    return partial(Scene.caught_after_the_ack, service=service)


POINTS: Final[Sequence[tuple[str, Fault]]] = (
    ("payment_killed_while_a_webhook_is_stored", _caught("payment", "webhook_events")),
    ("payment_killed_before_a_pix_counts", _caught("payment", "received_pix")),
    ("payment_killed_in_a_refund", _caught("payment", "refunds")),
    ("ledger_killed_in_a_batch", _caught("ledger", "journals")),
    ("ledger_killed_while_balances_change", _caught("ledger", "account_balances")),
    ("payout_killed_before_the_send_is_on_record", _caught("payout", "payout_attempts")),
    ("payout_killed_while_efi_thinks", payout_killed_while_efi_thinks),
    ("payout_killed_after_the_send", payout_killed_after_the_send),
    ("relay_of_payment_killed_after_the_ack", _relay_killed("payment")),
    ("relay_of_ledger_killed_after_the_ack", _relay_killed("ledger")),
    ("relay_of_payout_killed_after_the_ack", _relay_killed("payout")),
    ("relay_of_ride_dispatch_killed_after_the_ack", _relay_killed("ride-dispatch")),
    ("broker_killed", _kill("kafka")),
    ("postgres_killed", _kill("postgres")),
)
"""Where money is on its way: the named points at which the five hundred rides lose a process."""

VICTIMS: Final = ("payment", "ledger", "payout", "ride-dispatch", "kafka", "postgres")
"""Who may be killed at any moment."""


FAULTS: Final[Sequence[tuple[str, Fault]]] = (
    ("ride_dispatch_killed_in_an_accept", _caught("ride-dispatch", "ride_accept_attempts")),
    ("payment_killed_between_webhook_and_confirmation", payment_killed_between_webhook_and_confirmation),
    ("ledger_killed_in_a_batch", _caught("ledger", "journals")),
    ("payout_killed_while_efi_thinks", payout_killed_while_efi_thinks),
    ("payout_killed_after_the_send", payout_killed_after_the_send),
    ("notification_killed_while_it_writes", _caught("notification", "messages")),
    ("identity_killed_in_a_refresh", identity_killed_in_a_refresh),
    ("gateway_killed", _kill("gateway")),
    ("backoffice_killed", _kill("backoffice")),
    ("relay_killed_after_the_ack", _relay_killed("ledger")),
    ("kafka_killed", kafka_killed),
    ("valkey_flushed", valkey_flushed),
    ("valkey_killed", _kill("valkey")),
    ("postgres_stopped_fast", _kill("postgres", signal.SIGINT)),
    ("postgres_stopped_at_once", _kill("postgres", signal.SIGQUIT)),
    ("postgres_killed", _kill("postgres")),
    ("efi_down", partial(bank_api, mode="down")),
    ("efi_slow", partial(bank_api, mode="slow")),
    ("efi_failing", partial(bank_api, mode="error_500")),
    ("webhooks_at_random", webhooks_at_random),
    ("sends_at_random", sends_at_random),
    ("everything_at_random", everything_at_random),
)
