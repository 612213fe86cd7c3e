"""One trace follows one tap from the gateway through outbox and Kafka to the socket, and betrays nobody."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from secrets import token_hex
from typing import Any, Final
from uuid import UUID

import pytest
import websockets

from journeys.collector import Collector, Told
from journeys.conftest import Until, World
from simulator.actors import Driver, Person
from simulator.api import Answer, new_key

PRECISE: Final = re.compile(r"-?\d{1,3}\.\d{4,}")


def a_tap() -> tuple[str, str, dict[str, str]]:
    """A trace id, the id of the app's own span, and the header that names both."""
    trace_id, span_id = token_hex(16), token_hex(8)
    return trace_id, span_id, {"traceparent": f"00-{trace_id}-{span_id}-01"}


async def tap(person: Person, path: str, *, headers: dict[str, str], body: Any = None) -> Answer:
    return await person.api.settled(
        "POST", path, token=person.token, body=body, key=new_key(), headers=headers
    )


def one(spans: Iterable[Told], *, service: str, kind: str, name: str) -> Told:
    fitting = [span for span in spans if (span.service, span.kind, span.name) == (service, kind, name)]
    assert fitting, f"{service} told no {kind} span {name!r}"
    return fitting[0]


async def arrived(until: Until, collector: Collector, trace_id: str, *wanted: tuple[str, str, str]) -> None:
    """Exporters send in batches: wait for (service, kind, name) of each, and for the relay's span."""

    async def all_here() -> bool:
        here = Counter((span.service, span.kind, span.name) for span in collector.of(trace_id))
        return here >= Counter(wanted) and bool(collector.linked_to(trace_id))

    try:
        await until(all_here)
    except TimeoutError:
        here = sorted((span.service, span.kind, span.name) for span in collector.of(trace_id))
        pytest.fail(f"of {wanted} and the relay's link, only {here} came")


async def test_a_request_is_traced_from_the_gateway_to_the_outbox(
    world: World, collector: Collector, until: Until
) -> None:
    passenger = await world.passenger()
    trace_id, app_span, headers = a_tap()

    (await tap(passenger, "/rides", headers=headers, body=world.trip())).expect(201)

    await arrived(
        until,
        collector,
        trace_id,
        ("gateway", "server", "POST /rides"),
        ("gateway", "client", "POST /rides"),
        ("ride-dispatch", "server", "POST /rides"),
    )
    spans = collector.of(trace_id)
    door = one(spans, service="gateway", kind="server", name="POST /rides")
    passing_on = one(spans, service="gateway", kind="client", name="POST /rides")
    serving = one(spans, service="ride-dispatch", kind="server", name="POST /rides")
    assert door.parent_id == app_span
    assert (passing_on.parent_id, serving.parent_id) == (door.span_id, passing_on.span_id)
    for span in (door, serving):
        assert {"http.route", "http.response.status_code", "201"} <= set(span.said)
    relaying = collector.linked_to(trace_id)
    assert {(span.service, span.kind, span.name) for span in relaying} == {
        ("ride-dispatch", "producer", "send outbox")
    }


async def test_one_trace_follows_one_tap_from_the_gateway_to_the_others_socket(
    world: World, stack_folder: Path, collector: Collector, until: Until
) -> None:
    passenger, driver = await world.passenger(), await world.driver()
    ride = await passenger.request_ride(world.trip())
    await driver.socket.wait("ride.offered", ride_id=ride["id"])
    trace_id, app_span, headers = a_tap()

    (await tap(driver, f"/rides/{ride['id']}/accept", headers=headers)).expect(200)
    frame = await passenger.socket.wait("ride.accepted", ride_id=ride["id"])

    hops = [
        ("gateway", "server", "POST /rides/{id}/accept"),
        ("gateway", "client", "POST /rides/{id}/accept"),
        ("ride-dispatch", "server", "POST /rides/{ride_id}/accept"),
        ("notification", "consumer", "process ibora.ride-dispatch.rides.v1"),
        ("notification", "producer", "send ride.accepted"),
    ]
    await arrived(until, collector, trace_id, *hops, hops[-1])
    spans = collector.of(trace_id)
    chain = [one(spans, service=service, kind=kind, name=name) for service, kind, name in hops]
    parents = [app_span, *(span.span_id for span in chain)]
    for span, parent in zip(chain, parents, strict=False):
        assert span.parent_id == parent, f"{span.service}'s {span.name!r} hangs elsewhere"
    sends = [span for span in spans if span.name == "send ride.accepted"]
    assert len(sends) == 2, "one for each party's socket"
    assert {send.parent_id for send in sends} == {chain[3].span_id}
    assert set(frame) == {"type", "id", "occurred_at", "data", "offset"}
    assert trace_id not in str([*passenger.socket.frames, *driver.socket.frames])
    for service in ("gateway", "ride-dispatch"):
        lines = logged(stack_folder, service=service, trace_id=trace_id)
        assert [line["status"] for line in lines if line["event"] == "http_request"] == [200]


def logged(stack_folder: Path, *, service: str, trace_id: str) -> list[dict[str, Any]]:
    text = (stack_folder / "logs" / f"{service}.log").read_text()
    return [json.loads(line) for line in text.splitlines() if trace_id in line and line.startswith("{")]


async def test_no_span_of_the_session_betrays_anybody(
    world: World, everybody: list[Person], collector: Collector, until: Until
) -> None:
    passenger, driver = await world.passenger(), await world.driver()
    ticket = (await passenger.post("/ws/tickets")).expect(201).body
    async with websockets.connect(ticket["url"]) as connection:
        await connection.recv()
    await world.api.call("GET", f"/ws/{ticket['ticket']}?cpf={passenger.registration['cpf']}")
    await world.api.call("GET", f"/nowhere/{passenger.token}?email={passenger.registration['email']}")
    await world.paid(passenger, driver)
    await until(lambda: has_money(driver))
    trace_id, _, headers = a_tap()
    amount = (await driver.balance())["available"]
    (await tap(driver, "/payouts", headers=headers, body={"amount": amount})).expect(201)
    await arrived(until, collector, trace_id, ("payout", "server", "POST /payouts"))

    said = {text for span in list(collector.spans) for text in span.said}
    people = [*everybody, passenger, driver]
    secrets = {secret for person in people for secret in secrets_of(person)} | {ticket["ticket"]}
    ids = {text for text in said if looks_like_id(text)}
    assert ids.isdisjoint(secrets)
    prose = "\n".join(said - ids)
    assert [secret for secret in secrets if secret in prose] == []
    assert PRECISE.findall(prose) == []
    assert {"POST /auth/login", "POST /ws/tickets"} <= {span.name for span in list(collector.spans)}
    assert not [span.name for span in list(collector.spans) if span.name.endswith("/ws/{token}")]


async def has_money(driver: Driver) -> bool:
    return Decimal((await driver.balance())["available"]) > 0


def secrets_of(person: Person) -> Iterable[str]:
    """Whatever a person would not like to find in somebody's tracing tool."""
    registration = person.registration
    for name in ("email", "password", "cpf", "cnh_number", "pix_key", "full_name"):
        if name in registration:
            yield registration[name]
    cpf = registration["cpf"]
    yield f"{cpf[:3]}.{cpf[3:6]}.{cpf[6:9]}-{cpf[9:]}"
    yield registration["phone"][3:]
    if "vehicle" in registration:
        yield registration["vehicle"]["license_plate"]
    yield from (token for token in (person.token, person.refresh_token) if token)


def looks_like_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return "-" in text
