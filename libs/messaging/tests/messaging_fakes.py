"""Hand-written fakes of the ports: an outbox in a list, a broker that obeys."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from messaging.outbox_source import Backlog, Fetched, PendingRow
from messaging.ports import Verdict


class Refused(Exception):
    """The broker refuses this very record."""


class Wedged(Exception):
    """Whatever follows a refused record in its partition fails, until the producer is replaced."""


class FakeBroker:
    """Keeps what was acknowledged; `poison` values are refused, and wedge the producer that sent them."""

    def __init__(self) -> None:
        self.log: list[bytes | None] = []
        self.poison: set[bytes] = set()
        self.silent = False
        self.publishers: list[FakePublisher] = []

    async def open(self) -> "FakePublisher":
        self.publishers.append(FakePublisher(self))
        return self.publishers[-1]


class FakePublisher:
    """A producer of one partition."""

    def __init__(self, broker: FakeBroker) -> None:
        self._broker = broker
        self._wedged = False
        self.ended = ""

    async def send(
        self, topic: str, *, key: str, value: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> asyncio.Future[object]:
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        if self._broker.silent:
            return future
        if self._wedged:
            future.set_exception(Wedged())
        elif value in self._broker.poison:
            self._wedged = True
            future.set_exception(Refused())
        else:
            self._broker.log.append(value)
            future.set_result(None)
        return future

    def verdict(self, error: BaseException) -> Verdict:
        return Verdict.POISON if isinstance(error, Refused) else Verdict.BROKEN

    async def close(self) -> None:
        self.ended = "closed"

    async def kill(self) -> None:
        self.ended = "killed"


class FakeOutbox:
    """An outbox in memory; `foreign` makes deletes find nothing, as after another relay's take-over."""

    def __init__(self, *rows: tuple[str, bytes]) -> None:
        now = datetime.now(UTC)
        self.rows = [PendingRow(n, "t", key, "{}", value, now) for n, (key, value) in enumerate(rows, 1)]
        self.quarantine_states: dict[int, str] = {}
        self.foreign = False
        self.terms = 0
        self.xid = 100

    async def acquire(self) -> bool:
        self.terms += 1
        return True

    async def fetch(self, *, floor: int, limit: int) -> Fetched:
        return Fetched([row for row in self.rows if row.id > floor][:limit], xmin=self.xid)

    async def delete(self, ids: Sequence[int]) -> tuple[int, int]:
        self.xid += 1
        return (0, self.xid) if self.foreign else (self._take(ids), self.xid)

    async def quarantine(self, ids: Sequence[int], *, state: str, error: BaseException | None) -> int:
        self.quarantine_states.update(dict.fromkeys(ids, state))
        return self._take(ids)

    async def quarantined_keys(self) -> set[tuple[str, str]]:
        return set()

    async def take_back(self) -> bool:
        return False

    async def backlog(self) -> Backlog:
        return Backlog(len(self.rows), 0.0, 0, 0)

    async def close(self) -> None:
        return

    def _take(self, ids: Sequence[int]) -> int:
        before = len(self.rows)
        self.rows = [row for row in self.rows if row.id not in ids]
        return before - len(self.rows)
