"""Connections have a budget: what every process of a stack may open fits under Postgres' limit."""

from devstack.manifest import MAX_CONNECTIONS, SERVICES, connections_needed
from storage import DatabaseSettings

# superuser_reserved_connections, a person with psql, the checks of a demo.
RESERVED = 20


def test_a_stack_fits_under_postgres_limit() -> None:
    settings = DatabaseSettings(database_url="postgresql://nobody@localhost/none")
    pool = settings.database_pool_size + settings.database_max_overflow

    needed = connections_needed(SERVICES, pool=pool)

    with_database = [service for service in SERVICES if service.database]
    assert needed >= len(with_database) * pool
    assert needed + RESERVED <= MAX_CONNECTIONS


def test_two_processes_a_service_need_twice_as_many() -> None:
    assert connections_needed(SERVICES, pool=10, processes=2) == 2 * connections_needed(SERVICES, pool=10)
