"""Database numbers of a Valkey server, each used by one test at a time."""

import os

import valkey

_CLAIM_S = 900


class NoFreeNumber(Exception):
    """Every database of the server is claimed by a test."""


def claim(url: str) -> int:
    """Claim a number above 0 and flush it. Database 0 holds the claims, which lapse when a run dies."""
    with valkey.Valkey.from_url(f"{url}/0") as server:
        count = int(server.config_get("databases")["databases"])
        for number in range(1, count):
            if server.set(f"testkit:database:{number}", os.getpid(), nx=True, ex=_CLAIM_S):
                _flush(url, number)
                return number
    raise NoFreeNumber(f"all {count - 1} databases are in use")


def give_back(url: str, number: int) -> None:
    _flush(url, number)
    with valkey.Valkey.from_url(f"{url}/0") as server:
        server.delete(f"testkit:database:{number}")


def _flush(url: str, number: int) -> None:
    with valkey.Valkey.from_url(f"{url}/{number}") as database:
        database.flushdb()
