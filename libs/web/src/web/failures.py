"""Turns whatever went wrong into a problem; nothing else leaves a service."""

from collections.abc import Mapping
from typing import Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kernel.refusals import FieldError, Invalid, NotFound, Refusal, Unavailable
from telemetry import get_logger
from web.languages import Language
from web.problems import language_of, problem_response, refusal_response
from web.refusals import MalformedJson, PayloadTooLarge, RateLimited, Unauthenticated
from web.unavailable import is_unavailable
from web.validation import field_errors, sentence_for

log = get_logger(__name__)

_BY_STATUS: Final[Mapping[int, tuple[str, str, str]]] = {
    400: (MalformedJson.code, MalformedJson.pt, MalformedJson.en),
    401: (Unauthenticated.code, Unauthenticated.pt, Unauthenticated.en),
    403: ("forbidden", "Você não tem permissão para fazer isso.", "You are not allowed to do this."),
    404: (NotFound.code, NotFound.pt, NotFound.en),
    405: (
        "method_not_allowed",
        "Este endereço não aceita esse método.",
        "This address does not take that method.",
    ),
    413: (PayloadTooLarge.code, PayloadTooLarge.pt, PayloadTooLarge.en),
    415: ("unsupported_media_type", "Envie o corpo como JSON.", "Send the body as JSON."),
    429: (RateLimited.code, RateLimited.pt, RateLimited.en),
    503: (Unavailable.code, Unavailable.pt, Unavailable.en),
}
_ELSE: Final = ("request_refused", "O pedido foi recusado.", "The request was refused.")
_INTERNAL: Final = (
    "internal_error",
    "Algo deu errado do nosso lado. Já fomos avisados.",
    "Something went wrong on our side. We have been told.",
)


def install(app: FastAPI) -> None:
    """Register the handlers of refusals, HTTP errors and validation errors."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _not_valid)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    if error.status >= 500 or error.detail:
        log.info("refused", code=error.code, status=error.status, detail=error.detail)
    worded = _worded(error.errors, language=language_of(request))
    if worded != error.errors:
        error.errors = worded
    return refusal_response(request, error)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, *sentences = _BY_STATUS.get(error.status_code, _ELSE)
    return problem_response(
        request,
        status=error.status_code,
        code=code,
        sentences=(sentences[0], sentences[1]),
        headers=error.headers,
    )


async def _not_valid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = field_errors(error.errors(), language=language_of(request))
    return problem_response(
        request, status=422, code=Invalid.code, sentences=(Invalid.pt, Invalid.en), errors=errors
    )


def _worded(errors: tuple[FieldError, ...], *, language: Language) -> tuple[FieldError, ...]:
    """Field errors without a sentence get the one of their code."""
    return tuple(
        error
        if error.detail
        else FieldError(
            pointer=error.pointer, code=error.code, detail=sentence_for(error.code, language=language)
        )
        for error in errors
    )


class LastResort:
    """Catches what nobody expected: logged in full, answered without a word about the inside."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            log.info("client_disconnected")
        except Exception as error:
            if started:
                raise
            await last_resort_response(Request(scope), error)(scope, receive, send)


def last_resort_response(request: Request, error: Exception) -> Response:
    """503 when a part we need is away, else 500."""
    if is_unavailable(error):
        log.warning("dependency_unavailable", reason=type(error).__name__, exc_info=error)
        return refusal_response(request, Unavailable(retry_after_s=1))
    log.error("unexpected_error", exc_info=error)
    code, pt, en = _INTERNAL
    return problem_response(request, status=500, code=code, sentences=(pt, en))
