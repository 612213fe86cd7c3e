"""Postgres and Kafka for the figures that need no services: nothing else runs beside what is measured."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg

from devstack import folders
from devstack.parts import postgres
from devstack.parts.kafka import EmbeddedKafka
from messaging import KafkaSettings, admin
from storage import DatabaseSettings, migrations

ROLE = "bench"


@dataclass(frozen=True, slots=True)
class Parts:
    """Addresses: of Postgres as its superuser, and of Kafka."""

    postgres_admin: str
    kafka_bootstrap: str

    async def kafka(self) -> KafkaSettings:
        """Topics of one measurement's own."""
        settings = KafkaSettings(
            kafka_bootstrap=self.kafka_bootstrap, kafka_topic_prefix=f"bench{uuid4().hex[:8]}."
        )
        await admin.create_topics(settings)
        return settings

    @asynccontextmanager
    async def database(self, service: str, *, pool_size: int = 10) -> AsyncIterator[DatabaseSettings]:
        """An empty database with a service's tables; dropped afterwards."""
        name = f"bench_{uuid4().hex[:8]}"
        await self._execute(f'CREATE DATABASE "{name}"')
        server = self.postgres_admin.rpartition("/")[0]
        place = server.rpartition("@")[2]
        settings = DatabaseSettings(
            database_url=f"postgresql://{ROLE}:{ROLE}@{place}/{name}",
            database_owner_url=f"{server}/{name}",
            database_pool_size=pool_size,
            database_max_overflow=0,
            database_statement_timeout_ms=60_000,
        )
        await asyncio.to_thread(migrations.run, folders.ROOT / "services" / service, settings)
        try:
            yield settings
        finally:
            await self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    async def pgbench(self, *, seconds: int = 8, clients: int = 8) -> float:
        """Transactions a second of `pgbench -N` (simple update) in a scratch database."""
        name = f"bench_{uuid4().hex[:8]}"
        await self._execute(f'CREATE DATABASE "{name}"')
        url = f"{self.postgres_admin.rpartition('/')[0]}/{name}"
        try:
            await asyncio.to_thread(_pgbench, "-i", "-q", "-s", "10", url)
            output = await asyncio.to_thread(
                _pgbench, "-N", "-c", str(clients), "-j", "2", "-T", str(seconds), url
            )
        finally:
            await self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        return next(float(line.split()[2]) for line in output.splitlines() if line.startswith("tps ="))

    async def settle(self) -> None:
        """What was written before is on the disk, so that nobody measures how it gets there.

        Not by a checkpoint: after one every page is written whole into the log once more, and in production that
        is a matter of minutes between two of them.
        """
        await asyncio.to_thread(os.sync)

    async def _execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.postgres_admin)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


def _pgbench(*arguments: str) -> str:
    binaries = postgres.installed()
    done = subprocess.run(
        [str(binaries / "bin" / "pgbench"), *arguments],
        env=postgres.environment(binaries),
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


@contextmanager
def running_parts(folder: Path) -> Iterator[Parts]:
    """Started for the block, and gone with their data afterwards."""
    database, broker = postgres.EmbeddedPostgres(folder / "postgres"), EmbeddedKafka(folder / "kafka")
    try:
        database.start()
        broker.start()
        parts = Parts(database.url, broker.bootstrap)
        asyncio.run(parts._execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{ROLE}'"))
        yield parts
    finally:
        broker.stop()
        database.destroy()
