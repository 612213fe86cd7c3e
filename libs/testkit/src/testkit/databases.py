"""A database for each test: cloned from a template that is migrated once a run."""

import asyncio
import hashlib
import itertools
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from devstack import folders, locks
from testkit.apart import Apart, in_thread

_PASSWORD: Final = "test"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseUrls:
    """One database as its owner (migrations), as the role its service runs as, and as the superuser."""

    name: str
    owner_url: str
    app_url: str
    admin_url: str


class Databases:
    """Makes and drops databases on one server; `run_id` marks them as this run's."""

    def __init__(self, admin_url: str, *, run_folder: Path, run_id: str, apart: Apart) -> None:
        self._admin_url = admin_url
        self._run_folder = run_folder
        self._run_id = run_id
        self._apart = apart
        self._templates: dict[str, DatabaseUrls] = {}

    def make(self, source: str | Path | None) -> DatabaseUrls:
        """A fresh database: of a service by its name, of any folder with `migrations/`, or empty for None."""
        label = _label(source)
        template = self._templates.get(label) or self._template(source, label)
        self._templates[label] = template
        urls = self._urls(f"t_{self._run_id}_{os.getpid()}_{next(_numbers)}", label)
        self._execute(
            f'CREATE DATABASE "{urls.name}" TEMPLATE "{template.name}" OWNER "{_owner(label)}"',
            f'REVOKE ALL ON DATABASE "{urls.name}" FROM PUBLIC',
            f'GRANT CONNECT, TEMPORARY ON DATABASE "{urls.name}" TO "{_app(label)}"',
        )
        return urls

    def drop(self, urls: DatabaseUrls) -> None:
        self._execute(f'DROP DATABASE IF EXISTS "{urls.name}" WITH (FORCE)')

    def _template(self, source: str | Path | None, label: str) -> DatabaseUrls:
        """The migrated template, made by whichever worker comes first; a failed migration leaves none."""
        urls = self._urls(f"t_{self._run_id}_{label}", label)
        made = self._run_folder / f"template-{label}"
        with locks.file_lock(self._run_folder / f"template-{label}.lock"):
            if made.exists():
                if failure := json.loads(made.read_text())["failure"]:
                    raise MigrationFailed(f"{source}: {failure}")
                return urls
            try:
                self._make_template(source, label, urls)
            except Exception as error:
                # Every further test would run the same migration into the same wall.
                made.write_text(json.dumps({"failure": f"{type(error).__name__}: {error}"}))
                raise
            made.write_text(json.dumps({"failure": None}))
        return urls

    def _make_template(self, source: str | Path | None, label: str, urls: DatabaseUrls) -> None:
        self._apart.run(_ensure_roles(self._admin_url, [_owner(label), _app(label)]))
        self._execute(
            f'DROP DATABASE IF EXISTS "{urls.name}" WITH (FORCE)',
            f'CREATE DATABASE "{urls.name}" OWNER "{_owner(label)}"',
            f'REVOKE ALL ON DATABASE "{urls.name}" FROM PUBLIC',
            f'GRANT CONNECT, TEMPORARY ON DATABASE "{urls.name}" TO "{_app(label)}"',
        )
        if source is not None:
            migrate(_folder(source), urls)

    def _urls(self, name: str, label: str) -> DatabaseUrls:
        return DatabaseUrls(
            name=name,
            owner_url=_with(self._admin_url, database=name, user=_owner(label), password=_PASSWORD),
            app_url=_with(self._admin_url, database=name, user=_app(label), password=_PASSWORD),
            admin_url=_with(self._admin_url, database=name),
        )

    def _execute(self, *statements: str) -> None:
        self._apart.run(execute(self._admin_url, *statements))


class MigrationFailed(Exception):
    """The service's migrations do not run; the first test that needed them shows how."""


def migrate(folder: Path, urls: DatabaseUrls, *, revision: str = "head") -> None:
    """Run the migrations of a service's folder as the owner."""
    from storage import DatabaseSettings, migrations

    settings = DatabaseSettings(database_url=urls.app_url, database_owner_url=urls.owner_url)
    in_thread(lambda: migrations.run(folder, settings, revision=revision))


async def execute(url: str, *statements: str) -> None:
    """Run statements one by one, each in its own transaction, on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def drop_all(admin_url: str, *, run_id: str) -> None:
    """Drop whatever databases a run has left on a server that outlives it."""
    connection = await asyncpg.connect(admin_url)
    try:
        names = await connection.fetch(
            "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", f"t_{run_id}_"
        )
        for row in names:
            await connection.execute(f'DROP DATABASE IF EXISTS "{row["datname"]}" WITH (FORCE)')
    finally:
        await connection.close()


async def _ensure_roles(admin_url: str, roles: Sequence[str]) -> None:
    connection = await asyncpg.connect(admin_url)
    try:
        for role in roles:
            if await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
                continue
            try:
                await connection.execute(f"CREATE ROLE \"{role}\" LOGIN PASSWORD '{_PASSWORD}'")
            except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
                await asyncio.sleep(0)  # another run on the same server was faster
    finally:
        await connection.close()


def _folder(source: str | Path) -> Path:
    return source if isinstance(source, Path) else folders.ROOT / "services" / source


def _label(source: str | Path | None) -> str:
    """What a template and its roles are named after: letters, digits and underscores."""
    if source is None:
        return "empty"
    if isinstance(source, Path):
        return f"{source.name}_{hashlib.sha256(str(source).encode()).hexdigest()[:6]}".replace("-", "_")
    return source.replace("-", "_")


def _owner(label: str) -> str:
    return f"test_{label}_owner"


def _app(label: str) -> str:
    return f"test_{label}"


def _with(url: str, *, database: str, user: str | None = None, password: str | None = None) -> str:
    """The same server, another database and, when given, another user."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    login = f"{user}:{password}" if user else parts.netloc.rpartition("@")[0]
    return urlunsplit((parts.scheme, f"{login}@{place}", f"/{database}", parts.query, ""))
