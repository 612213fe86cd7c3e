"""`ibora efi listen`: each webhook as the simulator delivers it, one line each."""

import argparse
import asyncio
import json
import ssl
import time
from collections.abc import Callable
from typing import Any, Final

import httpx

from devstack import stack
from devstack.console import folder_of, say
from devstack.efi_control import add_options, control_url

NAMES: Final = {
    ("received", None): "pix.received",
    ("refund", None): "pix.refunded",
    ("return", "REALIZADO"): "pix.returned",
    ("send", "REALIZADO"): "pix.sent",
    ("send", "NAO_REALIZADO"): "pix.rejected",
}


def add_commands(parser: argparse.ArgumentParser) -> None:
    add_options(parser)
    parser.add_argument("--forward-to", metavar="URL", help="post each body there too")
    parser.add_argument("--count", type=int, metavar="N", help="end after so many")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        asyncio.run(
            listen(
                control_url(options),
                forward_to=options.forward_to,
                context=_context(options) if options.forward_to else None,
                count=options.count,
                say=say,
            )
        )
    except httpx.HTTPError as error:
        say(f"✗ the simulator is gone: {type(error).__name__}")
        return 1
    return 0


async def listen(
    control: str,
    *,
    forward_to: str | None,
    count: int | None,
    say: Callable[[str], None],
    context: ssl.SSLContext | None = None,
) -> None:
    """Until the simulator ends, or `count` webhooks were seen. `context` is for forwarding over TLS."""
    seen = 0
    async with (
        httpx.AsyncClient(base_url=control, trust_env=False, timeout=httpx.Timeout(10, read=None)) as bank,
        httpx.AsyncClient(verify=context or True, trust_env=False) as forwarder,
        bank.stream("GET", "/_control/events") as stream,
    ):
        stream.raise_for_status()
        async for text in stream.aiter_lines():
            if not text:
                say(f"listening at {control}")
                continue
            event = json.loads(text)
            say(line_of(event))
            if forward_to:
                say(await _forward(forwarder, forward_to, event["body"]))
            seen += 1
            if seen == count:
                return


def line_of(event: dict[str, Any]) -> str:
    """What happened, without names, documents or keys."""
    name = NAMES.get((event["kind"], event["status"]), f"pix.{event['kind']}")
    answer = event["answer"]
    again = f" attempt {event['attempt']}" if event["attempt"] > 1 else ""
    return f"{event['at']} --> {name} [{event['endToEndId']}] {event['valor']} → {answer} [{event['took_ms']}ms]{again}"


async def _forward(client: httpx.AsyncClient, url: str, body: dict[str, Any]) -> str:
    started = time.perf_counter()
    try:
        answer = str((await client.post(url, json=body)).status_code)
    except httpx.HTTPError as error:
        answer = type(error).__name__
    return f"  forwarded to {url} → {answer} [{round((time.perf_counter() - started) * 1000)}ms]"


def _context(options: argparse.Namespace) -> ssl.SSLContext:
    """With a stack: its authority is trusted too, and Efí's certificate is shown, as the bank would."""
    context = ssl.create_default_context()
    try:
        files = stack.described(folder_of(options))["certificates"]
    except stack.NotRunning:
        return context
    context.load_verify_locations(files["ca"])
    context.load_cert_chain(files["webhook_client_cert"], files["webhook_client_key"])
    return context
