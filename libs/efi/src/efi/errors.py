"""What can go wrong with Efí, told apart by the one thing that matters: did anything happen there?

* `EfiUnreachable`: nothing happened and the request said nothing wrong; repeat it with the same id.
* `EfiRefused`: nothing happened and nothing will; the answer is final.
* `EfiUnknown`: it may have happened. Ask Efí with the same id; never mint a new one.
* `EfiNotFound`: a query found nothing. Right after an `EfiUnknown` that proves nothing.

Where Efí answered at all, `status` is HTTP's, `name` Efí's (`valor_invalido`, `pagamento_negado`,
`insufficient_scope`, …; "http_error" for a page that is none of Efí's bodies, which is never a refusal) and `raw`
the body with personal data masked.
"""

import re
from typing import Any, Final

from telemetry import mask_text
from telemetry.patterns import MASK

RANDOM_KEY: Final = re.compile(
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE
)


def redacted(text: str) -> str:
    """`text` of Efí's without personal data. A UUIDv4 in it is somebody's random Pix key: our ids are others."""
    return RANDOM_KEY.sub(MASK, mask_text(text))


class EfiError(Exception):
    """Base of everything that a call to Efí raises."""

    def __init__(
        self, detail: str = "", *, name: str | None = None, status: int | None = None, raw: Any = None
    ) -> None:
        super().__init__(redacted(detail))
        self.name = name
        self.status = status
        self.raw = raw


class EfiUnreachable(EfiError):
    """Never sent, or turned away before it was looked at. `retry_after_s` when it is known how long to wait."""

    def __init__(
        self,
        detail: str = "",
        *,
        retry_after_s: float | None = None,
        name: str | None = None,
        status: int | None = None,
        raw: Any = None,
    ) -> None:
        super().__init__(detail, name=name, status=status, raw=raw)
        self.retry_after_s = retry_after_s


class EfiUnauthorized(EfiUnreachable):
    """Our credentials, certificate or scopes are not accepted: configuration, no verdict on the request."""


class EfiThrottled(EfiUnreachable):
    """429, still so after the retries."""


class EfiCircuitOpen(EfiUnreachable):
    """The host failed too often just now, so it was not asked."""


class EfiUnknown(EfiError):
    """A timeout, a connection lost after sending, a 5xx or an answer that makes no sense."""


class EfiMismatch(EfiUnknown):
    """Efí knows the id with another amount or key than ours: money may have moved, a person must look."""


class EfiRefused(EfiError):
    """A definitive no, for the reason `name`."""

    name: str
    status: int

    def __init__(self, name: str, status: int, detail: str = "", *, raw: Any = None) -> None:
        self.detail = redacted(detail)
        super().__init__(f"{name} ({status}): {self.detail}", name=name, status=status, raw=raw)


class ChargeNotActive(EfiRefused):
    """The charge is paid or removed already (`status_cobranca_invalido`)."""


class EfiNotFound(EfiError):
    """A query found nothing under that id."""


class ChargeNotFound(EfiNotFound):
    """No charge has this txid."""


class ReceivedNotFound(EfiNotFound):
    """No Pix with this endToEndId was received."""


class RefundNotFound(EfiNotFound):
    """No refund has this id."""


class SendNotFound(EfiNotFound):
    """No send has this idEnvio (yet)."""


class StatementNotFound(EfiNotFound):
    """No statement has this id."""
