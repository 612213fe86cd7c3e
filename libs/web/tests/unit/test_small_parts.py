"""Keys, secrets, commands and waiting."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from web_samples import client_of, make_app, passenger

import web
from kernel.refusals import Invalid, NotFound, NotYetKnown
from web.idempotency import request_fingerprint
from web.unavailable import is_unavailable
from web.validation import pointer_to


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("abc", "abc"),
        ('"abc"', "abc"),
        ("  abc ", "abc"),
        ('"a b"', "a b"),
        ("x" * 255, "x" * 255),
        ('a"', 'a"'),
    ],
)
async def test_a_key_is_taken_bare_or_quoted(sent: str, key: str) -> None:
    async with client_of(make_app()) as client:
        response = await client.post("/keyed", headers={**passenger(), "Idempotency-Key": sent})

    assert response.json() == {"key": key}


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": ""}, {"Idempotency-Key": '""'}])
async def test_a_missing_key_is_400(headers: dict[str, str]) -> None:
    async with client_of(make_app()) as client:
        response = await client.post("/keyed", headers={**passenger(), **headers})

    assert (response.status_code, response.json()["code"]) == (400, "idempotency_key_required")


@pytest.mark.parametrize("key", ["x" * 256, "é", "a\x7fb"])
async def test_a_senseless_key_is_422(key: str) -> None:
    async with client_of(make_app()) as client:
        response = await client.post(
            "/keyed", headers=[*encoded(passenger()), (b"Idempotency-Key", key.encode())]
        )

    assert response.status_code == 422


def encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


@given(st.text())
def test_a_key_is_printable_ascii_or_refused(text: str) -> None:
    try:
        key = web.clean_key(text)
    except (Invalid, web.IdempotencyKeyRequired):
        return
    assert key.isascii()
    assert 1 <= len(key) <= 255


async def fingerprint(body: bytes, *, method: str = "POST", path: str = "/rides") -> bytes:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return await request_fingerprint(
        Request({"type": "http", "method": method, "path": path, "headers": []}, receive)
    )


async def test_a_fingerprint_is_of_the_request_not_of_its_spelling() -> None:
    first = await fingerprint(b'{"a": 1, "b": "\\u00e9"}')

    assert first == await fingerprint('{"b":"é","a":1}'.encode())
    assert first != await fingerprint(b'{"a": 2, "b": "\\u00e9"}')
    assert first != await fingerprint(b'{"a": 1, "b": "\\u00e9"}', path="/payouts")
    assert first != await fingerprint(b'{"a": 1, "b": "\\u00e9"}', method="PUT")
    assert await fingerprint(b"") != await fingerprint(b"null")
    assert await fingerprint(b"{") != await fingerprint(b"[")


def test_a_secret_is_read_again_when_its_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("first\n")
    secret = web.SecretFile(path)
    assert secret.value() == "first"

    renewed = tmp_path / "renewed"
    renewed.write_text("second")
    renewed.replace(path)

    assert secret.value() == "second"
    assert web.read_secret(path) == "second"
    assert "second" not in repr(secret)


def test_an_empty_or_missing_secret_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(ValueError, match="empty"):
        web.read_secret(tmp_path / "empty")
    with pytest.raises(FileNotFoundError):
        web.read_secret(tmp_path / "missing")


@pytest.mark.parametrize(
    ("arguments", "code", "ran"),
    [
        (["api"], 0, ["api"]),
        (["fail"], 3, ["fail"]),
        ([], 2, []),
        (["nope"], 2, []),
        (["api", "x"], 2, []),
        (["-h"], 0, []),
    ],
)
def test_a_command_line_runs_the_one_command_it_names(
    arguments: list[str], code: int, ran: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    diary: list[str] = []

    def api() -> None:
        diary.append("api")

    def fail() -> int:
        diary.append("fail")
        return 3

    run = web.cli("ride-dispatch", {"api": api, "fail": fail}, arguments=lambda: arguments)

    assert run() == code
    assert diary == ran
    captured = capsys.readouterr()
    if not ran:
        assert "usage: ride-dispatch api | fail" in captured.out + captured.err


@pytest.mark.parametrize(
    ("command", "code", "did"),
    [
        ("api", 0, "serve api"),
        ("worker", 0, "serve worker"),
        ("all", 0, "serve all"),
        ("migrate", 0, "migrate"),
        ("rebuild", 0, "rebuild"),
        ("verify", 1, "verify"),
    ],
)
def test_every_service_has_the_same_commands_and_its_own(command: str, code: int, did: str) -> None:
    diary: list[str] = []

    def verify() -> int:
        diary.append("verify")
        return 1

    run = web.service_cli(
        "ledger",
        serve=lambda mode: diary.append(f"serve {mode}"),
        migrate=lambda: diary.append("migrate"),
        rebuild=lambda: diary.append("rebuild"),
        more={"verify": verify},
        arguments=lambda: [command],
    )

    assert run() == code
    assert diary == [did]


def test_a_service_without_a_projection_says_that_there_is_nothing_to_rebuild(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = web.service_cli(
        "payout", serve=lambda mode: None, migrate=lambda: None, arguments=lambda: ["rebuild"]
    )

    assert run() == 0
    assert "nothing to rebuild" in capsys.readouterr().out


async def test_waiting_ends_when_the_fact_arrives() -> None:
    reads = 0

    async def read() -> str | None:
        nonlocal reads
        reads += 1
        return "known" if reads == 3 else None

    assert await web.wait_until_known(read) == "known"


async def test_waiting_gives_up_in_time_and_says_when_to_come_back() -> None:
    async def read() -> str | None:
        return None

    loop = asyncio.get_running_loop()
    started = loop.time()
    with pytest.raises(NotYetKnown) as refused:
        await web.wait_until_known(read, timeout_s=0.1)

    assert loop.time() - started < 0.5
    assert refused.value.retry_after_s == 1


def test_not_found_unless() -> None:
    web.not_found_unless(object())
    with pytest.raises(NotFound):
        web.not_found_unless(None)


@pytest.mark.parametrize(
    ("location", "pointer"),
    [
        (("body",), ""),
        (("body", "a", 0, "b"), "/a/0/b"),
        (("query", "limit"), "/query/limit"),
        (("body", "a/b~c"), "/a~1b~0c"),
        (("body", "x" * 1000), "/" + "x" * 199),
    ],
)
def test_pointers_follow_rfc_6901(location: tuple[str | int, ...], pointer: str) -> None:
    assert pointer_to(location) == pointer


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (ConnectionRefusedError(), True),
        (TimeoutError(), True),
        (KeyError(), False),
        (asyncpg.ConnectionDoesNotExistError("gone"), True),
        (asyncpg.InterfaceError("connection is closed"), True),
        (asyncpg.AdminShutdownError("57P01"), True),
        (asyncpg.DeadlockDetectedError("40P01"), True),
        (asyncpg.DataError("not a number"), False),
        (asyncpg.UniqueViolationError("23505"), False),
    ],
)
def test_what_is_away_is_told_from_a_bug(error: Exception, away: bool) -> None:
    assert is_unavailable(error) is away
