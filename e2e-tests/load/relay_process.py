"""A worker's relay in a process of its own, as in production; on SIGTERM it prints every latency in seconds.

`python -m load.relay_process SERVICE`, with DATABASE_URL, KAFKA_BOOTSTRAP and KAFKA_TOPIC_PREFIX.
"""

import asyncio
import json
import signal
import sys

import uvloop

from messaging import KafkaSettings, Worker, term
from storage import Database, DatabaseSettings, Transaction


class Exact:
    """In place of the histogram, whose buckets are too wide for a p99: from the row's insert to the ack."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def observe(self, seconds: float) -> None:
        self.seconds.append(seconds)


async def main(service: str) -> None:
    exact = Exact()
    term.PUBLISH_LATENCY = exact  # type: ignore[attr-defined, assignment]
    database = Database(DatabaseSettings(), service=service, make=Transaction)
    worker = Worker(database=database, settings=KafkaSettings(), service=service, handlers={})
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    await worker.start()
    print("started", file=sys.stderr, flush=True)
    await asked.wait()
    await worker.stop()
    await database.dispose()
    json.dump(exact.seconds, sys.stdout)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
