"""Parts in containers, when a Docker daemon answers and its images can be had."""

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from devstack import ports, processes
from devstack.parts import kafka, postgres, valkey

IMAGES = {
    # Production's oldest Postgres, so that a newer feature is found out here.
    "postgres": "postgres:15-alpine",
    "kafka": "apache/kafka:4.3.1",
    "valkey": "valkey/valkey:8-alpine",
}
_PULL_S = 180
_READY_S = 60


def start(part: str) -> tuple[Any, str] | None:
    """(container with stop(), address), or None when containers cannot be used here.

    IBORA_TEST_PARTS=embedded skips containers, IBORA_TEST_PARTS=docker insists on them.
    """
    wish = os.environ.get("IBORA_TEST_PARTS", "")
    if wish == "embedded" or not (wish == "docker" or _socket_exists()):
        return None
    try:
        return _start(part)
    except Exception as error:  # whatever Docker's client raises means: no containers here
        if wish == "docker":
            raise
        print(f"no container for {part} ({error}); the embedded part it is", flush=True)
        return None


def _socket_exists() -> bool:
    return bool(os.environ.get("DOCKER_HOST")) or Path("/var/run/docker.sock").exists()


def _start(part: str) -> tuple[Any, str]:
    # By name: to the type checker `docker` is our own folder of image recipes.
    docker = import_module("docker")

    client = docker.from_env(timeout=3)
    client.ping()
    client.close()
    client = docker.from_env(timeout=_PULL_S)
    try:
        if not client.images.list(name=IMAGES[part]):
            client.images.pull(IMAGES[part])
    finally:
        client.close()
    container, address, ready = _MAKERS[part](IMAGES[part])
    container.start()
    if not processes.wait_until(ready, timeout_s=_READY_S, every_s=0.2):
        container.stop()
        raise processes.DidNotStart(f"the container of {part} did not get ready")
    return container, address


def _made(image: str, *, port: int, inside: int) -> Any:
    """A container whose port is ours to choose: Kafka must know the address that its clients will use."""
    from testcontainers.core.container import DockerContainer

    return DockerContainer(image).with_bind_ports(inside, port)


def _postgres(image: str) -> tuple[Any, str, Callable[[], bool]]:
    port = ports.free_port()
    container = _made(image, port=port, inside=5432).with_env("POSTGRES_PASSWORD", "secret")
    container.with_command("postgres -c max_connections=500 -c fsync=off -c full_page_writes=off")
    url = f"postgresql://postgres:secret@127.0.0.1:{port}/postgres"
    return container, url, lambda: postgres.answers(port)


def _kafka(image: str) -> tuple[Any, str, Callable[[], bool]]:
    port = ports.free_port()
    container = _made(image, port=port, inside=9092)
    for name, value in kafka_environment(port).items():
        container.with_env(name, value)
    return container, f"127.0.0.1:{port}", lambda: kafka.speaks(port)


def kafka_environment(port: int) -> dict[str, str]:
    """One KRaft node that tells its clients to come to 127.0.0.1:port."""
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    }


def _valkey(image: str) -> tuple[Any, str, Callable[[], bool]]:
    port = ports.free_port()
    container = _made(image, port=port, inside=6379)
    container.with_command(f'valkey-server --databases {valkey.DATABASES} --save ""')
    return container, f"redis://127.0.0.1:{port}", lambda: valkey.answers(port)


_MAKERS: dict[str, Callable[[str], tuple[Any, str, Callable[[], bool]]]] = {
    "postgres": _postgres,
    "kafka": _kafka,
    "valkey": _valkey,
}
