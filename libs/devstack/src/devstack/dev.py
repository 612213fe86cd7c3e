"""`ibora dev SERVICE`: one service of the running stack in the foreground, started again at every change."""

import os
import subprocess
from pathlib import Path

from watchfiles import PythonFilter, watch

from devstack import folders, processes, stack
from devstack.files import read_json, write_json
from devstack.manifest import BY_NAME
from devstack.supervisor import service_command


def dev(name: str, *, folder: Path) -> int:
    """Take the service from the stack, run it here, and give it back at the end, whatever the end is.

    The stack's supervisor sees the file `held/<service>`, which names this process and the service's, and
    takes the service back when the file or this process is gone.
    """
    running = stack.described(folder)
    environment = {**read_json(folder / "services" / f"{name}.json"), "LOG_FORMAT": "console"}
    held = folder / "held" / name
    write_json(held, {"holder": os.getpid(), "pid": None})
    process: subprocess.Popen[bytes] | None = None
    try:
        if pid := running["pids"].get(name):
            processes.wait_until(lambda: not processes.alive(pid), timeout_s=30)
        process = _start(name, environment, held)
        for changes in watch(*_watched(name), watch_filter=PythonFilter(), raise_interrupt=False):
            print(f"▸ {len(changes)} changed, starting {name} again", flush=True)
            processes.stop(process)
            process = _start(name, environment, held)
    finally:
        if process:
            processes.stop(process)
        held.unlink(missing_ok=True)
    print(f"▸ {name} goes back to the stack", flush=True)
    return 0


def _start(name: str, environment: dict[str, str], held: Path) -> "subprocess.Popen[bytes]":
    service = BY_NAME[name]
    command = service_command(service, service.mode)
    # A session of its own, so that Ctrl-C reaches us only and the service is stopped in good order.
    process = subprocess.Popen(
        processes.leash(command), env=environment, stdin=subprocess.DEVNULL, start_new_session=True
    )
    write_json(held, {"holder": os.getpid(), "pid": process.pid})
    return process


def _watched(name: str) -> list[Path]:
    sources = [folders.ROOT / "services" / name / "src"]
    libraries = (folders.ROOT / "libs").iterdir()
    sources += [library / "src" for library in libraries if library.name not in {"testkit", "devstack"}]
    return [source for source in sources if source.is_dir()]
