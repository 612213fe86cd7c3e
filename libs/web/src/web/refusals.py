"""What the HTTP door itself refuses, whatever the service."""

from collections.abc import Sequence
from typing import ClassVar

from kernel.refusals import FieldError, Refusal


class Unauthenticated(Refusal):
    """No token was sent."""

    code = "unauthenticated"
    status = 401
    final = False
    pt = "Entre na sua conta para continuar."
    en = "Sign in to continue."
    challenge: ClassVar[str] = 'Bearer realm="ibora"'


class InvalidToken(Unauthenticated):
    """The token is malformed, expired, revoked or not for us. Which of them is nobody's business."""

    code = "invalid_token"
    pt = "Sua sessão não é mais válida. Entre de novo."
    en = "Your session is no longer valid. Sign in again."
    challenge = 'Bearer realm="ibora", error="invalid_token"'


class IdempotencyKeyRequired(Refusal):
    """The call needs an Idempotency-Key header."""

    code = "idempotency_key_required"
    status = 400
    final = False
    pt = "Envie o cabeçalho Idempotency-Key."
    en = "Send the Idempotency-Key header."


class MalformedJson(Refusal):
    """The body is not JSON: also NaN, Infinity, lone surrogates, and nesting or numbers beyond reason."""

    code = "malformed_json"
    status = 400
    final = False
    pt = "O corpo do pedido não é um JSON válido."
    en = "The request body is not valid JSON."


class PayloadTooLarge(Refusal):
    """The body is larger than the service reads."""

    code = "payload_too_large"
    status = 413
    final = False
    pt = "O corpo do pedido é grande demais."
    en = "The request body is too large."


class RequestTimeout(Refusal):
    """The body did not arrive in time."""

    code = "request_timeout"
    status = 408
    final = False
    pt = "O pedido demorou demais para chegar."
    en = "The request took too long to arrive."


class RateLimited(Refusal):
    """Too many requests: `retry_after_s` says when to come back."""

    code = "rate_limited"
    status = 429
    final = False
    pt = "Muitas tentativas. Aguarde um pouco e tente de novo."
    en = "Too many requests. Wait a little and try again."

    def __init__(
        self, detail: str = "", *, retry_after_s: int = 1, errors: Sequence[FieldError] = ()
    ) -> None:
        super().__init__(detail, retry_after_s=retry_after_s, errors=errors)
