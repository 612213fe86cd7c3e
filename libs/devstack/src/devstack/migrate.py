"""Every service's migrations from one process: what takes time is not the DDL but nine interpreters.

One after the other, because Alembic's context is one a process. Identity's own `migrate` also opens the first
admin's account; its worker does that at each start anyway.
"""

import traceback
from contextlib import redirect_stderr, redirect_stdout

from devstack.manifest import Service
from devstack.plan import Plan
from devstack.processes import DidNotStart, tail


def migrate(plan: Plan, service: Service) -> None:
    """To the newest revision, as the owner; DidNotStart with the log's end when that fails."""
    from storage import DatabaseSettings, migrations

    settings = DatabaseSettings(
        database_url=plan.dsn(service),
        database_owner_url=plan.dsn(service, owner=True),
        database_password_file=None,
        database_owner_password_file=None,
    )
    log = plan.logs / f"{service.name}.log"
    with log.open("a") as output, redirect_stdout(output), redirect_stderr(output):
        try:
            migrations.run(plan.repository / "services" / service.name, settings)
            return
        except Exception:  # whatever a migration may do  # noqa: BLE001
            traceback.print_exc()
    raise DidNotStart(f"the migrations of {service.name} failed:\n{tail(log)}")
