"""What happened at the webhooks, as a stream for whoever watches (development only)."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, Final

from efi_simulator.domain.documents import horario
from efi_simulator.ports import Attempt
from kernel.clock import Clock

KEPT: Final = 1000


class Events:
    """Numbered from 1; the last 1,000 are kept. Every watcher sees all that come after it asked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0
        self._kept: deque[tuple[int, dict[str, Any]]] = deque(maxlen=KEPT)
        self._news = asyncio.Event()
        self._over = False

    @property
    def last(self) -> int:
        return self._last

    def seen(self, attempt: Attempt) -> None:
        """A `Watch` port."""
        item = attempt.notice.item
        extras = item.get("gnExtras") or {}
        self._last += 1
        event = {
            "number": self._last,
            "at": horario(self._clock.now()),
            "kind": attempt.notice.kind.value,
            "endToEndId": item["endToEndId"],
            "txid": item.get("txid"),
            "idEnvio": extras.get("idEnvio"),
            "valor": item["valor"],
            "status": item.get("status"),
            "attempt": attempt.number,
            "answer": attempt.outcome,
            "took_ms": attempt.took_ms,
            "body": {"pix": [dict(item)]},
        }
        self._kept.append((self._last, event))
        self._news.set()
        self._news = asyncio.Event()

    def close(self) -> None:
        """End every stream."""
        self._over = True
        self._news.set()

    async def lines(self, *, after: int | None) -> AsyncIterator[bytes]:
        """Every event after that number (None: from now on), one line of JSON each, without end."""
        seen = self._last if after is None else after
        # An empty line at once: whoever reads it knows that from here on nothing is missed.
        yield b"\n"
        while not self._over:
            news = self._news
            for number, event in [one for one in self._kept if one[0] > seen]:
                seen = number
                yield json.dumps(event, ensure_ascii=False).encode() + b"\n"
            await news.wait()
