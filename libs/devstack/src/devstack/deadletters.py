"""`ibora deadletters …`: what messaging has set aside, in one service's database or in all of the stack's."""

import argparse
import asyncio
import getpass
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from messaging.deadletters import DeadLetter
    from storage import Database

Work = Callable[["Database[Any]", argparse.Namespace], Awaitable[list[str]]]


def add_commands(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Databases are the running stack's; with DATABASE_URL set, that one."
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="the open ones, oldest first, personal data masked")
    listing.add_argument("--service", help="this one only; all by default")
    listing.add_argument("--type", help="of this CloudEvents type only")
    listing.add_argument("--fingerprint", help="of this kind of failure only")
    listing.add_argument("--limit", type=int, default=100)
    listing.set_defaults(run=_running(_list))
    for name, work, text in (
        ("show", _show, "one with its masked headers and payload"),
        ("replay", _replay, "try it again where it failed; what waits behind it follows"),
        ("discard", _discard, "give it up for good"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("letter", help="parked:<number> or outbox:<number>, as list prints it")
        command.add_argument("--service", required="DATABASE_URL" not in os.environ)
        if name == "discard":
            command.add_argument("--reason", required=True, help="goes to the service's log")
        command.set_defaults(run=_running(work))


def _running(work: Work) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        from devstack.console import folder_of, say
        from kernel.refusals import Refusal

        try:
            for line in asyncio.run(
                _everywhere(work, options, databases(folder_of(options), options.service))
            ):
                say(line)
        except Refusal as refusal:
            say(f"✗ {refusal.code}: {refusal}")
            return 1
        return 0

    return run


def databases(folder: Path, service: str | None) -> Mapping[str, str]:
    """The DSN by service; KeyError for a service that has no database, NotRunning without a stack."""
    if url := os.environ.get("DATABASE_URL"):
        return {service or "database": url}
    from devstack import stack

    known: dict[str, str] = stack.described(folder)["postgres"]
    if service and service not in known:
        raise KeyError(f"{service} has no database; these have: {', '.join(known)}")
    return {service: known[service]} if service else known


async def _everywhere(work: Work, options: argparse.Namespace, urls: Mapping[str, str]) -> list[str]:
    from storage import Database, DatabaseSettings, Transaction

    lines = []
    for service, url in urls.items():
        database = Database(DatabaseSettings(database_url=url), service=service, make=Transaction)
        try:
            lines += [f"{service:<14} {line}" for line in await work(database, options)]
        finally:
            await database.dispose()
    return lines or ["none"]


async def _list(database: "Database[Any]", options: argparse.Namespace) -> list[str]:
    from messaging import deadletters

    found = await deadletters.list_(
        database, event_type=options.type, fingerprint=options.fingerprint, limit=options.limit
    )
    return [_line(letter) for letter in found]


async def _show(database: "Database[Any]", options: argparse.Namespace) -> list[str]:
    from messaging import deadletters

    letter = await deadletters.show(database, options.letter)
    whole = {"headers": letter.headers, "payload": letter.payload}
    return [_line(letter), *json.dumps(whole, indent=2, ensure_ascii=False).splitlines()]


async def _replay(database: "Database[Any]", options: argparse.Namespace) -> list[str]:
    from messaging import deadletters

    await deadletters.replay(database, options.letter, actor=getpass.getuser())
    return [f"{options.letter} is tried again"]


async def _discard(database: "Database[Any]", options: argparse.Namespace) -> list[str]:
    from messaging import deadletters

    await deadletters.discard(database, options.letter, actor=getpass.getuser(), reason=options.reason)
    return [f"{options.letter} is given up"]


def _line(letter: "DeadLetter") -> str:
    since = letter.since.isoformat(timespec="seconds")
    where = f"{letter.name:<14} {letter.state:<5} {since} {letter.event_type} key={letter.key}"
    return f"{where} {letter.error_class}: {letter.error}"
