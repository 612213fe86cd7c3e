"""Pix keys. The kind is always explicit: eleven digits can be a CPF or a telephone, so nobody guesses."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from kernel.documents.cnpj import parse_cnpj
from kernel.documents.cpf import parse_cpf
from kernel.documents.invalid import InvalidDocument
from kernel.documents.phone import parse_phone


class PixKeyType(StrEnum):
    """The kinds of key in the central bank's directory (DICT)."""

    CPF = "cpf"
    CNPJ = "cnpj"
    PHONE = "phone"
    EMAIL = "email"
    EVP = "evp"


EMAIL_LENGTH: Final = 77
LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# The shape of the directory's own definition, with a top-level domain required.
EMAIL: Final = re.compile(rf"[a-z0-9.!#$&'*+/=?^_`{{|}}~-]+@{LABEL}(?:\.{LABEL})+")
EVP: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
BRAZILIAN: Final = re.compile(r"\+55[0-9]{10,11}")


def parse_pix_key(kind: PixKeyType | str, text: str) -> str:
    """The key as the directory holds it: CPF and CNPJ bare, phone in E.164, e-mail and EVP in lower case.

    InvalidDocument `invalid_pix_key`, or `invalid_pix_key_type` for a kind that does not exist.
    """
    if kind not in PARSERS:
        raise InvalidDocument("invalid_pix_key_type")
    try:
        return PARSERS[PixKeyType(kind)](text)
    except InvalidDocument as error:
        raise InvalidDocument("invalid_pix_key") from error


def _parse_phone_key(text: str) -> str:
    phone = parse_phone(text)
    if not BRAZILIAN.fullmatch(phone):
        raise InvalidDocument("invalid_phone")
    return phone


def _parse_email_key(text: str) -> str:
    email = text.strip()
    if not email.isascii() or len(email) > EMAIL_LENGTH or not EMAIL.fullmatch(email.lower()):
        raise InvalidDocument("invalid_email")
    return email.lower()


def _parse_evp(text: str) -> str:
    evp = text.strip().lower()
    if not EVP.fullmatch(evp):
        raise InvalidDocument("invalid_evp")
    return evp


PARSERS: Final[Mapping[PixKeyType, Callable[[str], str]]] = {
    PixKeyType.CPF: parse_cpf,
    PixKeyType.CNPJ: parse_cnpj,
    PixKeyType.PHONE: _parse_phone_key,
    PixKeyType.EMAIL: _parse_email_key,
    PixKeyType.EVP: _parse_evp,
}
