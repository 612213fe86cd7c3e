"""One stack, decided before anything starts: its folder, ports, secrets, certificates, every environment."""

import base64
import json
import os
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from devstack import folders, ports
from devstack.authority import Authority, CertificateFiles
from devstack.files import kept_secret, read_json, write_json
from devstack.manifest import SERVICES, Service

# The names that a stack's services share with the shell that started it would surprise: ours are set, these
# dropped.
_DROPPED = (
    "DATABASE_REPLICA_URL",
    "DATABASE_PASSWORD_FILE",
    "KAFKA_SECURITY_PROTOCOL",
    "CORS_ORIGINS",
    "COLUMNS",
)


@dataclass(frozen=True, slots=True)
class StackCertificates:
    """All signed by one development authority of the stack's own."""

    ca: Path
    webhook_server: CertificateFiles
    webhook_client: CertificateFiles
    webhook_subject: str
    simulator: CertificateFiles
    efi_client: CertificateFiles
    efi_client_bundle: Path


@dataclass
class Plan:
    """Where everything of one stack is. `settings` are the caller's: LIMITS, JANITOR_S, …"""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    repository: Path = folders.ROOT
    services: tuple[Service, ...] = SERVICES
    admin_login: str = "admin@example.com"

    def __post_init__(self) -> None:
        self._ports: dict[str, int] = {}
        for name in ("logs", "secrets", "certificates", "services", "held"):
            (self.folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def stack_file(self) -> Path:
        return self.folder / "stack.json"

    def setting(self, name: str, default: str = "") -> str:
        return self.settings.get(name) or default

    def port(self, name: str) -> int:
        """The port of a service or part, claimed when first asked for. The gateway likes 8000."""
        if name not in self._ports:
            preferred = 8000 if name == "gateway" else None
            self._ports[name] = ports.free_port(preferred=preferred)
        return self._ports[name]

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.port(service)}"

    @property
    def webhook_url(self) -> str:
        return f"https://localhost:{self.port('payment-webhook')}"

    @property
    def efi_url(self) -> str:
        return f"https://localhost:{self.port('efi-api')}"

    @property
    def kafka(self) -> str:
        return f"127.0.0.1:{self.port('kafka')}"

    @property
    def valkey(self) -> str:
        return f"redis://127.0.0.1:{self.port('valkey')}/0"

    def service_urls(self) -> str:
        """JSON for the gateway: the HTTP address of each service behind it."""
        behind = [service for service in self.services if service.name not in {"gateway", "efi-simulator"}]
        return json.dumps({service.name: self.url(service.name) for service in behind})

    def secret(self, name: str) -> str:
        """The path of a secret, generated for this stack when it is new."""
        path = self.folder / "secrets" / name
        make = _MAKERS.get(name)
        kept_secret(path, make=make() if make else None)
        return str(path)

    @cached_property
    def passwords(self) -> dict[str, str]:
        """Of every database role, the owner's and the service's."""
        path = self.folder / "secrets" / "databases.json"
        known: dict[str, str] = read_json(path) or {}
        roles = [role for s in self.services if s.database for role in (s.role, f"{s.role}_owner")]
        known.update({role: secrets.token_urlsafe(18) for role in roles if role not in known})
        write_json(path, known)
        return known

    def dsn(self, service: Service, *, owner: bool = False) -> str:
        role = f"{service.role}_owner" if owner else service.role
        return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{self.port('postgres')}/{service.role}"

    @cached_property
    def efi_credentials(self) -> Path:
        path = self.folder / "secrets" / "efi-credentials.json"
        if not path.exists():
            identifier, secret = (
                f"{word}_{secrets.token_hex(20)}" for word in ("Client_Id", "Client_Secret")
            )
            write_json(path, {"client_id": identifier, "client_secret": secret})
        return path

    @cached_property
    def efi_pix_key(self) -> str:
        """Our own key at the bank: a random one (evp)."""
        return kept_secret(self.folder / "secrets" / "efi-pix-key", make=str(uuid.uuid4()))

    @cached_property
    def certificates(self) -> StackCertificates:
        return make_certificates(self.folder / "certificates")

    def environment(self, service: Service) -> dict[str, str]:
        """All that a service's process reads, on top of the caller's own environment."""
        inherited = {name: value for name, value in os.environ.items() if name not in _DROPPED}
        return {
            **inherited,
            **self.settings,
            **self._common(service),
            **(self._database(service) if service.database else {}),
            **(self._efi() if service.efi else {}),
            **service.environment(self),
        }

    def _common(self, service: Service) -> dict[str, str]:
        return {
            "SERVICE_HOST": "127.0.0.1",
            "SERVICE_PORT": str(self.port(service.name)),
            "ENVIRONMENT": "development",
            "KAFKA_BOOTSTRAP": self.kafka,
            "KAFKA_TOPIC_PREFIX": "",
            "VALKEY_URL": self.valkey,
            "JWKS_URL": f"{self.url('identity')}/.well-known/jwks.json",
            "IDENTITY_URL": self.url("identity"),
            "TOKEN_ISSUER": self.setting("TOKEN_ISSUER", "https://ibora.invalid"),
            "TOKEN_AUDIENCE": self.setting("TOKEN_AUDIENCE", "ibora"),
            "GATEWAY_TOKEN_FILE": self.secret("gateway-token"),
            "RATE_LIMITS": "relaxed" if self.setting("LIMITS") == "relaxed" else "strict",
            "LOG_LEVEL": self.setting("LOG_LEVEL", "INFO"),
            "LOG_FORMAT": self.setting("LOG_FORMAT", "json"),
            "PUBLIC_URL": self.url("gateway"),
            # Nobody balances load here: a restart need not wait for a balancer to notice.
            "DRAIN_S": self.setting("DRAIN_S", "0"),
            "PYTHONUNBUFFERED": "1",
        }

    def _database(self, service: Service) -> dict[str, str]:
        return {"DATABASE_URL": self.dsn(service), "DATABASE_OWNER_URL": self.dsn(service, owner=True)}

    def _efi(self) -> dict[str, str]:
        return {
            "EFI_BASE_URL": self.efi_url,
            "EFI_CREDENTIALS_FILE": str(self.efi_credentials),
            "EFI_CERTIFICATE_FILE": str(self.certificates.efi_client_bundle),
            "EFI_CA_FILE": str(self.certificates.ca),
            "EFI_PIX_KEY": self.efi_pix_key,
        }

    def stack(self, *, postgres_admin: str, pids: Mapping[str, int]) -> dict[str, Any]:
        """What stack.json says, in the form of docs/api.md. Paths are absolute."""
        files = self.certificates
        return {
            "gateway": self.url("gateway"),
            "services": {service.name: self.url(service.name) for service in self.services},
            "payment_webhook": self.webhook_url,
            "efi": {"api": self.efi_url, "control": self.url("efi-simulator")},
            "kafka": self.kafka,
            "valkey": self.valkey,
            "postgres": {service.name: self.dsn(service) for service in self.services if service.database},
            "postgres_admin": postgres_admin,
            "admin": {"login": self.admin_login, "password": Path(self.secret("admin-password")).read_text()},
            "certificates": {
                "ca": str(files.ca),
                "efi_client_cert": str(files.efi_client.cert),
                "efi_client_key": str(files.efi_client.key),
                "webhook_client_cert": str(files.webhook_client.cert),
                "webhook_client_key": str(files.webhook_client.key),
            },
            "pids": dict(pids),
        }


def make_certificates(folder: Path) -> StackCertificates:
    """The development authority and what it signs: Efí's server, our client, the webhook's two ends."""
    authority = Authority(folder)
    # Efí's own webhook client is named like this; the payment service checks the subject.
    subject = "webhook-h.efipay.com.br"
    client = authority.client("efi-client", common_name="ibora")
    bundle = folder / "efi-client-bundle.pem"
    bundle.touch(mode=0o600)
    bundle.write_bytes(client.cert.read_bytes() + client.key.read_bytes())
    return StackCertificates(
        ca=authority.ca,
        webhook_server=authority.server("webhook-server"),
        webhook_client=authority.client("webhook-client", common_name=subject),
        webhook_subject=subject,
        simulator=authority.server("efi-server"),
        efi_client=client,
        efi_client_bundle=bundle,
    )


def _new_key() -> str:
    """32 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _new_signing_key() -> str:
    """An Ed25519 private key in PEM (PKCS #8)."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


# What is not 43 characters of base64url.
_MAKERS: Mapping[str, Callable[[], str]] = {
    "identity-encryption-key": _new_key,
    "identity-blind-index-key": _new_key,
    "payment-encryption-key": _new_key,
    "payout-encryption-key": _new_key,
    "ledger-anchor-key": _new_signing_key,
}
