"""Only the gateway can tell an address, an agent or a request id."""

from pathlib import Path
from typing import Any

import pytest
from web_samples import OWNED, TOKENS, client_of, make_app

import web

SECRET = "a-long-shared-secret"
TOLD = {
    "X-Ibora-Client-Address": "203.0.113.7",
    "X-Ibora-Client-Agent": "Ibora/1.0 (Android)",
    "X-Request-Id": "req-0123456789",
}
ADMIN = TOKENS.headers(OWNED, "admin")


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    path = tmp_path / "gateway-token"
    path.write_text(f"{SECRET}\n")
    return path


async def ask(secret_file: Path | None, headers: Any) -> dict[str, Any]:
    app = make_app(settings=web.WebSettings(gateway_token_file=secret_file))
    async with client_of(app) as client:
        response = await client.get("/admin", headers=headers)
        answer: dict[str, Any] = response.json()
        assert response.headers["x-request-id"] == answer["request_id"]
        return answer


async def test_the_gateway_is_believed(secret_file: Path) -> None:
    answer = await ask(secret_file, {**ADMIN, **TOLD, "X-Ibora-Gateway": SECRET})

    assert answer == {"ip": "203.0.113.7", "agent": "Ibora/1.0 (Android)", "request_id": "req-0123456789"}


@pytest.mark.parametrize("sent", [None, "", "wrong", SECRET[:-1], f"{SECRET}x", "é"])
async def test_anyone_else_is_not(secret_file: Path, sent: str | None) -> None:
    proof = {} if sent is None else {"X-Ibora-Gateway": sent.encode()}

    answer = await ask(secret_file, {**ADMIN, **TOLD, **proof})

    assert (answer["ip"], answer["agent"]) == (None, None)
    assert answer["request_id"] != "req-0123456789"


async def test_two_proofs_are_no_proof(secret_file: Path) -> None:
    headers = [*ADMIN.items(), *TOLD.items(), ("X-Ibora-Gateway", SECRET), ("X-Ibora-Gateway", SECRET)]

    assert (await ask(secret_file, headers))["ip"] is None


async def test_without_a_configured_secret_nobody_is_the_gateway(tmp_path: Path) -> None:
    for file in (None, tmp_path / "missing"):
        answer = await ask(file, {**ADMIN, **TOLD, "X-Ibora-Gateway": ""})
        assert answer["ip"] is None


async def test_a_rotated_secret_is_read_again(secret_file: Path) -> None:
    app = make_app(settings=web.WebSettings(gateway_token_file=secret_file))
    async with client_of(app) as client:
        headers = {**ADMIN, **TOLD, "X-Ibora-Gateway": "the-new-secret"}
        before = (await client.get("/admin", headers=headers)).json()
        secret_file.write_text("the-new-secret")
        after = (await client.get("/admin", headers=headers)).json()

    assert (before["ip"], after["ip"]) == (None, "203.0.113.7")


@pytest.mark.parametrize(
    ("header", "value", "field", "seen"),
    [
        ("X-Ibora-Client-Address", "203.0.113.7, 10.0.0.1", "ip", None),
        ("X-Ibora-Client-Address", "<script>", "ip", None),
        ("X-Ibora-Client-Address", "2001:DB8::1", "ip", "2001:db8::1"),
        ("X-Ibora-Client-Agent", "x" * 5000, "agent", "x" * 300),
        ("X-Ibora-Client-Agent", "", "agent", None),
    ],
)
async def test_what_the_gateway_tells_is_still_looked_at(
    secret_file: Path, header: str, value: str, field: str, seen: str | None
) -> None:
    answer = await ask(secret_file, {**ADMIN, "X-Ibora-Gateway": SECRET, header: value})

    assert answer[field] == seen


@pytest.mark.parametrize(
    "request_id", ["short", "x" * 65, "has space in it", "new\tline-0000", "52998224725;--"]
)
async def test_a_malformed_request_id_is_replaced(secret_file: Path, request_id: str) -> None:
    answer = await ask(secret_file, {**ADMIN, "X-Ibora-Gateway": SECRET, "X-Request-Id": request_id})

    assert answer["request_id"] != request_id
