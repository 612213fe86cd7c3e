"""Brings a stack up, keeps it up, and takes it down: see `devstack.supervise`.

One process in the background. Everything it starts dies with it, even when it is killed; it ends by itself
when the process it was told to serve (`--owner`) is gone.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from devstack import forks, processes
from devstack.databases import create_databases
from devstack.files import read_json, write_json
from devstack.guards import Stopped, ignore_signals, only_supervisor, signals_stop
from devstack.manifest import MAX_CONNECTIONS, Service
from devstack.migrate import migrate
from devstack.parts import EmbeddedKafka, EmbeddedPostgres, EmbeddedValkey
from devstack.plan import Plan
from devstack.supervised import Runnable, ServiceProcess, Supervised

_READY_S = 120


class Supervisor:
    """One stack. `command(service, verb)` gives the words that run a service; tests put in their own.

    Without one, services begin as forks of this process, and it migrates their databases itself.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        owner_pid: int | None = None,
        command: Callable[[Service, str], list[str]] | None = None,
        say: Callable[[str], None] = lambda line: print(line, flush=True),
    ) -> None:
        self.plan = plan
        self._owner = (owner_pid, processes.started_at(owner_pid) if owner_pid else "")
        self._in_process = command is None
        self._command = command or service_command
        self._say = say
        data = plan.folder / "data"
        self.postgres = EmbeddedPostgres(
            data / "postgres", port=plan.port("postgres"), settings={"max_connections": str(MAX_CONNECTIONS)}
        )
        self.kafka = EmbeddedKafka(data / "kafka", port=plan.port("kafka"), partitions=12, say=say)
        self.valkey = EmbeddedValkey(data / "valkey", port=plan.port("valkey"))
        self._watched: list[Supervised] = []
        self._written: dict[str, int] = {}

    def run(self) -> None:
        """Until SIGTERM, SIGINT or the owner's end. Whatever was started is stopped, also on a failure."""
        with only_supervisor(self.plan.folder), signals_stop():
            try:
                self.up()
                while True:
                    self.tick()
                    time.sleep(0.2)
            except Stopped as reason:
                self._say(f"▸ stopping: {reason}")
            finally:
                ignore_signals()
                self.down()

    def up(self) -> None:
        """Parts, databases, migrations, topics, services, in that order; then stack.json.

        Kafka takes longest to boot: the databases are made and the services imported meanwhile.
        """
        started = time.monotonic()
        self._say(f"▸ starting the stack in {self.plan.folder}")
        self._launch_parts()
        if self._in_process:
            forks.preload()
        self._wait({"postgres": self.postgres, "valkey": self.valkey})
        asyncio.run(create_databases(self.plan, admin_url=self.postgres.url))
        self._migrate()
        services = {service.name: self._make(service) for service in self.plan.services}
        self._wait({"kafka": self.kafka})
        self._create_topics()
        for watched in self._watched:
            if watched.name in services:
                watched.launch()
        # A service logs each time that it is asked too early.
        self._wait(dict(services), every_s=0.25)
        self._write()
        self._say(f"▸ ready in {time.monotonic() - started:.1f} s: {self.plan.url('gateway')}")

    def tick(self) -> None:
        """Look after everything once."""
        self._check_owner()
        for watched in self._watched:
            self._follow_hold(watched)
            watched.tick()
        if self._pids() != self._written:
            self._write()

    def down(self) -> None:
        """Services first, then the parts they use."""
        self.plan.stack_file.unlink(missing_ok=True)
        runnables = [watched.runnable for watched in self._watched]
        services = [runnable for runnable in runnables if isinstance(runnable, ServiceProcess)]
        for service in services:
            service.ask_to_stop()
        for service in services:
            service.stop()
        for part in (self.kafka, self.valkey, self.postgres):
            part.stop()
        self._say("▸ stopped")

    def _launch_parts(self) -> None:
        parts: dict[str, Runnable] = {"valkey": self.valkey, "kafka": self.kafka, "postgres": self.postgres}
        for name, part in parts.items():
            self._watch(name, part).launch()

    def _make(self, service: Service) -> Runnable:
        """The service's process, imported already where that is possible; `launch` lets it run."""
        process = ServiceProcess(
            self._command(service, service.mode),
            environment=partial(self._environment, service),
            ready_url=f"{self.plan.url(service.name)}/ready",
            log=self.plan.logs / f"{service.name}.log",
        )
        self._watch(service.name, process)
        if self._in_process and forks.possible():
            process.prepare(f"{service.module}.main", words=[service.name, service.mode])
        return process

    def _environment(self, service: Service) -> dict[str, str]:
        environment = self.plan.environment(service)
        # For `ibora dev`, which runs the service by itself.
        write_json(self.plan.folder / "services" / f"{service.name}.json", environment)
        return environment

    def _watch(self, name: str, runnable: Runnable) -> Supervised:
        self._watched.append(Supervised(name, runnable, say=self._say))
        return self._watched[-1]

    def _migrate(self) -> None:
        """Every service's migrations, one after the other."""
        started = time.monotonic()
        for service in self.plan.services:
            if service.database:
                self._check_owner()
                self._migrate_one(service)
        self._say(f"  databases migrated in {time.monotonic() - started:.1f} s")

    def _migrate_one(self, service: Service) -> None:
        if self._in_process:
            migrate(self.plan, service)
            return
        process = processes.start(
            self._command(service, "migrate"),
            log=self.plan.logs / f"{service.name}.log",
            env=self.plan.environment(service),
        )
        process.wait()
        self._check_migration(service.name, process)

    def _check_migration(self, name: str, process: subprocess.Popen[bytes]) -> None:
        if process.returncode != 0:
            log = self.plan.logs / f"{name}.log"
            raise processes.DidNotStart(
                f"{name} migrate ended with {process.returncode}:\n{processes.tail(log)}"
            )

    def _create_topics(self) -> None:
        if any(service.kafka for service in self.plan.services):
            from devstack.topics import prepare_broker

            asyncio.run(prepare_broker(self.plan.kafka))
            self._say("  topics made")

    def _wait(self, runnables: dict[str, Runnable], *, every_s: float = 0.05) -> None:
        """Until all answer; DidNotStart with the log's end as soon as one has died or the time is over."""
        started = time.monotonic()
        waiting = dict(runnables)
        while waiting:
            self._check_owner()
            for name, runnable in list(waiting.items()):
                if runnable.answers():
                    self._say(f"  {name} ready after {time.monotonic() - started:.1f} s")
                    del waiting[name]
                elif not runnable.running() or time.monotonic() - started > _READY_S:
                    raise processes.DidNotStart(f"{name} did not get ready:\n{self._tail(name)}")
            time.sleep(every_s)

    def _tail(self, name: str) -> str:
        part = self.plan.folder / "data" / name / f"{name}.log"
        return processes.tail(part if part.exists() else self.plan.logs / f"{name}.log")

    def _follow_hold(self, watched: Supervised) -> None:
        """Give a service to `ibora dev` while that runs, and take it back afterwards."""
        holder = self._held(watched).get("holder")
        wanted = holder is not None and processes.alive(holder)
        if wanted and not watched.resting:
            self._say(f"▸ {watched.name} is run by process {holder} now")
            watched.rest()
        elif watched.resting and not wanted:
            (self.plan.folder / "held" / watched.name).unlink(missing_ok=True)
            self._say(f"▸ {watched.name} is ours again")
            watched.resume()

    def _held(self, watched: Supervised) -> dict[str, int | None]:
        return read_json(self.plan.folder / "held" / watched.name) or {}

    def _write(self) -> None:
        self._written = self._pids()
        write_json(
            self.plan.stack_file, self.plan.stack(postgres_admin=self.postgres.url, pids=self._written)
        )

    def _pids(self) -> dict[str, int]:
        pids = {
            watched.name: self._held(watched).get("pid") if watched.resting else watched.runnable.pid
            for watched in self._watched
        }
        return {name: pid for name, pid in pids.items() if pid is not None}

    def _check_owner(self) -> None:
        pid, mark = self._owner
        if pid and (not processes.alive(pid) or processes.started_at(pid) != mark):
            raise Stopped(f"process {pid}, which this stack serves, is gone")


def service_command(service: Service, verb: str) -> list[str]:
    """Our own interpreter on the service's command, so that the process is the service, nothing around it."""
    return [sys.executable, str(Path(sys.executable).parent / service.name), verb]
