"""A small app with every kind of route, and a client that talks to it in process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import httpx
from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import Field

import web
from kernel.refusals import NotFound, NotYetKnown, Refusal
from testkit.tokens import Tokens

TOKENS = Tokens()
OWNED = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
router = APIRouter()


class ThingIsTaken(Refusal):
    """Somebody was faster."""

    code = "thing_is_taken"
    pt = "Essa coisa já foi."
    en = "That thing is gone."


class MakeThing(web.Body):
    """A request with one field of each kind."""

    lat: float = Field(ge=-90, le=90)
    amount: web.MoneyIn
    name: Annotated[str, Field(max_length=20)] = "x"
    tags: tuple[str, ...] = ()


class ThingView(web.View):
    """A response."""

    id: UUID
    amount: str


async def owned(request: Request) -> None:
    """The object is another's unless its id is OWNED."""
    await web.authenticate(request)
    web.not_found_unless(request.path_params["thing_id"] == str(OWNED))


@router.post(
    "/things/{thing_id}",
    responses=web.errors(ThingIsTaken, NotFound),
    dependencies=[Depends(web.before_body(owned))],
)
async def make_thing(thing_id: UUID, body: MakeThing, principal: web.PassengerOnly) -> ThingView:
    """Make it, unless it is called "taken"."""
    if body.name == "taken":
        raise ThingIsTaken("for the log only")
    return ThingView(id=thing_id, amount=f"{body.amount:.2f}")


@router.get("/things/{thing_id}")
async def get_thing(thing_id: UUID) -> ThingView:
    """For anyone."""
    return ThingView(id=thing_id, amount="1.00")


@router.get("/things", response_model=web.Page[ThingView])
async def list_things(
    limit: web.Limit, cursor: web.Cursor, _user: web.AnyUser, name: str = ""
) -> dict[str, Any]:
    """A list of nothing that still reads its cursor."""
    web.decode_cursor(cursor)
    rows: Sequence[ThingView] = []
    return web.page(rows, limit=limit, cursor_of=lambda row: (row.amount, row.id))


@router.post("/keyed")
async def use_key(key: web.IdempotencyKey, _user: web.AnyUser) -> dict[str, str]:
    """Echo the key."""
    return {"key": key}


@router.post("/echo")
async def echo_body(request: Request) -> dict[str, Any]:
    """Echo the JSON that the app understood."""
    return {"value": await request.json()}


@router.get("/boom")
async def explode() -> None:
    """A bug."""
    raise RuntimeError("SELECT s3cr3t FROM users -- /srv/app.py")


@router.get("/away")
async def need_what_is_away() -> None:
    """A dependency is away."""
    raise ConnectionRefusedError("10.0.0.1:5432")


@router.get("/early")
async def ask_too_early() -> None:
    """A fact is missing."""
    raise NotYetKnown


@router.get("/limited")
async def be_limited() -> None:
    """Too often."""
    raise web.RateLimited(retry_after_s=7)


@router.get("/admin")
async def administer(admin: web.AdminOnly, request: Request) -> dict[str, str | None]:
    """Say who it is."""
    actor = web.actor(request, admin)
    return {"ip": actor.ip_address, "agent": actor.user_agent, "request_id": actor.request_id}


@router.get("/internal/secrets")
async def read_internals() -> dict[str, str]:
    """Not for the public."""
    return {}


def make_app(**options: Any) -> FastAPI:
    """The sample app; `settings` and whatever else create_app takes can be given."""
    given: dict[str, Any] = {
        "service": "sample",
        "title": "Sample",
        "settings": web.WebSettings(),
        "routers": [router],
        "verifier": TOKENS.verifier(),
    }
    return web.create_app(**(given | options))


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client in the same process; an exception that escapes the app fails the test."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sample") as client:
        yield client


def passenger(user_id: UUID = OWNED) -> dict[str, str]:
    """Headers of a signed-in passenger."""
    return TOKENS.headers(user_id, "passenger")
