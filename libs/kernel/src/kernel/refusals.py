"""The refusal family: what a caller did that the rules do not allow.

A refusal is named after what is refused, carries a stable `code` and an HTTP `status`, says whether it is
`final` (a repeated request with the same idempotency key gets the same answer), and lives beside the code
that raises it. `pt` and `en` are what a person reads. Anything that is not a refusal is a bug: a 500.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One offending field: a JSON pointer into the request, a stable code and a sentence."""

    pointer: str
    code: str
    detail: str


class Refusal(Exception):
    """Base of every refusal.

    Subclasses set the class attributes; an instance adds `detail` (never personal data), `errors`
    and, for a refusal that will pass, `retry_after_s` (seconds).
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409
    final: ClassVar[bool] = True
    pt: ClassVar[str] = "O pedido foi recusado."
    en: ClassVar[str] = "The request was refused."

    def __init__(
        self,
        detail: str = "",
        *,
        retry_after_s: int | None = None,
        errors: Sequence[FieldError] = (),
    ) -> None:
        super().__init__(detail or self.en)
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.errors = tuple(errors)


class NotFound(Refusal):
    """The object does not exist, or is another's: the two look alike (no existence oracle)."""

    code = "not_found"
    status = 404
    pt = "Não encontramos o que você procura."
    en = "Not found."


class NotAllowed(Refusal):
    """The caller is known, but this role may not do this."""

    code = "forbidden"
    status = 403
    pt = "Você não tem permissão para fazer isso."
    en = "You are not allowed to do this."


class NotYetKnown(Refusal):
    """A fact of another service has not arrived yet; try again in a moment."""

    code = "not_yet_known"
    status = 409
    final = False
    pt = "Ainda estamos processando essa informação. Tente de novo em instantes."
    en = "This information has not arrived yet. Try again in a moment."

    def __init__(self, detail: str = "", *, retry_after_s: int = 1) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)


class Invalid(Refusal):
    """A value that has the right shape breaks a rule: 422, with the offending fields in `errors`."""

    code = "validation_error"
    status = 422
    pt = "Confira os dados enviados."
    en = "Check the data that you sent."


class Unavailable(Refusal):
    """A part that this request cannot do without is away; nothing was done."""

    code = "service_unavailable"
    status = 503
    final = False
    pt = "Serviço indisponível no momento. Tente de novo em instantes."
    en = "Service unavailable. Try again in a moment."
