"""The same key does the work once and answers the same, on a real Postgres."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from sqlalchemy import text
from starlette.responses import Response
from web_samples import TOKENS, client_of, make_app

import web
from kernel.refusals import Invalid, NotYetKnown, Refusal
from storage import Database, DatabaseSettings, Transaction
from testkit.databases import DatabaseUrls

SAMPLE_SERVICE = Path(__file__).parents[1] / "sample_service"
USER = uuid4()


class TooExpensive(Refusal):
    """Final: asking again gives the same answer."""

    code = "too_expensive"
    status = 422


class Effect(web.Body):
    note: str
    amount: web.MoneyIn


class EffectView(web.View):
    id: int
    note: str


class Bench:
    """An app whose one route has an effect, and knobs for how the effect ends."""

    def __init__(self, database: Database[Transaction]) -> None:
        self.database = database
        self.entered = asyncio.Event()
        self.leave = asyncio.Event()
        self.leave.set()
        self.bug_once = False
        self.app = make_app(routers=[self._routes()], checks={"database": database.ready})

    def _routes(self) -> APIRouter:
        router = APIRouter()

        @router.post("/effects", status_code=201)
        async def make_effect(
            request: Request, body: Effect, key: web.IdempotencyKey, user: web.AnyUser
        ) -> Response:
            return await web.idempotent(
                request,
                transaction=self.database.transaction,
                principal=user,
                operation="make_effect",
                key=key,
                work=lambda tx: self._work(tx, body),
            )

        return router

    async def _work(self, tx: Transaction, body: Effect) -> EffectView | web.Reply | Refusal | None:
        row = await tx.session.execute(
            text("INSERT INTO effect (note) VALUES (:note) RETURNING id"), {"note": body.note}
        )
        view = EffectView(id=row.scalar_one(), note=body.note)
        self.entered.set()
        await self.leave.wait()
        if self.bug_once:
            self.bug_once = False
            raise RuntimeError("a bug")
        return self._outcome(body.note, view)

    def _outcome(self, note: str, view: EffectView) -> EffectView | web.Reply | Refusal | None:
        match note:
            case "raise final":
                raise TooExpensive
            case "raise passing":
                raise NotYetKnown
            case "raise limited":
                raise web.RateLimited
            case "return refusal":
                return TooExpensive()
            case "reply 200":
                return web.Reply(200, view)
            case "no content":
                return web.Reply(204, None)
        return view

    async def count(self) -> int:
        async with self.database.reading() as tx:
            return int((await tx.session.execute(text("SELECT count(*) FROM effect"))).scalar_one())


@pytest.fixture
async def bench(make_database: Callable[[Path], DatabaseUrls]) -> AsyncIterator[Bench]:
    urls = make_database(SAMPLE_SERVICE)
    settings = DatabaseSettings(database_url=urls.app_url, database_pool_size=10, database_max_overflow=10)
    database = Database(settings, service="sample", make=Transaction)
    yield Bench(database)
    await database.dispose()


@pytest.fixture
async def client(bench: Bench) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(bench.app) as one:
        yield one


async def post(
    client: httpx.AsyncClient, note: str = "x", *, key: str = "k-1", user: UUID = USER, **more: Any
) -> httpx.Response:
    headers = {**TOKENS.headers(user, "driver"), "Idempotency-Key": key}
    return await client.post("/effects", headers=headers, json={"note": note, "amount": "1.00", **more})


async def test_a_repeat_gets_the_same_bytes_and_says_so(bench: Bench, client: httpx.AsyncClient) -> None:
    first = await post(client)
    again = await post(client)

    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert first.headers["content-type"] == again.headers["content-type"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert await bench.count() == 1


async def test_fifty_at_once_have_one_effect(bench: Bench, client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(post(client) for _ in range(50)))

    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {201, 409}
    assert await bench.count() == 1
    bodies = {answer.content for answer in answers if answer.status_code == 201}
    assert len(bodies) == 1
    fresh = [a for a in answers if a.status_code == 201 and "idempotency-replayed" not in a.headers]
    assert len(fresh) == 1
    for refused in (answer for answer in answers if answer.status_code == 409):
        assert refused.json()["code"] == "request_in_progress"
        assert refused.headers["retry-after"] == "1"


async def test_while_the_first_is_running_a_second_is_409(bench: Bench, client: httpx.AsyncClient) -> None:
    bench.leave.clear()
    first = asyncio.create_task(post(client))
    await bench.entered.wait()

    second = await post(client)
    other_key = asyncio.create_task(post(client, key="k-2"))
    bench.leave.set()

    assert (second.status_code, second.json()["code"]) == (409, "request_in_progress")
    assert (await first).status_code == (await other_key).status_code == 201
    assert (await post(client)).headers["idempotency-replayed"] == "true"
    assert await bench.count() == 2


async def test_another_request_under_the_same_key_is_422(bench: Bench, client: httpx.AsyncClient) -> None:
    await post(client)

    other = await post(client, "y")

    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await bench.count() == 1


async def test_the_spelling_of_the_json_does_not_matter(bench: Bench, client: httpx.AsyncClient) -> None:
    await post(client)
    headers = {
        **TOKENS.headers(USER, "driver"),
        "Idempotency-Key": '"k-1"',
        "content-type": "application/json",
    }

    again = await client.post("/effects", headers=headers, content=b'{ "amount" : "1.00",\n"note": "x"}')

    assert again.headers["idempotency-replayed"] == "true"


async def test_anothers_key_is_another_key(bench: Bench, client: httpx.AsyncClient) -> None:
    mine, theirs = await post(client), await post(client, user=uuid4())

    assert mine.status_code == theirs.status_code == 201
    assert mine.content != theirs.content
    assert await bench.count() == 2


async def test_a_final_refusal_is_rolled_back_and_remembered(bench: Bench, client: httpx.AsyncClient) -> None:
    first, again = await post(client, "raise final"), await post(client, "raise final")

    assert first.status_code == again.status_code == 422
    assert first.content == again.content
    assert first.headers["content-type"] == again.headers["content-type"] == "application/problem+json"
    assert again.headers["idempotency-replayed"] == "true"
    assert await bench.count() == 0


async def test_a_returned_refusal_keeps_its_writes(bench: Bench, client: httpx.AsyncClient) -> None:
    first, again = await post(client, "return refusal"), await post(client, "return refusal")

    assert first.status_code == again.status_code == 422
    assert first.content == again.content
    assert await bench.count() == 1


@pytest.mark.parametrize(("note", "status"), [("raise passing", 409), ("raise limited", 429)])
async def test_what_will_pass_is_not_remembered(
    bench: Bench, client: httpx.AsyncClient, note: str, status: int
) -> None:
    for _ in range(2):
        answer = await post(client, note)
        assert answer.status_code == status
        assert "idempotency-replayed" not in answer.headers
    assert await bench.count() == 0


async def test_after_a_bug_the_same_key_works(bench: Bench, client: httpx.AsyncClient) -> None:
    bench.bug_once = True

    assert (await post(client)).status_code == 500
    assert (await post(client)).status_code == 201
    assert await bench.count() == 1


@pytest.mark.parametrize(("note", "status"), [("reply 200", 200), ("no content", 204)])
async def test_an_answer_with_its_own_status_is_replayed_with_it(
    bench: Bench, client: httpx.AsyncClient, note: str, status: int
) -> None:
    first, again = await post(client, note), await post(client, note)

    assert first.status_code == again.status_code == status
    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    assert await bench.count() == 1


async def test_a_request_that_is_not_valid_does_not_use_up_its_key(
    bench: Bench, client: httpx.AsyncClient
) -> None:
    assert (await post(client, amount="x")).json()["code"] == Invalid.code

    assert (await post(client)).status_code == 201
    assert await bench.count() == 1


async def test_a_lost_database_is_503_and_unready(bench: Bench) -> None:
    settings = DatabaseSettings(database_url="postgresql+asyncpg://app:x@127.0.0.1:1/none")
    away: Database[Transaction] = Database(settings, service="sample", make=Transaction)
    app: FastAPI = Bench(away).app
    async with client_of(app) as client:
        answer = await post(client)
        ready = await client.get("/ready")
    await away.dispose()

    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    assert answer.headers["retry-after"] == "1"
    assert ready.status_code == 503
