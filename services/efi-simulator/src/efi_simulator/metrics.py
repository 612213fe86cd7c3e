"""What became of the webhooks."""

from typing import Final

from prometheus_client import Counter

WEBHOOK_ATTEMPTS: Final = Counter(
    "efi_simulator_webhook_attempts_total", "Attempts to deliver a webhook", ("kind", "outcome")
)
