"""The owner role makes the tables; the service's role gets what it needs, also of tables made later."""

from alembic import context
from sqlalchemy import Connection, text

ATTRIBUTE = "app_role"


class RoleMissing(RuntimeError):
    """The role that the service runs as does not exist in this cluster."""


def app_role() -> str:
    """Inside a migration: the service's role, quoted, ready for a REVOKE or GRANT."""
    return quoted(context.config.attributes[ATTRIBUTE])


def quoted(role: str) -> str:
    """A role's name as an SQL identifier."""
    return '"' + role.replace('"', '""') + '"'


def grant_defaults(connection: Connection, *, role: str) -> None:
    """Let `role` read and write every table that the owner will make; before the migrations, so that
    a REVOKE inside a migration stands."""
    if connection.scalar(text("SELECT current_user")) == role:
        return
    if connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}) is None:
        raise RoleMissing(f"the role {role} does not exist: create it before migrating")
    name = quoted(role)
    for grant in (
        f"GRANT USAGE ON SCHEMA public TO {name}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {name}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {name}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO {name}",
    ):
        connection.execute(text(grant))


def protect_version_table(connection: Connection, *, role: str) -> None:
    """The service may read which revision is installed, not change it."""
    if connection.scalar(text("SELECT current_user")) == role:
        return
    if connection.scalar(text("SELECT to_regclass('public.alembic_version')")) is None:
        return
    connection.execute(text(f"REVOKE INSERT, UPDATE, DELETE ON public.alembic_version FROM {quoted(role)}"))
