"""What every figure measures on: one running stack, and scratch databases beside its own."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import asyncpg

from devstack import folders
from devstack.parts import postgres
from messaging import KafkaSettings, admin
from simulator.stack import Stack
from storage import DatabaseSettings, migrations


@dataclass(frozen=True, slots=True)
class Bench:
    stack: Stack

    def kafka(self) -> KafkaSettings:
        """Topics of this measurement's own on the stack's broker."""
        return KafkaSettings(kafka_bootstrap=self.stack.kafka, kafka_topic_prefix=f"bench{uuid4().hex[:8]}.")

    async def topics(self, settings: KafkaSettings) -> None:
        await admin.create_topics(settings)

    @asynccontextmanager
    async def database(self, service: str) -> AsyncIterator[DatabaseSettings]:
        """An empty database with a service's tables; dropped afterwards."""
        name = f"bench_{uuid4().hex[:8]}"
        role = self.stack.postgres[service].split("//")[1].split(":")[0]
        await self._execute(f'CREATE DATABASE "{name}"', f'GRANT ALL ON DATABASE "{name}" TO "{role}"')
        server = self.stack.postgres_admin.rpartition("/")[0]
        settings = DatabaseSettings(
            database_url=f"{self.stack.postgres[service].rpartition('/')[0]}/{name}",
            database_owner_url=f"{server}/{name}",
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
        url = f"{self.stack.postgres_admin.rpartition('/')[0]}/{name}"
        try:
            await asyncio.to_thread(self._pgbench, "-i", "-q", "-s", "10", url)
            output = await asyncio.to_thread(
                self._pgbench, "-N", "-c", str(clients), "-j", "2", "-T", str(seconds), url
            )
        finally:
            await self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        return next(float(line.split()[2]) for line in output.splitlines() if line.startswith("tps ="))

    def _pgbench(self, *arguments: str) -> str:
        binaries = postgres.installed()
        done = subprocess.run(
            [str(binaries / "bin" / "pgbench"), *arguments],
            env=postgres.environment(binaries),
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    async def _execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.stack.postgres_admin)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()
