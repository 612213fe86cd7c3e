"""`ibora efi …`: ask Efí, or its simulator, by hand, as the running stack's account or the environment's."""

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from devstack.efi_account import NoAccount, client_of

if TYPE_CHECKING:
    from efi import EfiClient

ONE_REAL: Final = Decimal("1.00")
Ask = Callable[["EfiClient", argparse.Namespace], Awaitable[str]]


def add_commands(parser: argparse.ArgumentParser) -> None:
    from devstack import efi_control, efi_listen, efi_trigger

    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    webhook = commands.add_parser("register-webhook", help="tell Efí where its webhooks go")
    webhook.add_argument("url", nargs="?", help="the stack's own payment service by default")
    webhook.add_argument("--url", dest="url_option", metavar="URL", help="the same")
    webhook.add_argument("--key", help="on this Pix key; the account's EFI_PIX_KEY by default")
    webhook.add_argument("--skip-mtls", action="store_true", help="have Efí not check the URL's mutual TLS")
    webhook.set_defaults(run=_asking(_register_webhook))
    commands.add_parser("balance", help="the account's balance").set_defaults(run=_asking(_balance))
    charge = commands.add_parser("charge", help="make a charge, or show one")
    charge.add_argument(
        "amount", nargs="?", type=efi_control.reais, help="in reais, such as 25.50; makes a new charge"
    )
    charge.add_argument("--txid", help="show this one")
    charge.set_defaults(run=_asking(_charge))
    efi_listen.add_commands(
        commands.add_parser("listen", help="print the simulator's webhooks as they go out")
    )
    efi_trigger.add_commands(commands.add_parser("trigger", help="make something happen at the simulator"))


def _asking(ask: Ask) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        from devstack.console import say
        from efi import EfiError, EfiRefused

        try:
            say(asyncio.run(_with_client(ask, options)))
        except EfiRefused as refused:
            say(f"✗ Efí: {refused.detail} ({refused.name})")
            return 1
        except (EfiError, NoAccount) as error:
            say(f"✗ {error}")
            return 1
        return 0

    return run


async def _with_client(ask: Ask, options: argparse.Namespace) -> str:
    async with client_of(options) as client:
        return await ask(client, options)


async def _register_webhook(client: "EfiClient", options: argparse.Namespace) -> str:
    url = options.url_option or options.url or os.environ.get("WEBHOOK_URL")
    if not url:
        raise NoAccount("where to? give --url or set WEBHOOK_URL")
    await client.register_webhook(url, key=options.key, skip_mtls=options.skip_mtls)
    return f"webhooks go to {url}"


async def _balance(client: "EfiClient", _options: argparse.Namespace) -> str:
    return f"R$ {await client.balance():.2f}"


async def _charge(client: "EfiClient", options: argparse.Namespace) -> str:
    if options.txid:
        charge = await client.get_charge(options.txid)
    else:
        amount = options.amount or ONE_REAL
        charge = await client.create_charge(uuid4().hex, amount=amount, expires_s=3600, message=None)
    return f"{charge.txid}  {charge.status}  R$ {charge.amount:.2f}\n{charge.copy_paste}"
