"""What a person types to log in: an e-mail address or a telephone number, one account either way."""

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from identity.domain.email import parse_email
from kernel.documents import InvalidDocument, parse_phone
from kernel.refusals import Refusal


class WrongCredentials(Refusal):
    """The same for an unknown login and a wrong password: the answer tells nobody who has an account."""

    code = "invalid_credentials"
    status = 401
    final = False
    pt = "E-mail, telefone ou senha incorretos."
    en = "Wrong e-mail, phone or password."


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Exactly one of `email` and `phone`, canonical; neither when the text is no login at all."""

    email: str | None = None
    phone: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Never refuses: a malformed login is an unknown one."""
        try:
            return cls(email=parse_email(text)) if "@" in text else cls(phone=parse_phone(text))
        except InvalidDocument:
            return cls()

    @property
    def canonical(self) -> str:
        """One text for one account's login, to count its failures by."""
        return self.email or self.phone or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a login is checked against."""

    user_id: UUID
    password_hash: str
