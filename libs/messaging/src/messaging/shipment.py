"""Sends one batch of outbox rows, in order, and says what became of each."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from messaging.outbox_source import PendingRow
from messaging.ports import Publisher

TICK_S: Final = 1.0


@dataclass(slots=True)
class Outcome:
    """`acked` rows may be deleted; `failed` ones carry their error; rows in neither were not sent."""

    acked: list[PendingRow] = field(default_factory=list)
    failed: list[tuple[PendingRow, BaseException]] = field(default_factory=list)


async def ship(
    publisher: Publisher, rows: Sequence[PendingRow], *, waiting: Callable[[float], None]
) -> Outcome:
    """Hand all rows over in id order, then wait for every ack.

    The wait has no timeout of its own: a record given up on may still appear in the log, so only throwing
    the producer away ends it. `waiting(seconds)` is called every second; its exception goes through.
    """
    outcome = Outcome()
    sent = await _hand_over(publisher, rows, outcome=outcome)
    await _all_answered([future for _, future in sent], waiting=waiting)
    for row, future in sent:
        error = future.exception()
        if error is None:
            outcome.acked.append(row)
        else:
            outcome.failed.append((row, error))
    outcome.failed.sort(key=lambda pair: pair[0].id)
    return outcome


async def _hand_over(
    publisher: Publisher, rows: Sequence[PendingRow], *, outcome: Outcome
) -> list[tuple[PendingRow, asyncio.Future[object]]]:
    sent: list[tuple[PendingRow, asyncio.Future[object]]] = []
    for row in rows:
        try:
            future = await publisher.send(
                row.topic, key=row.key, value=row.payload, headers=record_headers(row.headers)
            )
        except Exception as error:  # the client raises what it likes; the verdict sorts it  # noqa: BLE001
            # Later rows wait for the next round: of this key they must not overtake.
            outcome.failed.append((row, error))
            break
        sent.append((row, future))
    return sent


async def _all_answered(
    futures: Sequence[asyncio.Future[object]], *, waiting: Callable[[float], None]
) -> None:
    pending = set(futures)
    waited_s = 0.0
    while pending:
        _, pending = await asyncio.wait(pending, timeout=TICK_S)
        if pending:
            waited_s += TICK_S
            waiting(waited_s)


def record_headers(headers: str) -> list[tuple[str, bytes]]:
    """A row's headers (a JSON object of strings) as Kafka wants them."""
    return [(name, value.encode()) for name, value in json.loads(headers).items()]
