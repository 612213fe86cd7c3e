"""A worker of the ledger in a process of its own, as in production, with the service's settings from the environment.

`python -m load.ledger_process`, with DATABASE_URL, KAFKA_BOOTSTRAP, KAFKA_TOPIC_PREFIX and what Settings requires.
It prints a line once it takes part in the group, and ends on SIGTERM. Another process relays what it appends.
"""

import asyncio
import gc
import signal

import uvloop

from ledger.adapters.transaction import LedgerTransaction
from ledger.consumers import HANDLERS
from ledger.settings import Settings
from messaging import Worker
from storage import Database
from telemetry.tracing import configure_tracing


async def main() -> None:
    settings = Settings()
    configure_tracing(
        service="ledger",
        ratio=settings.sampling_ratio(),
        otlp_endpoint=settings.otlp_endpoint,
        environment=settings.environment,
    )
    database = Database(settings, service="ledger", make=LedgerTransaction)
    worker = Worker(database=database, settings=settings, service="ledger", handlers=HANDLERS, relays=False)
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    await worker.start()
    while worker.consumer is None or not worker.consumer.joined:
        await asyncio.sleep(0.05)
    print("joined", flush=True)
    await asked.wait()
    await worker.stop()
    await database.dispose()


if __name__ == "__main__":
    gc.freeze()
    gc.set_threshold(1_000_000, 20, 50)
    uvloop.run(main())
