"""A worker in a process of its own, which dies at a failpoint: no clean-up, no goodbye to the group.

`python -m messaging_victim <database url> <bootstrap> <prefix> <failpoint>`
"""

import asyncio
import os
import sys

from messaging_samples import QUICK, SERVICE, write_effect

from contracts.audit import AuditRecorded
from messaging import KafkaSettings, Worker, failpoints
from storage import Database, DatabaseSettings, Transaction


async def die() -> None:
    os._exit(137)


async def main(url: str, bootstrap: str, prefix: str, failpoint: str) -> None:
    database = Database(DatabaseSettings(database_url=url), service=SERVICE, make=Transaction)
    settings = KafkaSettings(kafka_bootstrap=bootstrap, kafka_topic_prefix=prefix).model_copy(
        update=dict(QUICK)
    )
    worker = Worker(
        database=database, settings=settings, service=SERVICE, handlers={AuditRecorded: write_effect}
    )
    with failpoints.at(failpoint, die):
        await worker.start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
