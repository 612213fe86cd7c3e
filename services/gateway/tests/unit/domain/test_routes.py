"""The route table: what is public, where it goes, and nothing else."""

import json
import re
from pathlib import Path

import pytest

from gateway.domain.routes import ROUTES, Table, WrongMethod

ROOT = Path(__file__).parents[5]
CONTRACT = ROOT / "docs" / "api.md"
PUBLISHED = ROOT / "schemas" / "openapi" / "public.json"
IDENTIFIER = "01a20cd1-0049-7497-a306-6aaa2fdd5a9d"


def contract_calls() -> set[tuple[str, str]]:
    """Every call of the contract's table, as method and path."""
    calls: set[tuple[str, str]] = set()
    for line in CONTRACT.read_text().splitlines():
        if not line.startswith("| `") or "never through the gateway" in line:
            continue
        method, last = "", ""
        for text in re.findall(r"`([^`]+)`", line.split(" | ")[0]):
            method, path = text.split() if " " in text else (method, text)
            # "`POST /rides/{id}/arrive` · `/start`": a short form replaces the last part.
            whole = path if path.count("/") > 1 or not last else last.rpartition("/")[0] + path
            calls.add((method, whole))
            last = whole
    return {call for call in calls if call[0] in {"GET", "POST", "PUT"}}


def shape(path: str) -> str:
    return re.sub(r"\{\w+\}", "{id}", path.removeprefix("/v1"))


def test_the_table_is_the_contracts() -> None:
    calls = contract_calls()
    assert len(calls) > 35
    assert {(route.method, route.path) for route in ROUTES} == calls


def test_the_table_agrees_with_what_the_services_publish() -> None:
    published = {
        (method.upper(), shape(path)): (operation["x-ibora-service"], "security" in operation)
        for path, item in json.loads(PUBLISHED.read_text())["paths"].items()
        for method, operation in item.items()
    }
    ours = {(route.method, route.path): (route.service, route.protected) for route in ROUTES}
    assert {call: ours.get(call) for call in published} == published


@pytest.mark.parametrize("prefix", ["", "/v1"])
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_found_with_and_without_its_version(route: object, prefix: str) -> None:
    path = route.path.replace("{id}", IDENTIFIER)  # type: ignore[attr-defined]
    found = Table().find(route.method, prefix + path)  # type: ignore[attr-defined]
    assert found is not None
    assert (found.route, found.path) == (route, path)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nothing",
        "/v1",
        "/v1/",
        "/v1/v1/me",
        "/v2/me",
        "/me/",
        "//me",
        "/internal/revocations",
        f"/internal/drivers/{IDENTIFIER}/bank-details",
        "/webhooks/efi",
        "/webhooks/efi/pix",
        "/v1/metrics",
        "/v1/health",
        "/rides/../internal/revocations",
        "/rides/..",
        "/rides/.",
        "/rides/a.b",
        "/rides/a%2fb",
        "/rides/a b",
        "/rides/",
        "/rides/é",
        f"/rides/{'a' * 129}",
        f"/rides/{IDENTIFIER}/",
        f"/rides/{IDENTIFIER}\n",
        "/admin/users",
    ],
)
def test_nothing_else_is_public(path: str) -> None:
    assert Table().find("GET", path) is None


def test_a_wrong_method_says_which_are_right() -> None:
    with pytest.raises(WrongMethod) as refused:
        Table().find("DELETE", "/payouts")
    assert refused.value.allowed == ("GET", "POST")


def test_a_fixed_path_wins_over_an_id() -> None:
    found = Table().find("GET", "/rides/active")
    assert found is not None
    assert found.route.path == "/rides/active"


def test_only_accepting_is_scarce() -> None:
    assert [route.path for route in ROUTES if route.scarce] == ["/rides/{id}/accept"]


def test_only_the_allow_list_is_open_to_anyone() -> None:
    assert {route.path for route in ROUTES if not route.protected} == {
        "/auth/register",
        "/auth/login",
        "/auth/refresh",
        "/.well-known/jwks.json",
    }
