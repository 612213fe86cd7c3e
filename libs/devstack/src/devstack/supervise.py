"""The supervisor's process: `python -m devstack.supervise --folder FOLDER`."""

import argparse
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from devstack import folders, processes
from devstack.guards import AlreadyRunning
from devstack.manifest import BY_NAME, SERVICES, Service
from devstack.parts import EmbeddedPostgres
from devstack.plan import Plan
from devstack.supervisor import Supervisor

SETTINGS = (
    "LIMITS",
    "JANITOR_S",
    "CHARGE_TTL_S",
    "OFFER_TTL_S",
    "SEARCH_TTL_S",
    "ACCESS_TTL_S",
    "COMMISSION_BPS",
    "DRAIN_S",
    "LOG_LEVEL",
    "LOG_FORMAT",
    "TOKEN_ISSUER",
    "TOKEN_AUDIENCE",
)
"""What the one who starts a stack may set in the environment."""


def wipe(folder: Path) -> None:
    """Forget an earlier stack's data, credentials and logs; the supervisor's own log stays, it is being
    written.
    """
    EmbeddedPostgres(folder / "data" / "postgres", port=1).destroy()
    for name in ("data", "secrets", "certificates", "services", "held"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "stack.json").unlink(missing_ok=True)
    for log in (folder / "logs").glob("*.log"):
        if log.name != "supervisor.log":
            log.unlink()


def chosen(names: Iterable[str]) -> tuple[Service, ...]:
    """The services of these names; all for none. KeyError for a name that is no service."""
    wanted = [BY_NAME[name] for name in names]
    return tuple(service for service in SERVICES if service in wanted) if wanted else SERVICES


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="devstack.supervise")
    parser.add_argument("--folder", type=Path, default=folders.ROOT / ".local")
    parser.add_argument("--owner", type=int, help="end when this process is gone")
    parser.add_argument("--only", default="", help="services, separated by commas; all by default")
    parser.add_argument("--keep-data", action="store_true", help="start on the data of the last time")
    options = parser.parse_args(arguments)
    folder = options.folder.resolve()
    if not options.keep_data:
        wipe(folder)
    settings = {name: os.environ[name] for name in SETTINGS if os.environ.get(name)}
    services = chosen(name for name in options.only.split(",") if name)
    plan = Plan(folder=folder, settings=settings, services=services)
    try:
        Supervisor(plan, owner_pid=options.owner).run()
    except (processes.DidNotStart, AlreadyRunning) as error:
        print(f"✗ {error}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
