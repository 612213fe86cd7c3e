"""What personal data and secrets look like inside a text: one expression, one pass.

An identifier of ours is a UUID and must survive, so UUIDs are the first alternative and are given back as
they are; the phone and document shapes never get a chance to bite into one.
"""

import re
from collections.abc import Callable
from typing import Final

MASK: Final = "***"

_UUID: Final = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_QUERY_NAMES: Final = (
    "hmac|token|access_token|refresh_token|ticket|secret|client_secret|signature|sig|chave|pix_key|key"
    "|password|cpf|cnpj|email|phone|login"
)
_GIVEAWAYS: Final = "password|passwd|senha|secret|hmac|authorization"
_VALUE: Final = r"[^\s\"',;&}]+"
_DEGREES: Final = r"-?\d{1,3}\.\d\d"
_FIRST: Final = rf"(?<![\w.])(?P<first>{_DEGREES})\d{{2,}}"
_SECOND: Final = rf"(?P<second>{_DEGREES})\d{{2,}}"
_NOT_IN_WORD: Final = r"(?<!\w)(?<!\d\.)"

ALTERNATIVES: Final = (
    ("pix_key", rf"(?P<pix_name>(?i:chave|pix[_ -]?key)\W{{1,4}})(?:{_UUID})"),
    ("uuid", rf"(?<![\w-]){_UUID}(?![\w-])"),
    ("copy_paste", r"000201\d{4}(?:[^\r\n\"]{0,700}?6304[0-9A-Fa-f]{4}|\S*)"),
    ("jwt", r"eyJ[\w-]{5,400}(?:\.[\w-]*){1,4}"),
    ("authorization", r"(?P<scheme>\b(?i:bearer|basic))\s+[\w.~+/=-]{6,}"),
    ("socket", r"/ws/(?!tickets\b)[^\s/?\"'#{]+(?:\?[^\s\"']*)?"),
    ("query", rf"(?P<query_name>[?&;](?i:{_QUERY_NAMES})=)[^&\s\"'#]+"),
    (
        "named",
        rf"(?P<secret_name>(?i:{_GIVEAWAYS})[\"']?\s{{0,3}}[=:]\s{{0,3}}[\"']?)(?!(?i:bearer|basic)\s){_VALUE}",
    ),
    ("login", r"(?P<scheme_slashes>://)[^/\s:@]{0,100}:[^/\s@]{1,200}@"),
    ("email", r"(?<![\w.+%-])[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})*"),
    (
        "position",
        r"(?P<position_name>(?i:lat|lon|lng|itude)[\"']?\s{0,3}[=:]\s{0,3}[\"']?)(?P<degrees>-?\d{1,3}\.\d\d)\d+",
    ),
    (
        "pair",
        rf"{_FIRST}(?P<between>\s{{0,3}}[,; ]\s{{0,3}}){_SECOND}",
    ),
    ("cnpj", rf"{_NOT_IN_WORD}\d{{2}}\.?\d{{3}}\.?\d{{3}}/?\d{{4}}-?\d{{2}}(?!\w)"),
    ("cpf", rf"{_NOT_IN_WORD}\d{{3}}[. ]?\d{{3}}[. ]?\d{{3}}[- ]?\d{{2}}(?!\w)"),
    (
        "phone",
        rf"{_NOT_IN_WORD}(?:\+?55[ .-]?)?\(?\d\d\)?[ .-]?9? ?\d{{4}}[ .-]?\d{{4}}(?!\w)|\+\d{{10,15}}(?!\w)",
    ),
)

EXPRESSION: Final = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in ALTERNATIVES))
SUSPECT: Final = re.compile(r"\d|@|eyJ|/ws/|[=:]|(?i:bearer|basic)")
"""Cheap test: a text without any of these cannot hold what EXPRESSION looks for."""


def _keep(match: re.Match[str]) -> str:
    return match[0]


def _after(group: str, *, separator: str = "") -> Callable[[re.Match[str]], str]:
    return lambda match: f"{match[group]}{separator}{MASK}"


_REPLACEMENTS: Final[dict[str, Callable[[re.Match[str]], str]]] = {
    "uuid": _keep,
    "pix_key": _after("pix_name"),
    "authorization": _after("scheme", separator=" "),
    "socket": lambda _: f"/ws/{MASK}",
    "query": _after("query_name"),
    "named": _after("secret_name"),
    "login": lambda _: f"://{MASK}@",
    "position": lambda match: match["position_name"] + match["degrees"],
    "pair": lambda match: match["first"] + match["between"] + match["second"],
}
_OUTER: Final = tuple(name for name, _ in ALTERNATIVES)


def replacement(match: re.Match[str]) -> str:
    """The harmless text for one match of EXPRESSION."""
    name = next(name for name in _OUTER if match[name] is not None)
    replace = _REPLACEMENTS.get(name)
    return replace(match) if replace else MASK
