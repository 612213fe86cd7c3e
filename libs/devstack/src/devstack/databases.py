"""A database, an owner and a lesser role for each service, on the stack's own Postgres."""

import asyncpg

from devstack.plan import Plan


async def create_databases(plan: Plan, *, admin_url: str) -> None:
    """Make what is missing; each role can enter its own database only. Passwords are set to the plan's."""
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute("REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
        for service in plan.services:
            if service.database:
                await _create(connection, role=service.role, passwords=plan.passwords)
    finally:
        await connection.close()


async def _create(connection: "asyncpg.Connection", *, role: str, passwords: dict[str, str]) -> None:
    owner = f"{role}_owner"
    for name in (owner, role):
        known = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
        verb = "ALTER" if known else "CREATE"
        # A generated password holds letters, digits, - and _ only.
        await connection.execute(f"{verb} ROLE \"{name}\" LOGIN PASSWORD '{passwords[name]}'")
    if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", role):
        await connection.execute(f'CREATE DATABASE "{role}" OWNER "{owner}"')
    await connection.execute(f'REVOKE ALL ON DATABASE "{role}" FROM PUBLIC')
    await connection.execute(f'GRANT CONNECT, TEMPORARY ON DATABASE "{role}" TO "{role}"')
