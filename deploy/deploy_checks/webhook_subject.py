"""The subject that webhook callers must have is the one of the Efí that is called: production's or homologation's."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from deploy_checks import workloads
from deploy_checks.rendering import Document, name_of

PRODUCTION: Final = "webhook.efipay.com.br"
HOMOLOGATION: Final = "webhook-h.efipay.com.br"
OF_HOST: Final[Mapping[str, str]] = {
    "pix.api.efipay.com.br": PRODUCTION,
    "pix-h.api.efipay.com.br": HOMOLOGATION,
}
"""Efí's API hosts, each with the common name of the client that calls webhooks from there."""


def problems_of(documents: Sequence[Document]) -> list[str]:
    """Of every pod in a rendering."""
    found = []
    for document, pod in workloads.pods(documents):
        for container in pod["containers"]:
            environment = {entry["name"]: str(entry.get("value", "")) for entry in container.get("env", [])}
            found += [f"{name_of(document)}: {problem}" for problem in of_environment(environment)]
    return found


def of_environment(environment: Mapping[str, str]) -> Iterator[str]:
    """Of one container that listens for webhooks; nothing is said of others.

    Behind any other address (the simulator, a proxy of ours) the ENVIRONMENT decides which of the two is meant.
    """
    if "WEBHOOK_PORT" not in environment:
        return
    subject, address = environment.get("WEBHOOK_CLIENT_SUBJECT", ""), environment.get("EFI_BASE_URL", "")
    if not subject:
        yield "listens for webhooks and sets no WEBHOOK_CLIENT_SUBJECT: both of Efí's environments may call"
        return
    elsewhere = PRODUCTION if environment.get("ENVIRONMENT") == "production" else HOMOLOGATION
    wanted = OF_HOST.get(urlsplit(address).hostname or "", elsewhere)
    if subject != wanted:
        yield f"WEBHOOK_CLIENT_SUBJECT is {subject}, but {address} calls as {wanted}"
