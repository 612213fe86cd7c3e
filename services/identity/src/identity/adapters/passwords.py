"""Passwords: Argon2id in threads, a bounded number at a time. Older bcrypt hashes verify and are replaced."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from pwdlib import PasswordHash
from pwdlib.exceptions import PwdlibError
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher

from kernel.refusals import Unavailable
from telemetry import get_logger

log = get_logger(__name__)

BCRYPT_BYTES: Final = 72
BCRYPT_MARK: Final = "$2"


class BoundedPasswords:
    """The Passwords port.

    `memory_kib` and `passes` are Argon2's costs (OWASP: at least 19 MiB and 2). `parallel` slots bound the
    memory and the cores that a flood of logins can take; whoever waits longer than `wait_s` is sent away.
    """

    def __init__(self, *, memory_kib: int, passes: int, parallel: int, wait_s: float) -> None:
        argon2 = Argon2Hasher(memory_cost=memory_kib, time_cost=passes, parallelism=1)
        self._hashers = PasswordHash((argon2, BcryptHasher()))
        self._slots = asyncio.Semaphore(parallel)
        self._wait_s = wait_s
        # What an unknown login is checked against: as much work, and nothing that matches.
        self._nobodys = self._hashers.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        async with self.slot():
            return await asyncio.to_thread(self._hashers.hash, password)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator["BoundedPasswords"]:
        try:
            await asyncio.wait_for(self._slots.acquire(), self._wait_s)
        except TimeoutError:
            raise Unavailable(retry_after_s=1) from None
        try:
            yield self
        finally:
            self._slots.release()

    async def verify(self, password: str, *, password_hash: str | None) -> tuple[bool, str | None]:
        matches, newer = await asyncio.to_thread(self._verify, password, password_hash or self._nobodys)
        return (matches, newer) if password_hash else (False, None)

    def _verify(self, password: str, password_hash: str) -> tuple[bool, str | None]:
        try:
            if not password_hash.startswith(BCRYPT_MARK):
                return self._hashers.verify_and_update(password, password_hash)
            # bcrypt reads 72 bytes: the libraries that stored these hashes cut silently, today's refuse more.
            if not self._hashers.verify(password.encode()[:BCRYPT_BYTES], password_hash):
                return False, None
            return True, self._hashers.hash(password)
        except PwdlibError:
            log.exception("password_hash_unreadable")
            return False, None
