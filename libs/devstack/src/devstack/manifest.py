"""Every service of the stack, declared: what it needs and what it alone is told."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from devstack.plan import Plan

Environment = Mapping[str, str]


def _nothing(_plan: "Plan") -> Environment:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service of the stack. Mode `all` is one process for requests, consumers, relay and jobs."""

    name: str
    database: bool = True
    kafka: bool = True
    efi: bool = False
    mode: str = "all"
    environment: "Callable[[Plan], Environment]" = _nothing

    @property
    def module(self) -> str:
        return self.name.replace("-", "_")

    @property
    def role(self) -> str:
        """The database's and the lesser role's name."""
        return self.module


def _identity(plan: "Plan") -> Environment:
    return {
        "FIRST_ADMIN_LOGIN": plan.admin_login,
        "FIRST_ADMIN_PASSWORD_FILE": plan.secret("admin-password"),
        "ENCRYPTION_KEY_FILE": plan.secret("identity-encryption-key"),
        "BLIND_INDEX_KEY_FILE": plan.secret("identity-blind-index-key"),
        "SERVICE_TOKEN_FILE": plan.secret("service-token"),
    }


def _gateway(plan: "Plan") -> Environment:
    return {
        "SERVICE_URLS": plan.service_urls(),
        "OPENAPI_FILE": str(plan.repository / "schemas" / "openapi" / "public.json"),
    }


def _payment(plan: "Plan") -> Environment:
    return {
        "WEBHOOK_HOST": "127.0.0.1",
        "WEBHOOK_PORT": str(plan.port("payment-webhook")),
        "WEBHOOK_CERTIFICATE_FILE": str(plan.certificates.webhook_server.cert),
        "WEBHOOK_KEY_FILE": str(plan.certificates.webhook_server.key),
        "WEBHOOK_CLIENT_CA_FILE": str(plan.certificates.ca),
        "WEBHOOK_CLIENT_SUBJECT": plan.certificates.webhook_subject,
        "WEBHOOK_URL": f"{plan.webhook_url}/webhooks/efi",
        "ENCRYPTION_KEY_FILE": plan.secret("payment-encryption-key"),
    }


def _ledger(plan: "Plan") -> Environment:
    return {
        "ANCHOR_KEY_FILE": plan.secret("ledger-anchor-key"),
        # A demo is over before a minute is, and its books shall be told outside the database all the same.
        "ANCHOR_EVERY_S": plan.setting("ANCHOR_EVERY_S", "2"),
    }


def _payout(plan: "Plan") -> Environment:
    return {
        "ENCRYPTION_KEY_FILE": plan.secret("payout-encryption-key"),
        "SERVICE_TOKEN_FILE": plan.secret("service-token"),
        # A laptop's driver registers and is paid within minutes, and its bank loses no answer for long.
        "PIX_KEY_COOLING_S": plan.setting("PIX_KEY_COOLING_S", "0"),
        "PAYOUT_RESEND_AFTER_S": plan.setting("PAYOUT_RESEND_AFTER_S", "5"),
    }


def _efi_simulator(plan: "Plan") -> Environment:
    files = plan.certificates
    return {
        "SERVICE_PORT": str(plan.port("efi-api")),
        "CONTROL_PORT": str(plan.port("efi-simulator")),
        "SIMULATOR_CERTIFICATE_FILE": str(files.simulator.cert),
        "SIMULATOR_KEY_FILE": str(files.simulator.key),
        "SIMULATOR_CLIENT_CA_FILE": str(files.ca),
        "EFI_CREDENTIALS_FILE": str(plan.efi_credentials),
        "EFI_PIX_KEY": plan.efi_pix_key,
        "WEBHOOK_CA_FILE": str(files.ca),
        "WEBHOOK_CLIENT_CERTIFICATE_FILE": str(files.webhook_client.cert),
        "WEBHOOK_CLIENT_KEY_FILE": str(files.webhook_client.key),
        "STATE_FOLDER": str(plan.folder / "data" / "efi-simulator"),
    }


SERVICES: Final = (
    Service(name="efi-simulator", database=False, kafka=False, environment=_efi_simulator),
    Service(name="identity", environment=_identity),
    Service(name="ride-dispatch"),
    Service(name="payment", efi=True, environment=_payment),
    Service(name="ledger", environment=_ledger),
    Service(name="payout", efi=True, environment=_payout),
    Service(name="notification"),
    Service(name="backoffice"),
    Service(name="gateway", database=False, kafka=False, environment=_gateway),
)

BY_NAME: Final[Mapping[str, Service]] = {service.name: service for service in SERVICES}

MAX_CONNECTIONS: Final = 300
"""Of the stack's Postgres."""

# Beside its pool a worker holds one connection for the relay's lease and one for its jobs' advisory locks; a
# rebuild or a migration may run next to it.
_DIRECT_CONNECTIONS: Final = 4


def connections_needed(services: Iterable[Service], *, pool: int, processes: int = 1) -> int:
    """The most that so many processes of each service open at once; `pool` is size and overflow."""
    users = sum(service.database for service in services)
    return users * processes * (pool + _DIRECT_CONNECTIONS)
