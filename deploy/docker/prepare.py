"""Makes a development stack's credentials, databases and topics: `prepare secrets | databases | topics`.

For docker compose and Tilt. Each step may run again: what exists is kept. Never for production.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

from pydantic import Field
from pydantic_settings import BaseSettings

from devstack.authority import Authority
from devstack.databases import create_databases
from devstack.files import kept_secret
from devstack.plan import Plan
from messaging import KafkaSettings
from messaging.admin import create_topics

SECRETS: Final = (
    "gateway-token",
    "service-token",
    "admin-password",
    "identity-encryption-key",
    "identity-blind-index-key",
    "payment-encryption-key",
    "payout-encryption-key",
    "ledger-anchor-key",
)
WEBHOOK_SUBJECT: Final = "webhook-h.efipay.com.br"


class Settings(BaseSettings):
    """`prepare_folder` is kept by our user; the database server's user must read `postgres_password_file`."""

    prepare_folder: Path = Path("/var/lib/ibora/stack")
    postgres_password_file: Path = Path("/var/lib/ibora/postgres/password")
    postgres_host: str = "postgres"
    postgres_port: int = Field(default=5432, ge=1, le=65535)
    postgres_user: str = "postgres"


def secrets(settings: Settings) -> None:
    """Every secret and certificate, in files that their owner reads."""
    plan = Plan(settings.prepare_folder)
    for name in SECRETS:
        plan.secret(name)
    _ = plan.efi_credentials
    for role, password in plan.passwords.items():
        kept_secret(plan.folder / "secrets" / f"database-{role}", make=password)
    _certify(plan.folder / "certificates")
    kept_secret(settings.postgres_password_file)
    # The database server runs as another user, and has this folder alone.
    settings.postgres_password_file.parent.chmod(0o755)
    settings.postgres_password_file.chmod(0o444)


def _certify(folder: Path) -> None:
    bundle = folder / "efi-client-bundle.pem"
    if bundle.exists():
        return
    authority = Authority(folder)
    authority.server("webhook-server", hosts=("payment", "payment-webhook.ibora.svc", "localhost"))
    authority.client("webhook-client", common_name=WEBHOOK_SUBJECT)
    authority.server("efi-server", hosts=("efi-simulator", "efi-simulator.ibora-platform.svc", "localhost"))
    client = authority.client("efi-client", common_name="ibora")
    bundle.touch(mode=0o600)
    bundle.write_bytes(client.cert.read_bytes() + client.key.read_bytes())


def databases(settings: Settings) -> None:
    """A database, its owner and its lesser role for each service."""
    password = quote(settings.postgres_password_file.read_text().strip(), safe="")
    where = f"{settings.postgres_host}:{settings.postgres_port}"
    url = f"postgresql://{settings.postgres_user}:{password}@{where}/postgres"
    asyncio.run(create_databases(Plan(settings.prepare_folder), admin_url=url))


def topics(_settings: Settings) -> None:
    """The topics that are missing, on one broker."""
    asyncio.run(create_topics(KafkaSettings()))


STEPS: Final[Mapping[str, Callable[[Settings], None]]] = {
    "secrets": secrets,
    "databases": databases,
    "topics": topics,
}


def main() -> int:
    wanted = sys.argv[1:]
    if not wanted or any(name not in STEPS for name in wanted):
        print(f"usage: prepare {' | '.join(STEPS)}", file=sys.stderr)
        return 2
    for name in wanted:
        STEPS[name](Settings())
        print(f"prepare: {name} done", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
