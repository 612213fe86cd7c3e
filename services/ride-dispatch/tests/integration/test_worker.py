"""The worker on real Kafka: profiles and payments come in, rides and locations go out, time passes."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from dispatch_kafka import produce, read_until
from dispatch_stack import PAULISTA, OpenStack, Person, Stack, profile_of, running

from contracts.identity import ApprovalStatus, UserStatus, UserType, VehicleCategory
from contracts.payment import PaymentConfirmed, PaymentIntentCreated, PaymentRefunded
from contracts.ride_dispatch import DriverLocationUpdated
from contracts.topics import LOCATIONS, PROFILES, RIDES
from kernel.ids import new_id
from messaging import KafkaSettings
from ride_dispatch import main
from ride_dispatch.domain.place import Place, distance_m
from ride_dispatch.usecases.keep_partitions import keep_partitions
from testkit import DatabaseUrls, Tokens, eventually


@pytest.fixture
async def worker(
    kafka_settings: KafkaSettings,
    make_database: Callable[[str], DatabaseUrls],
    tokens: Tokens,
    valkey_url: str,
) -> AsyncIterator[Callable[..., Any]]:
    """`await worker(**settings)`: API and worker in one process; stopped before its topics are deleted."""
    async with AsyncExitStack() as stack:

        async def open_(**options: Any) -> Stack:
            service = await stack.enter_async_context(
                running(
                    urls=make_database("ride-dispatch"),
                    tokens=tokens,
                    valkey_url=valkey_url,
                    kafka=kafka_settings,
                    mode="all",
                    **options,
                )
            )

            async def ready() -> bool:
                return bool((await service.client.get("/ready")).status_code == 200)

            await eventually(ready, timeout_s=30, what="the worker has joined its group")
            return service

        yield open_


async def people(service: Stack, kafka: KafkaSettings) -> tuple[Person, Person]:
    """A passenger and an approved driver whom identity has told of."""
    passenger, driver = service.stranger("passenger"), service.stranger("driver")
    await produce(
        kafka,
        [profile_of(passenger.id, UserType.PASSENGER), profile_of(driver.id, UserType.DRIVER)],
        service="identity",
    )

    async def known() -> bool:
        return bool((await service.sql("SELECT count(*) AS n FROM profiles"))[0]["n"] == 2)

    await eventually(known, timeout_s=20, what="the profiles have arrived")
    return passenger, driver


async def driven_ride(passenger: Person, driver: Person) -> str:
    await driver.go_online()
    ride = await passenger.request_ride()
    await eventually(driver.offers)
    assert (await driver.accept(ride["id"])).status_code == 200
    for verb in ("arrive", "start"):
        assert (await driver.post(f"/rides/{ride['id']}/{verb}")).status_code == 200
    return str(ride["id"])


async def test_a_ride_is_told_and_paid_through_kafka(
    worker: Callable[..., Any], kafka_settings: KafkaSettings
) -> None:
    service = await worker()
    passenger, driver = await people(service, kafka_settings)
    ride_id = await driven_ride(passenger, driver)
    done = (await driver.post(f"/rides/{ride_id}/complete")).json()
    common = {
        "ride_id": ride_id,
        "payment_id": new_id(),
        "passenger_id": passenger.id,
        "driver_id": driver.id,
    }
    now = datetime.now(UTC)
    intent = PaymentIntentCreated(
        **common, amount=done["final_fare"], txid="t" * 26, pix_copy_paste="0002", expires_at=now
    )
    confirmed = PaymentConfirmed(
        **common,
        amount=done["final_fare"],
        commission="1.00",
        fee="0.00",
        txid="t" * 26,
        e2e_id="E1",
        paid_at=now,
        confirmed_at=now,
    )

    def refunded(*, full: bool) -> PaymentRefunded:
        return PaymentRefunded(
            **common,
            refund_id=new_id(),
            amount="1.00",
            total_refunded=done["final_fare"] if full else "1.00",
            payment_amount=done["final_fare"],
            commission="1.00",
            e2e_id="E1",
            return_id="D1",
            full=full,
            refunded_at=now,
        )

    async def is_now(status: str) -> bool:
        return bool((await passenger.ride(ride_id))["status"] == status)

    await produce(kafka_settings, [intent], service="payment")
    await eventually(lambda: is_now("PAYMENT_PENDING"))
    await produce(kafka_settings, [confirmed, intent, refunded(full=False)], service="payment")
    await eventually(lambda: is_now("PAID"))
    await produce(kafka_settings, [refunded(full=True)], service="payment")
    await eventually(lambda: is_now("REFUNDED"))

    told = [fact.fact for fact in await read_until(kafka_settings, RIDES, last="ride.refunded")]
    assert told == [
        "ride.requested",
        "ride.offered",
        "ride.accepted",
        "ride.driver_arrived",
        "ride.started",
        "ride.completed",
        "ride.payment_pending",
        "ride.paid",
        "ride.refunded",
    ]
    assert await service.sql("SELECT 1 FROM parked_event") == []


async def test_a_fare_follows_the_points_that_were_driven(
    worker: Callable[..., Any], kafka_settings: KafkaSettings
) -> None:
    service = await worker(location_max_speed_mps=1_000_000, location_min_interval_s=0)
    passenger, driver = await people(service, kafka_settings)
    ride_id = await driven_ride(passenger, driver)
    start = datetime.now(UTC)
    path = [(PAULISTA[0] - 0.002 * n, PAULISTA[1] - 0.001 * n) for n in range(21)]
    points = [
        {"lat": lat, "lon": lon, "recorded_at": (start + timedelta(milliseconds=10 * n)).isoformat()}
        for n, (lat, lon) in enumerate(path)
    ]
    sent = await driver.post(f"/drivers/{driver.id}/location", {"points": points})
    assert sent.json() == {"accepted": len(points)}

    async def end_of_trip() -> bool:
        return datetime.now(UTC) > start + timedelta(milliseconds=10 * len(path))

    await eventually(end_of_trip)
    done = (await driver.post(f"/rides/{ride_id}/complete", {"distance_m": 1})).json()

    [row] = await service.sql("SELECT distance_m FROM rides")
    places = [Place(lat=lat, lon=lon) for lat, lon in path]
    driven_m = sum(distance_m(a, b) for a, b in pairwise(places))
    assert row["distance_m"] == pytest.approx(driven_m, rel=0.01)
    tariff = service.deps.tariffs[VehicleCategory.STANDARD]
    assert Decimal(done["final_fare"]) == tariff.price(distance_m=row["distance_m"], duration_s=0)
    [history] = await service.sql("SELECT count(*) AS n FROM location_updates WHERE ride_id = $1", ride_id)
    assert history["n"] == len(points)


async def test_a_point_carries_the_ride_only_while_there_is_one(
    worker: Callable[..., Any], kafka_settings: KafkaSettings
) -> None:
    service = await worker(location_min_interval_s=0)
    passenger, driver = await people(service, kafka_settings)
    ride_id = await driven_ride(passenger, driver)
    here = {"lat": PAULISTA[0], "lon": PAULISTA[1]}
    on_ride = await driver.post(f"/drivers/{driver.id}/location", here)
    await driver.post(f"/rides/{ride_id}/complete")
    after = await driver.post(f"/drivers/{driver.id}/location", here | {"heading_deg": 90})
    assert on_ride.json() == after.json() == {"accepted": 1}

    async def stored() -> list[Any]:
        rows = await service.sql("SELECT ride_id FROM location_updates ORDER BY recorded_at")
        return rows if len(rows) == 3 else []

    rows = await eventually(stored)
    assert [row["ride_id"] and str(row["ride_id"]) for row in rows] == [None, ride_id, None]
    facts = await read_until(kafka_settings, LOCATIONS, last="driver.location.updated")
    assert isinstance(facts[0], DriverLocationUpdated)
    assert facts[0].passenger_id is None


async def test_an_unanswered_offer_expires_and_the_search_ends(
    worker: Callable[..., Any], kafka_settings: KafkaSettings
) -> None:
    service = await worker(offer_ttl_s=0.5, search_ttl_s=2.0, wave_interval_s=10.0)
    passenger, driver = await people(service, kafka_settings)
    await driver.go_online()

    ride = await passenger.request_ride()

    async def over() -> bool:
        return bool((await passenger.ride(ride["id"]))["status"] == "NO_DRIVER_FOUND")

    await eventually(over, timeout_s=20)
    told = [fact.fact for fact in await read_until(kafka_settings, RIDES, last="ride.no_driver_found")]
    assert told[:2] == ["ride.requested", "ride.offered"]
    assert set(told[2:-1]) <= {"offer.canceled", "ride.offered"}
    assert told.count("offer.canceled") == told.count("ride.offered")
    assert (await driver.accept(ride["id"])).json()["code"] == "ride_not_available"
    events = await service.sql("SELECT event FROM offer_history ORDER BY id LIMIT 2")
    assert [row["event"] for row in events] == ["OFFERED", "EXPIRED"]


async def test_a_ban_ends_what_has_not_started(
    worker: Callable[..., Any], kafka_settings: KafkaSettings
) -> None:
    service = await worker()
    passenger, driver = await people(service, kafka_settings)
    await driver.go_online()
    ride = await passenger.request_ride()
    await eventually(driver.offers)
    assert (await driver.accept(ride["id"])).status_code == 200

    banned = profile_of(driver.id, UserType.DRIVER, version=2, status=UserStatus.BANNED)
    await produce(kafka_settings, [banned], service="identity")

    async def searching_again() -> bool:
        return bool((await passenger.ride(ride["id"]))["status"] == "SEARCHING")

    await eventually(searching_again)
    [row] = await service.sql("SELECT online, status FROM driver_states WHERE driver_id = $1", driver.id)
    assert (row["online"], row["status"]) == (False, "offline")
    suspended = profile_of(passenger.id, UserType.PASSENGER, version=2, status=UserStatus.SUSPENDED)
    await produce(kafka_settings, [suspended], service="identity")

    async def canceled() -> bool:
        found = await passenger.ride(ride["id"])
        return bool(found["status"] == "CANCELED" and found["canceled_by"] == "system")

    await eventually(canceled)


async def test_an_older_profile_changes_nothing(
    worker: Callable[..., Any], kafka_settings: KafkaSettings
) -> None:
    service = await worker()
    driver = service.stranger("driver")
    newer = profile_of(driver.id, UserType.DRIVER, version=3)
    older = profile_of(driver.id, UserType.DRIVER, version=2, approval_status=ApprovalStatus.PENDING)
    newest = profile_of(driver.id, UserType.DRIVER, version=4, full_name="Rui Lima")

    await produce(kafka_settings, [newer, older, newest], service="identity")

    async def arrived() -> bool:
        rows = await service.sql("SELECT version FROM profiles")
        return bool(rows and rows[0]["version"] == 4)

    await eventually(arrived)
    assert (await driver.put(f"/drivers/{driver.id}/availability", {"online": True})).status_code == 200


async def test_a_projection_is_rebuilt_from_the_compacted_topic(
    kafka_settings: KafkaSettings, open_stack: OpenStack
) -> None:
    service: Stack = await open_stack(kafka=kafka_settings)
    drivers = [profile_of(new_id(), UserType.DRIVER) for _ in range(5)]
    assert drivers[0].topic is PROFILES
    await produce(kafka_settings, drivers, service="identity")

    await main.rebuild(service.settings)

    [row] = await service.sql("SELECT count(*) AS n FROM profiles")
    assert row["n"] == len(drivers)


async def test_partitions_are_made_ahead_and_old_ones_dropped(open_stack: OpenStack) -> None:
    service: Stack = await open_stack()
    in_a_month = service.deps.now() + timedelta(days=35)
    async with service.deps.transaction() as tx:
        await keep_partitions(tx, ahead_days=7, retention_days=30, now=in_a_month)

    rows = await service.sql(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'location_updates'::regclass"
    )
    names = {row["relname"] for row in rows}
    assert f"location_updates_{(in_a_month + timedelta(days=7)):%Y%m%d}" in names
    assert min(names) >= f"location_updates_{(in_a_month - timedelta(days=30)):%Y%m%d}"


async def test_the_gauges_show_what_goes_on(open_stack: OpenStack) -> None:
    service: Stack = await open_stack(gauges_every_s=0.05)
    passenger = await service.passenger()
    await service.driver_online()
    await passenger.request_ride(category="xl")

    async def shown() -> bool:
        text = (await service.client.get("/metrics")).text
        lines = ("active_rides 1.0", "drivers_online 1.0", "drivers_available 1.0")
        return all(line in text for line in lines) and 'rides_created_total{category="xl"}' in text

    await eventually(shown)


async def test_a_worker_serves_health_and_stops_when_told(
    kafka_settings: KafkaSettings, open_stack: OpenStack
) -> None:
    service: Stack = await open_stack(mode="worker", kafka=kafka_settings)

    assert (await service.client.get("/health")).status_code == 200
    assert (await service.client.get("/rides/active")).status_code == 404
