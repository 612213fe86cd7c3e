"""Efí's Pix API: the client, typed errors, webhook bodies and BR Codes."""

from efi import brcode
from efi.client import EfiClient
from efi.e2e import e2e_time, looks_like_e2e_id
from efi.errors import (
    ChargeNotActive,
    ChargeNotFound,
    EfiError,
    EfiMismatch,
    EfiNotFound,
    EfiRefused,
    EfiThrottled,
    EfiUnauthorized,
    EfiUnknown,
    EfiUnreachable,
    ReceivedNotFound,
    RefundNotFound,
    SendNotFound,
)
from efi.models import (
    Charge,
    ChargeStatus,
    ReceivedPix,
    Refund,
    RefundStatus,
    Return,
    Send,
    SendStatus,
    Webhook,
    WebhookItem,
    WebhookKind,
)
from efi.settings import EfiSettings
from efi.webhook import MalformedWebhook, parse_webhook

__all__ = [
    "Charge",
    "ChargeNotActive",
    "ChargeNotFound",
    "ChargeStatus",
    "EfiClient",
    "EfiError",
    "EfiMismatch",
    "EfiNotFound",
    "EfiRefused",
    "EfiSettings",
    "EfiThrottled",
    "EfiUnauthorized",
    "EfiUnknown",
    "EfiUnreachable",
    "MalformedWebhook",
    "ReceivedNotFound",
    "ReceivedPix",
    "Refund",
    "RefundNotFound",
    "RefundStatus",
    "Return",
    "Send",
    "SendNotFound",
    "SendStatus",
    "Webhook",
    "WebhookItem",
    "WebhookKind",
    "brcode",
    "e2e_time",
    "looks_like_e2e_id",
    "parse_webhook",
]
