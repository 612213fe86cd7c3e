"""How soon a webhook is stored and answered, and how soon a Pix is posted and its ride PAID, at a steady pace.

Every latency counts from the moment that the schedule had planned, whatever became of the ones before: a
system that stalls is not asked less often.
"""

import asyncio
import json
import os
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.request import urlopen
from uuid import uuid4

import aiohttp
import asyncpg
from aiokafka import AIOKafkaConsumer

from contracts.ledger import LedgerPosted
from contracts.ride_dispatch import RidePaid
from devstack import ports, processes
from devstack.files import read_json
from devstack.manifest import BY_NAME
from devstack.supervisor import service_command
from load.figure import Figure, percentile
from load.journey import Town, populate
from proof.evidence import query
from simulator.actors import Passenger
from simulator.bank import Bank
from simulator.stack import Stack

WEBHOOKS_PER_S = 200.0
WEBHOOKS = 1_200
WEBHOOK_P99_MS = 250.0
KEPT_CONNECTIONS = 32
BANK_AT_ONCE = 16
STAND_BACK = 10

STATIC_TXID = "balcao"

CONFIRMS_PER_S = 20.0
CONFIRM_P99_MS = 2_000.0
PASSENGERS, RIDES_EACH, DRIVERS = 40, 6, 40
READY_S = 240.0
POSTED_S = 120.0

STORED_SQL = "SELECT count(*) AS stored FROM webhook_events WHERE e2e_id = ANY($1::text[])"
OUTCOMES_SQL = """
SELECT count(*) FILTER (WHERE processed) AS processed, count(*) FILTER (WHERE outcome = 'held') AS held
FROM webhook_events WHERE e2e_id = ANY($1::text[])
"""
POSTED_SQL = "SELECT count(*) AS posted FROM financial_events WHERE external_id = ANY($1::text[])"


async def webhooks(stack: Stack) -> list[Figure]:
    """200 webhooks a second through the mTLS listener of a `payment api`, over kept connections.

    Each speaks of a Pix that the bank has really received, so the stack's own payment process fetches it back
    and the ledger posts it while the next ones come in, as a worker does beside the `api` in production; the
    figure stands only if all are stored and, in the end, posted.
    """
    inserts = await _paced_inserts(stack)
    bank = Bank(stack.efi["control"])
    try:
        e2e_ids = await _received_untold(bank)
        with _listener(stack) as url:
            _give_way(stack)
            took = await _paced_webhooks(stack, e2e_ids, url=url)
        await bank.webhooks("deliver")
    finally:
        await bank.close()
    await _all_posted(stack, e2e_ids)
    p99_ms = percentile(took, 0.99) * 1000
    return [
        Figure(
            name="payment.webhook_p99_ms",
            value=p99_ms,
            unit="ms",
            yardstick="target",
            yardstick_value=WEBHOOK_P99_MS,
        ),
        Figure(
            name="payment.webhook_over_insert",
            value=p99_ms,
            unit="ms",
            yardstick="one INSERT, p99 at that pace",
            yardstick_value=percentile(inserts, 0.99) * 1000,
        ),
    ]


async def confirmations(stack: Stack) -> list[Figure]:
    """20 Pix a second, from the payer's order to the ledger's journal and the ride's PAID in Kafka."""
    town = await populate(stack, seed=29, passengers=PASSENGERS, drivers=DRIVERS)
    try:
        async with asyncio.timeout(READY_S):
            charges = await _unpaid_rides(town)
        async with asyncio.timeout(POSTED_S + len(charges) / CONFIRMS_PER_S):
            took = await _paced_payments(stack, town.bank, charges)
    finally:
        await town.close()
    return [
        Figure(
            name="payment.confirm_p99_ms",
            value=percentile(took, 0.99) * 1000,
            unit="ms",
            yardstick="target",
            yardstick_value=CONFIRM_P99_MS,
        ),
        Figure(
            name="payment.confirm_p50_ms",
            value=percentile(took, 0.50) * 1000,
            unit="ms",
            yardstick="target",
            yardstick_value=CONFIRM_P99_MS,
        ),
    ]


async def paced(work: Callable[[int], Awaitable[None]], *, count: int, per_s: float) -> list[float]:
    """`work(0)`, `work(1)`, … each at its planned time; seconds from there to its end."""
    began = perf_counter() + 0.05

    async def one(number: int) -> float:
        planned = began + number / per_s
        await asyncio.sleep(max(planned - perf_counter(), 0.0))
        await work(number)
        return perf_counter() - planned

    return list(await asyncio.gather(*(one(number) for number in range(count))))


async def _paced_inserts(stack: Stack) -> list[float]:
    """What the same Postgres needs for one row and its commit, at the same pace, in a table of ours."""
    pool = await asyncpg.create_pool(stack.database("payment"), min_size=5, max_size=5)
    try:
        await pool.execute("CREATE TABLE IF NOT EXISTS bench_inserts (id uuid PRIMARY KEY, body jsonb)")

        async def insert(_: int) -> None:
            await pool.execute("INSERT INTO bench_inserts VALUES ($1, $2)", uuid4(), '{"valor": "1.00"}')

        return await paced(insert, count=WEBHOOKS // 2, per_s=WEBHOOKS_PER_S)
    finally:
        await pool.execute("DROP TABLE IF EXISTS bench_inserts")
        await pool.close()


async def _received_untold(bank: Bank) -> list[str]:
    """Pix that the bank has received and keeps to itself: we bring their webhooks."""
    await bank.webhooks("drop", count=WEBHOOKS)
    turn = asyncio.Semaphore(BANK_AT_ONCE)

    async def one() -> str:
        async with turn:
            return await bank.receive("1.00", txid=STATIC_TXID)

    return list(await asyncio.gather(*(one() for _ in range(WEBHOOKS))))


@contextmanager
def _listener(stack: Stack) -> Iterator[str]:
    """A `payment api` process of its own beside the stack's; answers where it listens for Efí."""
    environment: dict[str, str] = read_json(stack.folder / "services" / "payment.json")
    service, webhook = ports.free_port(), ports.free_port()
    environment |= {"SERVICE_PORT": str(service), "WEBHOOK_PORT": str(webhook)}
    log = stack.folder / "logs" / "payment-api.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            processes.leash(service_command(BY_NAME["payment"], "api")),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    ready = partial(_answers, f"http://127.0.0.1:{service}/ready")
    try:
        processes.wait_ready(process, ready, name="payment api", log=log, timeout_s=READY_S)
        yield f"https://localhost:{webhook}/webhooks/efi/pix"
    finally:
        processes.stop(process)


def _give_way(stack: Stack) -> None:
    """In production the door has processors of its own (a Deployment with its requests); here it shares two with
    everybody, so the stack's services, and what they process meanwhile, stand back behind it."""
    for pid in stack.pids.values():
        with suppress(ProcessLookupError, FileNotFoundError):
            os.setpriority(os.PRIO_PROCESS, pid, STAND_BACK)
            # Linux weighs sessions first where it groups them, and each service is one (sched(7), autogroup).
            Path(f"/proc/{pid}/autogroup").write_text(str(STAND_BACK))


def _answers(url: str) -> bool:
    with suppress(OSError), urlopen(url, timeout=2) as response:
        return bool(response.status == 200)
    return False


async def _paced_webhooks(stack: Stack, e2e_ids: list[str], *, url: str) -> list[float]:
    connector = aiohttp.TCPConnector(limit=KEPT_CONNECTIONS, ssl=_as_efi(stack.certificates))
    async with aiohttp.ClientSession(connector=connector) as session:

        async def deliver(number: int) -> None:
            async with session.post(url, json=_told(e2e_ids[number])) as response:
                assert response.status == 200, f"a webhook was answered {response.status}"

        return await paced(deliver, count=len(e2e_ids), per_s=WEBHOOKS_PER_S)


def _as_efi(certificates: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certificates["ca"])
    context.load_cert_chain(certificates["webhook_client_cert"], certificates["webhook_client_key"])
    return context


def _told(e2e_id: str) -> dict[str, Any]:
    return {
        "pix": [
            {
                "endToEndId": e2e_id,
                "txid": STATIC_TXID,
                "valor": "1.00",
                "horario": datetime.now(UTC).isoformat(),
            }
        ]
    }


async def _all_posted(stack: Stack, e2e_ids: list[str]) -> None:
    """Raises when a webhook that was answered is not stored, not processed, or not in the ledger."""
    [row] = await query(stack, "payment", STORED_SQL, e2e_ids)
    assert row["stored"] == len(e2e_ids), f"{row['stored']} of {len(e2e_ids)} webhooks stored"
    async with asyncio.timeout(POSTED_S):
        while True:
            [told] = await query(stack, "payment", OUTCOMES_SQL, e2e_ids)
            [ledger] = await query(stack, "ledger", POSTED_SQL, e2e_ids)
            if told["processed"] == told["held"] == ledger["posted"] == len(e2e_ids):
                return
            await asyncio.sleep(0.25)


async def _unpaid_rides(town: Town) -> list[dict[str, Any]]:
    """The charges of rides that were driven and not yet paid."""

    async def rides(passenger: Passenger) -> list[dict[str, Any]]:
        return [await _driven(town, passenger) for _ in range(RIDES_EACH)]

    driven = await asyncio.gather(*(rides(passenger) for passenger in town.passengers))
    return [charge for charges in zip(*driven, strict=True) for charge in charges]


async def _driven(town: Town, passenger: Passenger) -> dict[str, Any]:
    """A search that found nobody is tried again."""
    while True:
        ride_id = (await passenger.request_ride(town.people.trip()))["id"]
        frame = await passenger.socket.wait(
            "payment.intent.created", "ride.no_driver_found", timeout_s=READY_S, ride_id=ride_id
        )
        if frame["type"] == "payment.intent.created":
            charge: dict[str, Any] = frame["data"]
            return charge


async def _paced_payments(stack: Stack, bank: Bank, charges: list[dict[str, Any]]) -> list[float]:
    async with _witnesses(stack) as seen:

        async def pay(number: int) -> None:
            charge = charges[number]
            await bank.pay(charge["txid"])
            await asyncio.gather(seen(charge["payment_id"]).wait(), seen(charge["ride_id"]).wait())

        return await paced(pay, count=len(charges), per_s=CONFIRMS_PER_S)


@asynccontextmanager
async def _witnesses(stack: Stack) -> AsyncIterator[Callable[[str], asyncio.Event]]:
    """Events that are set when Kafka shows a payment's journal, or a ride's end as PAID."""
    events: dict[str, asyncio.Event] = {}
    topics = (LedgerPosted.topic.name, RidePaid.topic.name)
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=stack.kafka, auto_offset_reset="latest")
    await consumer.start()
    await consumer.seek_to_end()

    def seen(name: str) -> asyncio.Event:
        return events.setdefault(name, asyncio.Event())

    async def listen() -> None:
        async for record in consumer:
            if name := _settled(dict(record.headers), record.value):
                seen(name).set()

    listening = asyncio.create_task(listen())
    try:
        yield seen
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await consumer.stop()


def _settled(headers: Mapping[str, bytes], value: bytes | None) -> str | None:
    """The payment that was posted or the ride that is PAID, if the record says either."""
    kind = headers.get("ce_type", b"").decode()
    if value is None or kind not in {LedgerPosted.type_name(), RidePaid.type_name()}:
        return None
    data = json.loads(value)
    if kind == RidePaid.type_name():
        return str(data["ride_id"])
    return str(data["entity_id"]) if data["event_type"] == "payment.confirmed" else None
