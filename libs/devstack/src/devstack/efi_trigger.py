"""`ibora efi trigger EVENT`: make something happen at the simulated bank."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

import httpx

from devstack import stack
from devstack.console import folder_of, say
from devstack.efi_account import NoAccount, client_of
from devstack.efi_control import (
    TIMEOUT_S,
    Control,
    NotDone,
    add_options,
    control_url,
    reais,
    txid_of_ride,
)

DEFAULT_AMOUNT: Final = Decimal("25.00")
ONE_REAL: Final = Decimal("1.00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line asks for. `charge` makes a new charge and tells its txid."""

    control: Control
    charge: Callable[[Decimal], Awaitable[str]]
    txid: str | None = None
    amount: Decimal | None = None
    send: str | None = None
    e2e_id: str | None = None

    async def the_charge(self) -> tuple[str, Decimal]:
        """The txid and amount of the charge that is meant: a new one when none is named."""
        if self.txid is None:
            amount = self.amount or DEFAULT_AMOUNT
            return await self.charge(amount), amount
        found = [one for one in (await self.control.state())["charges"] if one["txid"] == self.txid]
        if not found:
            raise NotDone(f"no charge has the txid {self.txid}")
        return self.txid, Decimal(found[0]["valor"])

    async def the_send(self) -> str:
        """The idEnvio that is meant: the last that went through when none is named."""
        if self.send:
            return self.send
        done = [one for one in (await self.control.state())["sends"] if one["status"] == "REALIZADO"]
        if not done:
            raise NotDone("no Pix was sent yet")
        return str(done[-1]["idEnvio"])

    async def the_received(self) -> str:
        """The endToEndId that is meant: the last that came in, of the charge if one is named."""
        if self.e2e_id:
            return self.e2e_id
        received = (await self.control.state())["received"]
        found = [one for one in received if self.txid in (None, one["txid"])]
        if not found:
            raise NotDone("no such Pix was received yet")
        return str(found[-1]["endToEndId"])


Act = Callable[[Wish], Awaitable[str]]


async def _pay(wish: Wish, *, more: Decimal | None = None, **how: Any) -> str:
    txid, asked = await wish.the_charge()
    amount = asked + more if more is not None else asked
    if wish.txid is not None and wish.amount is not None:
        amount = wish.amount
    paid = await wish.control.order(f"charges/{txid}/pay", amount=f"{amount:.2f}", **how)
    return f"{txid} was paid {amount:.2f} by {paid['endToEndId']}"


async def _paid(wish: Wish) -> str:
    return await _pay(wish)


async def _short(wish: Wish) -> str:
    return await _pay(wish, more=-ONE_REAL)


async def _surplus(wish: Wish) -> str:
    return await _pay(wish, more=ONE_REAL)


async def _late(wish: Wish) -> str:
    return await _pay(wish, late=True)


async def _duplicate(wish: Wish) -> str:
    """Paid twice; a charge that is paid already gets the second payment only."""
    txid, amount = await wish.the_charge()
    (charge,) = [one for one in (await wish.control.state())["charges"] if one["txid"] == txid]
    times = 1 if charge["status"] == "CONCLUIDA" else 2
    for _ in range(times):
        await wish.control.order(f"charges/{txid}/pay", amount=f"{wish.amount or amount:.2f}", force=True)
    return f"{txid} was paid twice"


async def _unknown(wish: Wish) -> str:
    amount = wish.amount or DEFAULT_AMOUNT
    paid = await wish.control.order("pix", amount=f"{amount:.2f}", txid=wish.txid)
    return f"{amount:.2f} came in by {paid['endToEndId']} outside any charge"


async def _refunded(wish: Wish) -> str:
    e2e_id = await wish.the_received()
    made = await wish.control.order(f"received/{e2e_id}/refund", valor=_text(wish.amount))
    return f"{e2e_id} is being refunded as {made['rtrId']}, not through the API"


async def _returned(wish: Wish) -> str:
    id_envio = await wish.the_send()
    back = await wish.control.order(f"sends/{id_envio}/return", valor=_text(wish.amount))
    return f"{back['valor']} of {id_envio} came back as {back['rtrId']}"


async def _contradicted(wish: Wish) -> str:
    id_envio = await wish.the_send()
    await wish.control.order(f"sends/{id_envio}/status", status="NAO_REALIZADO")
    return f"the bank now says that {id_envio} was rejected; no money moved"


def _next(door: str, mode: str, said: str) -> Act:
    async def act(wish: Wish) -> str:
        await wish.control.order(door, mode=mode)
        return said

    return act


EVENTS: Final[Mapping[str, Act]] = {
    "payment.paid": _paid,
    "payment.short": _short,
    "payment.surplus": _surplus,
    "payment.duplicate": _duplicate,
    "payment.late": _late,
    "payment.unknown": _unknown,
    "payment.refunded": _refunded,
    "refund.rejected": _next("refunds", "reject_later", "the next refund is rejected after it was accepted"),
    "refund.contradicted": _next("refunds", "contradict", "the next refund is made and then said not to be"),
    "payout.returned": _returned,
    "payout.contradicted": _contradicted,
    "payout.denied": _next("sends", "reject", "the next send is refused at once"),
    "payout.rejected": _next("sends", "reject_later", "the next send is rejected by its bank"),
    "payout.lost": _next("sends", "timeout_after", "the next send goes through and its answer is lost"),
    "payout.swallowed": _next("sends", "timeout_before", "the next send is lost before it arrives"),
    "webhook.dropped": _next("webhooks", "drop", "the next webhook never comes"),
    "webhook.duplicated": _next("webhooks", "duplicate", "the next webhook comes three times"),
}


def add_commands(parser: argparse.ArgumentParser) -> None:
    add_options(parser)
    parser.add_argument("event", choices=EVENTS, metavar="EVENT", help=", ".join(EVENTS))
    parser.add_argument("--txid", help="of this charge")
    parser.add_argument("--ride", metavar="ID", help="of this ride's charge")
    parser.add_argument("--send", metavar="ID_ENVIO", help="of this send; the last by default")
    parser.add_argument("--e2e", metavar="E2E_ID", help="of this received Pix; the last by default")
    parser.add_argument("--amount", type=reais, help="in reais, such as 25.50")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        say(asyncio.run(_trigger(options)))
    except (NotDone, httpx.HTTPError) as error:
        say(f"✗ {error or type(error).__name__}")
        return 1
    return 0


async def _trigger(options: argparse.Namespace) -> str:
    async with httpx.AsyncClient(base_url=control_url(options), trust_env=False, timeout=TIMEOUT_S) as client:
        txid = await _txid_of(options.ride, options) if options.ride else options.txid
        wish = Wish(
            control=Control(client),
            charge=lambda amount: _new_charge(options, amount),
            txid=txid,
            amount=options.amount,
            send=options.send,
            e2e_id=options.e2e,
        )
        return await EVENTS[options.event](wish)


async def _txid_of(ride_id: str, options: argparse.Namespace) -> str:
    described = stack.described(folder_of(options))
    async with httpx.AsyncClient(
        base_url=described["gateway"], trust_env=False, timeout=TIMEOUT_S
    ) as gateway:
        return await txid_of_ride(gateway, ride_id, admin=described["admin"])


async def _new_charge(options: argparse.Namespace, amount: Decimal) -> str:
    from efi import EfiError

    try:
        async with client_of(options) as client:
            return (await client.create_charge(uuid4().hex, amount=amount, expires_s=3600)).txid
    except (EfiError, NoAccount) as error:
        raise NotDone(str(error)) from error


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}"
