"""Prints the Secrets of a development cluster as JSON: `kubernetes_secrets.py FOLDER | kubectl apply -f -`.

The values are made once by deploy/docker/prepare.py and kept in FOLDER (in .local/, which git ignores).
"""

import json
import sys
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "docker"))
import prepare

SERVICES: Final = ("identity", "ride-dispatch", "payment", "ledger", "payout", "notification", "backoffice")
OWN: Final[Mapping[str, Mapping[str, str]]] = {
    "identity": {
        "encryption-key": "secrets/identity-encryption-key",
        "blind-index-key": "secrets/identity-blind-index-key",
        "service-token": "secrets/service-token",
        "first-admin-password": "secrets/admin-password",
    },
    "payment": {"encryption-key": "secrets/payment-encryption-key"},
    "ledger": {"anchor-key": "secrets/ledger-anchor-key"},
    "payout": {"encryption-key": "secrets/payout-encryption-key", "service-token": "secrets/service-token"},
}


def secrets_of(folder: Path) -> list[dict[str, Any]]:
    """All Secrets of the chart's development values and of deploy/k8s/development.yaml."""
    settings = prepare.Settings(
        prepare_folder=folder / "stack", postgres_password_file=folder / "postgres" / "password"
    )
    prepare.secrets(settings)
    stack = settings.prepare_folder
    made = [_secret("ibora-gateway-token", {"token": stack / "secrets/gateway-token"})]
    for service in SERVICES:
        made += _of_service(service, stack)
    certificates = stack / "certificates"
    made.append(
        _secret(
            "ibora-efi",
            {
                "credentials.json": stack / "secrets/efi-credentials.json",
                "certificate.pem": certificates / "efi-client-bundle.pem",
                "ca.pem": certificates / "ca.pem",
            },
        )
    )
    made.append(
        _secret(
            "ibora-webhook",
            {
                "tls.crt": certificates / "webhook-server.pem",
                "tls.key": certificates / "webhook-server-key.pem",
                "ca.crt": certificates / "ca.pem",
            },
        )
    )
    return made + _of_platform(settings)


def _of_service(service: str, stack: Path) -> list[dict[str, Any]]:
    role = service.replace("-", "_")
    own = {key: stack / path for key, path in OWN.get(service, {}).items()}
    return [
        _secret(f"ibora-{service}", {"database-password": stack / f"secrets/database-{role}", **own}),
        _secret(
            f"ibora-{service}-owner", {"database-owner-password": stack / f"secrets/database-{role}_owner"}
        ),
    ]


def _of_platform(settings: "prepare.Settings") -> list[dict[str, Any]]:
    stack = settings.prepare_folder
    files = {path.name: path for path in sorted((stack / "certificates").glob("*.pem"))}
    files |= {name: stack / "secrets" / name for name in ("databases.json", "efi-credentials.json")}
    return [
        _secret("stack", files, namespace="ibora-platform"),
        _secret("postgres", {"password": settings.postgres_password_file}, namespace="ibora-platform"),
    ]


def _secret(name: str, files: Mapping[str, Path], *, namespace: str = "ibora") -> dict[str, Any]:
    data = {key: b64encode(path.read_bytes().strip()).decode() for key, path in files.items()}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data}


if __name__ == "__main__":
    json.dump({"apiVersion": "v1", "kind": "List", "items": secrets_of(Path(sys.argv[1]))}, sys.stdout)
