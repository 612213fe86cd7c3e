"""Problem details (RFC 9457): the one shape of every error that leaves a service."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import HTTPConnection
from starlette.responses import Response

from kernel.refusals import FieldError, Refusal
from telemetry import mask_text
from web.languages import DEFAULT, Language, choose_language
from web.refusals import Unauthenticated

MEDIA_TYPE: Final = "application/problem+json"
TYPE_BASE: Final = "https://ibora.invalid/problems/"
MAX_ERRORS: Final = 50


class ProblemError(BaseModel):
    """One offending field."""

    pointer: str = Field(description="A JSON pointer into the request.", examples=["/pickup_lat"])
    code: str = Field(examples=["missing"])
    detail: str


class Problem(BaseModel):
    """An error, as `application/problem+json`. `code` is stable; `title` and `detail` are for people."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=[f"{TYPE_BASE}not_found"])
    title: str
    status: int
    detail: str
    instance: str
    code: str = Field(examples=["not_found"])
    request_id: str
    errors: list[ProblemError] = Field(default_factory=list)


_TITLES: Final[Mapping[int, tuple[str, str]]] = {
    400: ("Pedido inválido", "Bad request"),
    401: ("Não autenticado", "Unauthenticated"),
    403: ("Acesso negado", "Forbidden"),
    404: ("Não encontrado", "Not found"),
    405: ("Método não permitido", "Method not allowed"),
    408: ("Tempo esgotado", "Request timeout"),
    409: ("Conflito", "Conflict"),
    413: ("Pedido grande demais", "Payload too large"),
    415: ("Formato não suportado", "Unsupported media type"),
    422: ("Dados inválidos", "Invalid data"),
    429: ("Muitos pedidos", "Too many requests"),
    500: ("Erro interno", "Internal error"),
    502: ("Serviço indisponível", "Bad gateway"),
    503: ("Serviço indisponível", "Service unavailable"),
    504: ("Tempo esgotado", "Gateway timeout"),
}
_OTHER: Final = ("Erro", "Error")


def title_of(status: int, *, language: Language) -> str:
    """The short name of a status, in the reader's language."""
    return _TITLES.get(status, _OTHER)[0 if language == DEFAULT else 1]


def language_of(connection: HTTPConnection) -> Language:
    """The reader's language."""
    return choose_language(connection.headers.get("accept-language", ""))


def problem_response(
    connection: HTTPConnection,
    *,
    status: int,
    code: str,
    sentences: tuple[str, str],
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
    extensions: Mapping[str, Any] | None = None,
) -> Response:
    """A problem in the reader's language; `sentences` is (pt-BR, en)."""
    language = language_of(connection)
    problem = Problem(
        type=f"{TYPE_BASE}{code}",
        title=title_of(status, language=language),
        status=status,
        detail=sentences[0 if language == DEFAULT else 1],
        instance=mask_text(connection.scope.get("path", "")),
        code=code,
        request_id=request_id_of(connection),
        errors=[
            ProblemError(pointer=error.pointer, code=error.code, detail=error.detail)
            for error in errors[:MAX_ERRORS]
        ],
        **(extensions or {}),
    )
    return ProblemResponse(problem, headers={"content-language": language, **(headers or {})})


def refusal_response(connection: HTTPConnection, refusal: Refusal) -> Response:
    """A refusal as a problem. Its `detail` is for the log; the reader gets the class's own sentence."""
    return problem_response(
        connection,
        status=refusal.status,
        code=refusal.code,
        sentences=(refusal.pt, refusal.en),
        errors=refusal.errors,
        headers=refusal_headers(refusal),
    )


def refusal_headers(refusal: Refusal) -> dict[str, str]:
    """`WWW-Authenticate`, `Retry-After`, and the end of a connection whose body never came."""
    headers: dict[str, str] = {}
    if isinstance(refusal, Unauthenticated):
        headers["www-authenticate"] = refusal.challenge
    if refusal.status == 408:
        headers["connection"] = "close"
    if refusal.retry_after_s is not None:
        headers["retry-after"] = str(refusal.retry_after_s)
    return headers


def request_id_of(connection: HTTPConnection) -> str:
    """The id of the request: made at the edge, or the gateway's."""
    return str(connection.scope.get("state", {}).get("request_id", ""))


class ProblemResponse(Response):
    """The bytes of a problem."""

    media_type = MEDIA_TYPE

    def __init__(self, problem: Problem, *, headers: Mapping[str, str] | None = None) -> None:
        body = problem.model_dump_json().encode()
        super().__init__(
            body, status_code=problem.status, headers={"vary": "Accept-Language", **(headers or {})}
        )
