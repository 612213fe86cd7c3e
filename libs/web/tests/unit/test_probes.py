"""Health, readiness, and what runs beside the requests."""

import asyncio

import pytest
from web_samples import TOKENS, client_of, make_app

import web
from web.background import cancel, start_all, stop_all


class Part:
    """A background part that writes down what happens to it."""

    def __init__(self, diary: list[str], name: str = "part", *, fails_at: str = "") -> None:
        self.diary = diary
        self.name = name
        self.fails_at = fails_at
        self.trouble: str | None = None

    async def start(self) -> None:
        self._note("start")

    async def stop(self) -> None:
        self._note("stop")

    def unhealthy(self) -> str | None:
        return self.trouble

    def _note(self, what: str) -> None:
        self.diary.append(f"{what} {self.name}")
        if self.fails_at == what:
            raise RuntimeError(what)


async def test_a_stuck_part_makes_the_process_unhealthy() -> None:
    part = Part([])
    async with client_of(make_app(background=[part])) as client:
        assert (await client.get("/health")).status_code == 200
        part.trouble = "no progress for 60 s"
        response = await client.get("/health")

    assert response.status_code == 503
    assert response.json()["parts"] == {"Part": "no progress for 60 s"}
    assert response.json()["code"] == "unhealthy"


async def test_readiness_follows_its_checks() -> None:
    broken = False

    async def database() -> None:
        if broken:
            raise ConnectionError("postgresql://app:s3cr3t@db/x")

    async with client_of(make_app(checks={"database": database})) as client:
        good = await client.get("/ready")
        broken = True
        bad = await client.get("/ready")

    assert (good.status_code, good.json()["checks"]) == (200, {"database": "ok"})
    assert (bad.status_code, bad.json()["parts"]) == (503, {"database": "ConnectionError"})
    assert "s3cr3t" not in bad.text


async def test_a_check_that_hangs_is_a_check_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.probes.CHECK_TIMEOUT_S", 0.02)

    async def hang() -> None:
        await asyncio.Event().wait()

    async with client_of(make_app(checks={"slow": hang})) as client:
        response = await client.get("/ready")

    assert response.json()["parts"] == {"slow": "TimeoutError"}


async def test_a_draining_process_is_alive_but_not_ready() -> None:
    app = make_app()
    app.state.draining = True
    async with client_of(app) as client:
        assert (await client.get("/ready")).json()["code"] == "draining"
        assert (await client.get("/health")).status_code == 200


async def test_the_lifespan_starts_and_stops_what_runs_beside_it() -> None:
    diary: list[str] = []
    app = make_app(background=[Part(diary, "a"), Part(diary, "b")])

    async with app.router.lifespan_context(app):
        assert diary == ["start a", "start b"]

    assert diary == ["start a", "start b", "stop b", "stop a"]
    assert app.state.draining


async def test_what_was_started_is_stopped_when_a_later_part_cannot_start() -> None:
    diary: list[str] = []

    with pytest.raises(RuntimeError):
        await start_all([Part(diary, "a"), Part(diary, "b", fails_at="start"), Part(diary, "c")])

    assert diary == ["start a", "start b", "stop a"]


async def test_a_part_that_cannot_stop_does_not_keep_the_others_running() -> None:
    diary: list[str] = []

    await stop_all([Part(diary, "a"), Part(diary, "b", fails_at="stop")])

    assert diary == ["stop b", "stop a"]


async def test_the_verifiers_revocations_run_with_the_app_once() -> None:
    revocations = web.Revocations()
    verifier = TOKENS.verifier(revocations=revocations)

    implied = make_app(verifier=verifier)
    given = make_app(verifier=verifier, background=[revocations])

    assert implied.state.background == [revocations]
    assert given.state.background == [revocations]


async def test_settings_alone_are_enough_for_a_verifier() -> None:
    app = make_app(verifier=None, settings=web.WebSettings(jwks_url="http://127.0.0.1:1/jwks.json"))

    async with app.router.lifespan_context(app), client_of(app) as client:
        response = await client.get("/admin", headers=TOKENS.headers("x", "admin"))

    assert response.status_code == 503


async def test_a_task_that_swallows_a_cancellation_is_cancelled_again() -> None:
    swallowed = asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)

    await cancel(task)

    assert swallowed.is_set()
    assert task.cancelled()
