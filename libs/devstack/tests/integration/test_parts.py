"""The embedded parts, started as whoever runs the tests, in a folder with a space in its name."""

from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import valkey
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # type: ignore[import-untyped]
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # type: ignore[import-untyped]

from devstack import folders
from devstack.parts import EmbeddedKafka, EmbeddedPostgres, EmbeddedValkey, postgres


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a part"


@pytest.fixture
def kafka(folder: Path) -> Iterator[EmbeddedKafka]:
    part = EmbeddedKafka(folder)
    yield part
    part.destroy()


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    part = EmbeddedPostgres(folder, settings={"fsync": "off"})
    yield part
    part.destroy()


async def test_postgres_keeps_its_data_over_a_restart_and_a_kill(server: EmbeddedPostgres) -> None:
    server.start()
    await _run(server.url, "CREATE TABLE ride AS SELECT 7 AS id")
    server.stop()
    assert not server.running()

    server.start()
    assert await _run(server.url, "SELECT id FROM ride") == 7
    assert server._process is not None
    server._process.kill()
    server._process.wait()

    server.start()
    assert await _run(server.url, "SELECT id FROM ride") == 7


async def test_postgres_asks_for_a_password(server: EmbeddedPostgres) -> None:
    server.start()

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.url.replace(server.password, "guess"))
    assert await _run(server.url, "SHOW timezone") == "UTC"


async def test_postgres_starts_where_its_user_may_not_enter(
    server: EmbeddedPostgres, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(folders, "open_to_all", lambda _folder: False)
    monkeypatch.setattr(folders, "public_folder", lambda name: tmp_path / "public" / name)
    if folders.is_root():
        for parent in (tmp_path, *tmp_path.parents):
            parent.chmod(parent.stat().st_mode | 0o011)

    server.start()

    assert await _run(server.url, "SELECT 1") == 1
    assert (folder / "data").is_symlink() == folders.is_root()
    assert postgres.installed().is_relative_to(tmp_path) == folders.is_root()
    elsewhere = (folder / "data").resolve()
    server.destroy()
    assert not elsewhere.exists()


async def test_kafka_keeps_its_records_over_a_kill(kafka: EmbeddedKafka) -> None:
    kafka.start()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("rides", num_partitions=1, replication_factor=1)])
    await admin.close()
    await _send(kafka.bootstrap, b"before")
    first = kafka.pid

    kafka.kill()
    assert not kafka.running()
    assert not kafka.answers()
    kafka.start()
    await _send(kafka.bootstrap, b"after")

    assert kafka.pid != first
    assert await _records(kafka.bootstrap, 2) == [b"before", b"after"]


def test_valkey_starts_empty_each_time(folder: Path) -> None:
    part = EmbeddedValkey(folder)
    part.start()
    with valkey.Valkey.from_url(part.url) as client:
        client.set("driver", "here")
        assert int(client.config_get("databases")["databases"]) == 256
    part.stop()
    assert not part.running()

    part.start()
    with valkey.Valkey.from_url(part.url) as client:
        assert client.dbsize() == 0
    part.stop()


async def _run(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def _send(bootstrap: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait("rides", value)
    finally:
        await producer.stop()


async def _records(bootstrap: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition("rides", 0)])
        return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()
