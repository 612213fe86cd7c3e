"""What an HTTP answer from Efí means. The error families are in the reference, §1.8."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar

import httpx
from pydantic import ValidationError

from efi.errors import EfiRefused, EfiThrottled, EfiUnauthorized, EfiUnknown, redacted
from efi.wire import Wire
from telemetry import mask

W = TypeVar("W", bound=Wire)
TEXT_MAX: Final = 200
NOT_A_VERDICT = frozenset({301, 302, 303, 307, 308, 408, 425})
NOT_EFIS: Final = "http_error"
PROBLEM_TYPES: Final = "https://pix.bcb.gov.br/"
NOT_FOUND: Final = 404


@dataclass(frozen=True, slots=True)
class Problem:
    """An error body in one shape, whichever family it was of.

    `own`: it is written as only Efí writes. Family C and a problem of any other type are what every gateway says.
    """

    name: str
    detail: str
    raw: Any = None
    own: bool = False


def decode(response: httpx.Response) -> Any:
    """The JSON of a body (numbers exact), or None when it is not JSON."""
    try:
        return json.loads(response.content, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


def read(response: httpx.Response, shape: type[W]) -> W:
    """A 2xx body as `shape`. An answer that makes no sense tells us nothing: EfiUnknown."""
    try:
        return shape.model_validate(decode(response))
    except ValidationError as error:
        where = ", ".join(".".join(map(str, one["loc"])) for one in error.errors())
        raise EfiUnknown(f"unreadable answer: {where}", status=response.status_code) from None


def problem_of(response: httpx.Response) -> Problem:
    """Family A/A+ (`nome`, `mensagem`, `erros`), B (`type`, `title`, `detail`), C (`error`) or plain text."""
    body = decode(response)
    if not isinstance(body, dict):
        text = redacted(response.text[:TEXT_MAX])
        return Problem(NOT_EFIS, text, text)
    name, detail = _name_and_detail(body)
    own = "nome" in body or str(body.get("type")).startswith(PROBLEM_TYPES)
    return Problem(name, detail, _redacted(body), own)


def _name_and_detail(body: Mapping[str, Any]) -> tuple[str, str]:
    if "nome" in body:
        return str(body["nome"]), _family_a_detail(body)
    if "type" in body or "title" in body:
        return _last_part(str(body.get("type") or body["title"])), _family_b_detail(body)
    if "error" in body:
        return str(body["error"]), str(body.get("error_description", ""))
    return NOT_EFIS, ""


def _redacted(body: Mapping[str, Any]) -> Any:
    """`body` without personal data. Its `nome` is the error's, no person's."""
    return _clean(mask(body) | {name: body[name] for name in ("nome",) if name in body})


def _clean(value: Any) -> Any:
    """Leaf by leaf: a document may also be written as a number."""
    if isinstance(value, dict):
        return {redacted(name): _clean(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_clean(one) for one in value]
    text = str(value)
    shown = redacted(text)
    return value if shown == text and not isinstance(value, Decimal) else shown


def _family_a_detail(body: Mapping[str, Any]) -> str:
    errors = _places(body, "erros")
    places = [f"{one.get('caminho') or one.get('chave')}: {one.get('mensagem')}" for one in errors]
    return "; ".join([str(body.get("mensagem", "")), *places])


def _family_b_detail(body: Mapping[str, Any]) -> str:
    violations = _places(body, "violacoes")
    places = [f"{one.get('propriedade')}: {one.get('razao')}" for one in violations]
    return "; ".join([str(body.get("detail") or body.get("title") or ""), *places])


def _places(body: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """What stands under `name` as far as it is the list that it should be."""
    listed = body.get(name)
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _last_part(type_: str) -> str:
    return type_.rstrip("/").rsplit("/", 1)[-1]


def raise_for(response: httpx.Response, *, now: datetime) -> None:
    """Nothing for a 2xx; else the error that says whether anything happened. `now` reads `Retry-After`.

    A 4xx that does not speak as Efí is the word of somebody on the way (an edge, a proxy): no verdict, and no
    proof that an id is unknown. A 404 is what they say most often, so it has to be Efí's own beyond doubt.
    """
    status = response.status_code
    if 200 <= status < 300:
        return
    problem = problem_of(response)
    said = f"{problem.name}: {problem.detail}"
    known = {"name": problem.name, "status": status, "raw": problem.raw}
    if status == 429:
        raise EfiThrottled(said, retry_after_s=retry_after_s(response, now=now), **known)
    if status in (401, 403):
        raise EfiUnauthorized(said, **known)
    foreign = problem.name == NOT_EFIS or (status == NOT_FOUND and not problem.own)
    if status >= 500 or status in NOT_A_VERDICT or foreign:
        raise EfiUnknown(f"HTTP {status} {said}", **known)
    raise EfiRefused(problem.name, status, problem.detail, raw=problem.raw)


def retry_after_s(response: httpx.Response, *, now: datetime) -> float | None:
    """`Retry-After` in seconds, from its number or its date; nonsense is ignored, the past is 0."""
    text = response.headers.get("Retry-After", "")
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
