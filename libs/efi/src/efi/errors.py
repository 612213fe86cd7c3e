"""What can go wrong with Efí, told apart by the one thing that matters: did anything happen there?

* `EfiUnreachable`: nothing happened and the request said nothing wrong; repeat it with the same id.
* `EfiRefused`: nothing happened and nothing will; the answer is final.
* `EfiUnknown`: it may have happened. Ask Efí with the same id; never mint a new one.
* `EfiNotFound`: a query found nothing. Right after an `EfiUnknown` that proves nothing.
"""

from telemetry import mask_text


class EfiError(Exception):
    """Base of everything that a call to Efí raises."""


class EfiUnreachable(EfiError):
    """Never sent, or turned away before it was looked at. `retry_after_s` when Efí said how long to wait."""

    def __init__(self, detail: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__(mask_text(detail))
        self.retry_after_s = retry_after_s


class EfiUnauthorized(EfiUnreachable):
    """Our credentials, certificate or scopes are not accepted: configuration, no verdict on the request."""


class EfiThrottled(EfiUnreachable):
    """429, still so after the retries."""


class EfiUnknown(EfiError):
    """A timeout, a connection lost after sending, a 5xx or an answer that makes no sense."""

    def __init__(self, detail: str = "", *, status: int | None = None) -> None:
        super().__init__(mask_text(detail))
        self.status = status


class EfiMismatch(EfiUnknown):
    """Efí knows the id with another amount or key than ours: money may have moved, a person must look."""


class EfiRefused(EfiError):
    """A definitive no. `name` is Efí's (`valor_invalido`, `pagamento_negado`, …), `status` HTTP's."""

    def __init__(self, name: str, status: int, detail: str = "") -> None:
        self.name = name
        self.status = status
        self.detail = mask_text(detail)
        super().__init__(f"{name} ({status}): {self.detail}")


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
