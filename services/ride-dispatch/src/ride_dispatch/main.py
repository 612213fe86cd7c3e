"""The only wiring place: `ride-dispatch api | worker | all | migrate | rebuild`."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final, cast

from fastapi import FastAPI

import messaging
import telemetry
import web
from contracts.identity import VehicleCategory
from contracts.topics import PROFILES
from kernel.clock import Clock, SystemClock
from ride_dispatch import consumers, jobs
from ride_dispatch.adapters.accept_lock import ValkeyAcceptLock
from ride_dispatch.adapters.geo_index import ValkeyGeoIndex
from ride_dispatch.adapters.positions import PositionBuffer
from ride_dispatch.adapters.transaction import DispatchTransaction
from ride_dispatch.adapters.valkey_link import ValkeyLink
from ride_dispatch.api import drivers, driving, rides
from ride_dispatch.domain.fare import Tariff
from ride_dispatch.domain.location import LocationPolicy
from ride_dispatch.domain.search import SearchPolicy
from ride_dispatch.effects.dispatch_due import dispatch_due
from ride_dispatch.effects.flush_positions import flush_positions
from ride_dispatch.effects.rebuild_index import rebuild_index
from ride_dispatch.ports import Deps
from ride_dispatch.settings import Settings
from storage import Database, migrations

SERVICE: Final = "ride-dispatch"
TITLE: Final = "Ibora ride dispatch"
FOLDER: Final = Path(__file__).resolve().parents[2]
ROUTERS: Final = (rides.router, driving.router, drivers.router)


def describe() -> FastAPI:
    """The HTTP door with nothing behind it: what `make schemas` reads."""
    return web.create_app(service=SERVICE, title=TITLE, settings=web.WebSettings(), routers=ROUTERS)


def build(
    settings: Settings,
    *,
    mode: web.Mode,
    clock: Clock | None = None,
    verifier: web.TokenVerifier | None = None,
) -> FastAPI:
    """The process: `api` serves HTTP, `worker` runs relay, consumers and jobs, `all` does both."""
    clock = clock or SystemClock()
    database = Database(settings, service=SERVICE, make=DispatchTransaction, clock=clock)
    link = ValkeyLink(settings.valkey_url)
    beacon = messaging.LossyProducer(settings)
    bell = jobs.Bell()
    deps = wire(settings, database=database, link=link, beacon=beacon, bell=bell, clock=clock)
    background: list[web.Background] = [web.Closing(database.dispose), web.Closing(link.close), beacon]
    checks = {"postgres": database.ready}
    if mode != "api":
        worker = _worker(settings, database=database, deps=deps, clock=clock)
        background.append(worker)
        checks["kafka"] = worker.ready
    background += _loops(settings, deps=deps, bell=bell)
    return web.create_app(
        service=SERVICE,
        title=TITLE,
        settings=settings,
        routers=() if mode == "worker" else ROUTERS,
        deps=deps,
        verifier=verifier,
        background=background,
        checks=checks,
    )


def wire(
    settings: Settings,
    *,
    database: Database[DispatchTransaction],
    link: ValkeyLink,
    beacon: messaging.LossyProducer,
    bell: jobs.Bell,
    clock: Clock,
) -> Deps:
    """Everything that doors and effects work with."""
    return Deps(
        transaction=database.transaction,
        reading=database.reading,
        clock=clock,
        index=ValkeyGeoIndex(link, fresh_s=settings.presence_ttl_s),
        accept_lock=ValkeyAcceptLock(link),
        beacon=beacon,
        trails=PositionBuffer(),
        nudge=bell.ring,
        search=search_policy(settings),
        tariffs=tariffs(settings),
        points=location_policy(settings),
        quote_ttl_s=settings.quote_ttl_s,
        unpaid_ride_blocks=settings.unpaid_ride_blocks,
    )


def search_policy(settings: Settings) -> SearchPolicy:
    return SearchPolicy(
        offer_ttl_s=settings.offer_ttl_s,
        wave_size=settings.wave_size,
        wave_interval_s=settings.wave_interval_s,
        radius_m=settings.radius_m,
        radius_step_m=settings.radius_step_m,
        max_radius_m=max(settings.radius_m, settings.max_radius_m),
        search_ttl_s=settings.search_ttl_s,
        inflight_cap=settings.inflight_cap,
        offer_min_s=settings.offer_min_s,
        fresh_s=settings.presence_ttl_s,
    )


def tariffs(settings: Settings) -> Mapping[VehicleCategory, Tariff]:
    return {
        category: Tariff(
            base=price.base,
            per_km=price.per_km,
            per_minute=price.per_minute,
            minimum=price.minimum,
            commission_bps=settings.commission_bps,
            surge=settings.surge,
            road_factor=settings.road_factor,
            cruise_mps=settings.cruise_mps,
            path_floor=settings.path_floor,
            path_ceiling=settings.path_ceiling,
            path_slack_m=settings.path_slack_m,
            time_ceiling=settings.time_ceiling,
            time_slack_s=settings.time_slack_s,
        )
        for category, price in settings.prices.items()
    }


def location_policy(settings: Settings) -> LocationPolicy:
    return LocationPolicy(
        max_accuracy_m=settings.location_max_accuracy_m,
        max_age_s=settings.location_max_age_s,
        min_interval_s=settings.location_min_interval_s,
        max_speed_mps=settings.location_max_speed_mps,
    )


def _worker(
    settings: Settings, *, database: Database[DispatchTransaction], deps: Deps, clock: Clock
) -> messaging.Worker[DispatchTransaction]:
    keeping = jobs.Housekeeping(
        location_retention_days=settings.location_retention_days,
        partitions_ahead_days=settings.partitions_ahead_days,
        idempotency_retention_days=settings.idempotency_retention_days,
        silent_s=settings.silent_driver_s,
    )
    return messaging.Worker(
        database=database,
        settings=settings,
        service=SERVICE,
        handlers=consumers.handlers(deps.search),
        streams=consumers.streams(deps),
        jobs=jobs.timetable(deps, keeping),
        clock=clock,
    )


def _loops(settings: Settings, *, deps: Deps, bell: jobs.Bell) -> list[web.Background]:
    """What every process does: the dispatcher (woken by this process's own requests, so that a first wave
    needs no other process), the write-behind of positions, and the gauges of its /metrics."""
    return [
        jobs.Loop("dispatch", partial(dispatch_due, deps), every_s=settings.dispatch_poll_s, bell=bell),
        jobs.Loop(
            "flush_positions",
            partial(flush_positions, deps),
            every_s=settings.location_flush_s,
            once_more=True,
        ),
        jobs.Loop("gauges", partial(jobs.refresh_gauges, deps), every_s=settings.gauges_every_s),
    ]


def _serve(mode: web.Mode) -> None:
    settings = Settings()
    telemetry.configure(SERVICE, settings)
    web.serve(build(settings, mode=mode), settings)


def _migrate() -> None:
    migrations.run(FOLDER, Settings())


def _rebuild() -> None:
    settings = Settings()
    telemetry.configure(SERVICE, settings)
    asyncio.run(rebuild(settings))


async def rebuild(settings: Settings) -> None:
    """Read the profiles again from the start of their topic, then fill the geo index."""
    database = Database(settings, service=SERVICE, make=DispatchTransaction)
    link = ValkeyLink(settings.valkey_url)
    deps = wire(
        settings,
        database=database,
        link=link,
        beacon=messaging.LossyProducer(settings),
        bell=jobs.Bell(),
        clock=SystemClock(),
    )
    handler = cast(messaging.Handler, partial(consumers.on_profile, policy=deps.search))
    try:
        await messaging.rebuild(settings, service=SERVICE, topic=PROFILES, handler=handler, database=database)
        await rebuild_index(deps)
    finally:
        await link.close()
        await database.dispose()


cli = web.service_cli(SERVICE, serve=_serve, migrate=_migrate, rebuild=_rebuild)
