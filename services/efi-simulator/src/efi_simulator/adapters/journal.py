"""The bank's books on disk: a file of lines, each with what changed together, flushed before anybody is told.

Read from the start, the last word on every entry counts. Half a line at the end was never answered for: it
is dropped. A start writes the file anew with only what counts.
"""

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from efi_simulator.domain.bank import Appointment, Bank, Rules
from efi_simulator.domain.nouns import (
    Charge,
    Notice,
    ReceivedPix,
    Refund,
    Report,
    Return,
    Send,
    Webhook,
)
from efi_simulator.domain.shelf import Shelf
from kernel.money import money

SHELVES: Final[Mapping[str, TypeAdapter[Any]]] = {
    "charges": TypeAdapter(Charge),
    "received": TypeAdapter(ReceivedPix),
    "refunds": TypeAdapter(Refund),
    "sends": TypeAdapter(Send),
    "returns": TypeAdapter(Return),
    "webhooks": TypeAdapter(Webhook),
    "reports": TypeAdapter(Report),
    "undelivered": TypeAdapter(Notice),
    "agenda": TypeAdapter(Appointment),
}
RULES: Final = TypeAdapter(Rules)
Line = dict[str, Any]


class Journal:
    """Of one bank in one folder. Open it before the bank is used."""

    def __init__(self, folder: Path, bank: Bank) -> None:
        self._path = folder / "bank.jsonl"
        self._bank = bank
        self._told: Line = {}
        self._pending: list[bytes] = []
        self._collected = self._written = 0
        self._writing: asyncio.Task[None] | None = None
        self._file = -1

    def open(self) -> None:
        """Fill the bank from what is on disk, if anything."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for line in _lines(self._path):
            self._apply(line)
        self._bank.resume()
        self._rewrite()
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND)

    async def keep(self) -> None:
        """A `Keep` port. Callers at one time share one flush."""
        self._collect()
        wanted = self._collected
        while self._written < wanted:
            if self._writing is None:
                self._writing = asyncio.create_task(self._write())
            # A caller that gives up must not stop the flush that others wait for.
            await asyncio.shield(self._writing)

    async def close(self) -> None:
        await self.keep()
        os.close(self._file)

    def _collect(self) -> None:
        line: Line = {}
        for name, shelf in self._shelves():
            if shelf.changed:
                line[name] = {key: _row(name, value) for key, value in shelf.take_changed().items()}
        totals = self._totals()
        if totals != self._told:
            line["totals"] = self._told = totals
        if line:
            self._pending.append(_encoded(line))
            self._collected += 1

    async def _write(self) -> None:
        lines, until = self._pending, self._collected
        self._pending = []
        try:
            await asyncio.to_thread(self._append, b"".join(lines))
            self._written = until
        except BaseException:
            self._pending = lines + self._pending
            raise
        finally:
            self._writing = None

    def _append(self, data: bytes) -> None:
        good = os.fstat(self._file).st_size
        try:
            while data:
                data = data[os.write(self._file, data) :]
            os.fdatasync(self._file)
        except OSError:
            # What is tried again must not follow half of itself.
            os.ftruncate(self._file, good)
            raise

    def _apply(self, line: Line) -> None:
        for name, shelf in self._shelves():
            for key, row in line.get(name, {}).items():
                if row is not None:
                    shelf[key] = SHELVES[name].validate_python(row)
                elif key in shelf:
                    del shelf[key]
        if "totals" in line:
            self._apply_totals(line["totals"])

    def _apply_totals(self, totals: Line) -> None:
        bank = self._bank
        bank.opening_balance = money(totals["opening_balance"])
        bank.moved, bank.fees = money(totals["moved"]), money(totals["fees"])
        bank.numbers.go_on_after(totals["last"])
        bank.rules = RULES.validate_python(totals["rules"])

    def _totals(self) -> Line:
        bank = self._bank
        return {
            "opening_balance": str(bank.opening_balance),
            "moved": str(bank.moved),
            "fees": str(bank.fees),
            "last": bank.numbers.last,
            "rules": RULES.dump_python(bank.rules, mode="json"),
        }

    def _rewrite(self) -> None:
        line: Line = {
            name: {key: _row(name, value) for key, value in shelf.items()} for name, shelf in self._shelves()
        }
        for _, shelf in self._shelves():
            shelf.changed.clear()
        self._told = self._totals()
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(_encoded(line | {"totals": self._told}))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        _flush_folder(self._path.parent)

    def _shelves(self) -> Iterator[tuple[str, Shelf[str, Any]]]:
        for name in SHELVES:
            yield name, getattr(self._bank, name)


def _lines(path: Path) -> Iterator[Line]:
    if not path.exists():
        return
    whole, _, _torn = path.read_bytes().rpartition(b"\n")
    for text in whole.splitlines():
        yield json.loads(text)


def _row(shelf: str, value: Any) -> Any:
    return None if value is None else SHELVES[shelf].dump_python(value, mode="json")


def _encoded(line: Line) -> bytes:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _flush_folder(folder: Path) -> None:
    """A renamed file is only there for good once its folder is on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
