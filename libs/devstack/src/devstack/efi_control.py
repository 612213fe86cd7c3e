"""The simulator's control door, and who its charges belong to, for `ibora efi listen` and `trigger`."""

import argparse
from decimal import Decimal
from typing import Any

import httpx

from devstack import stack
from devstack.console import folder_of
from kernel.money import money

TIMEOUT_S = 10


class NotDone(Exception):
    """The bank or the gateway said no; the message says why."""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--control", metavar="URL", help="another simulator's control door than the stack's")


def reais(text: str) -> Decimal:
    """An amount as people type it, with a comma or a point. ValueError for anything that cannot be paid."""
    amount = money(text.replace(",", "."))
    if amount <= 0:
        raise ValueError(f"not a payable amount: {text}")
    return amount


def control_url(options: argparse.Namespace) -> str:
    """Of the simulator that is meant; NotRunning when there is no stack and no `--control`."""
    return str(options.control or stack.described(folder_of(options))["efi"]["control"])


class Control:
    """Orders to the bank, and what it knows. NotDone when it refuses."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def order(self, door: str, **body: Any) -> dict[str, Any]:
        wanted = {name: value for name, value in body.items() if value is not None}
        return _answer(await self._client.post(f"/_control/{door}", json=wanted))

    async def state(self) -> dict[str, Any]:
        return _answer(await self._client.get("/_control/state"))


async def txid_of_ride(gateway: httpx.AsyncClient, ride_id: str, *, admin: dict[str, str]) -> str:
    """The txid of a ride's payment, asked as the stack's first admin. NotDone when it has none yet."""
    session = _answer(await gateway.post("/v1/auth/login", json=admin))
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    payment = _answer(await gateway.get(f"/v1/rides/{ride_id}/payment", headers=headers))
    if not payment.get("pix"):
        raise NotDone(f"ride {ride_id} has no Pix charge yet")
    return str(payment["pix"]["txid"])


def _answer(response: httpx.Response) -> dict[str, Any]:
    if response.status_code >= httpx.codes.BAD_REQUEST:
        raise NotDone(f"{response.status_code} {response.text}")
    answer: dict[str, Any] = response.json()
    return answer
