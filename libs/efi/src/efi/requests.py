"""What we ask of Efí, as HTTP requests."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

from kernel.money import money

MESSAGE_MAX: Final = 140


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`repeatable`: repeating it after an unknown result cannot do the thing twice and tells us more
    (a GET, a PUT under our id). A PUT without it is repeated only when it was never sent, any other
    method never."""

    operation: str
    method: str
    path: str
    repeatable: bool
    json: Any = None
    params: dict[str, str] | None = None
    headers: dict[str, str] | None = None
    read_timeout_s: float | None = None

    @property
    def changes_something(self) -> bool:
        return self.method != "GET"

    @property
    def may_be_repeated(self) -> bool:
        """Whether a second attempt is allowed at all: for what is read, and what carries an id of ours."""
        return self.method in ("GET", "PUT")


def charge_body(our_key: str, *, amount: Decimal, expires_s: int, message: str | None) -> dict[str, object]:
    """`PUT /v2/cob/{txid}`; without payer data, so that anybody may pay."""
    body = {
        "calendario": {"expiracao": expires_s},
        "valor": {"original": valor(amount)},
        "chave": our_key,
    }
    return body | ({"solicitacaoPagador": message_of(message)} if message else {})


def send_body(
    our_key: str, *, amount: Decimal, key: str, document: str | None, message: str | None
) -> dict[str, object]:
    """`PUT /v3/gn/pix/{idEnvio}`; with `document` Efí checks that its owner owns the key."""
    payer = {"chave": our_key} | ({"infoPagador": message_of(message)} if message else {})
    owner = {"cpf" if len(document) == 11 else "cnpj": document} if document else {}
    return {"valor": valor(amount), "pagador": payer, "favorecido": {"chave": key} | owner}


def valor(amount: Decimal) -> str:
    """An amount as Efí wants it: "12.34", more than zero."""
    exact = money(amount)
    if exact <= 0:
        raise ValueError(f"not a payable amount: {exact}")
    return f"{exact:.2f}"


def message_of(text: str) -> str:
    """What the payer or the payee reads."""
    if len(text) > MESSAGE_MAX:
        raise ValueError(f"a message has at most {MESSAGE_MAX} characters")
    return text


def segment(text: str) -> str:
    """`text` as one segment of a path: keys hold "+" and "@"."""
    return quote(text, safe="")
