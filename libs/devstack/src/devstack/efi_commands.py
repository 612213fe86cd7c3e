"""`ibora efi …`: ask Efí, or its simulator, by hand, as the running stack's account or the environment's."""

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from efi import EfiClient

Ask = Callable[["EfiClient", argparse.Namespace], Awaitable[str]]


def add_commands(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    webhook = commands.add_parser("register-webhook", help="tell Efí where its webhooks go")
    webhook.add_argument("url", nargs="?", help="the stack's own payment service by default")
    webhook.set_defaults(run=_asking(_register_webhook))
    commands.add_parser("balance", help="the account's balance").set_defaults(run=_asking(_balance))
    charge = commands.add_parser("charge", help="make a charge, or show one")
    charge.add_argument("amount", nargs="?", help="in reais, such as 25.50; makes a new charge")
    charge.add_argument("--txid", help="show this one")
    charge.set_defaults(run=_asking(_charge))


def _asking(ask: Ask) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        from devstack.console import folder_of, say
        from efi import EfiError

        _borrow_environment(folder_of(options))
        try:
            say(asyncio.run(_with_client(ask, options)))
        except EfiError as error:
            say(f"✗ {error}")
            return 1
        return 0

    return run


def _borrow_environment(folder: Path) -> None:
    """Settings that the shell has not set come from the stack's payment service."""
    from devstack.files import read_json

    for name, value in (read_json(folder / "services" / "payment.json") or {}).items():
        if name.startswith("EFI_") or name == "WEBHOOK_URL":
            os.environ.setdefault(name, value)


async def _with_client(ask: Ask, options: argparse.Namespace) -> str:
    from efi import EfiClient, EfiSettings
    from kernel.clock import SystemClock

    client = EfiClient(EfiSettings(), clock=SystemClock())
    try:
        return await ask(client, options)
    finally:
        await client.aclose()


async def _register_webhook(client: "EfiClient", options: argparse.Namespace) -> str:
    url = options.url or os.environ["WEBHOOK_URL"]
    await client.register_webhook(url)
    return f"webhooks go to {url}"


async def _balance(client: "EfiClient", _options: argparse.Namespace) -> str:
    return f"R$ {await client.balance():.2f}"


async def _charge(client: "EfiClient", options: argparse.Namespace) -> str:
    if options.txid:
        charge = await client.get_charge(options.txid)
    else:
        amount = Decimal(options.amount or "1.00")
        charge = await client.create_charge(uuid4().hex, amount=amount, expires_s=3600, message=None)
    return f"{charge.txid}  {charge.status}  R$ {charge.amount:.2f}\n{charge.copy_paste}"
