"""What may be shown of personal data: enough for its owner to recognise it, not enough to use it.

Each function takes any text. What does not have the expected shape is hidden whole, since a malformed
document may still be a person's.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from kernel.documents.pix_key import PixKeyType

HIDDEN: Final = "***"


def mask_cpf(text: str) -> str:
    """`***.456.789-**`, the form in which Brazilian public bodies publish a CPF."""
    digits = _bare(text)
    if not re.fullmatch(r"[0-9]{11}", digits):
        return HIDDEN
    return f"***.{digits[3:6]}.{digits[6:9]}-**"


def mask_cnpj(text: str) -> str:
    """`**.345.678/****-**`."""
    characters = _bare(text)
    if not re.fullmatch(r"[0-9A-Za-z]{14}", characters):
        return HIDDEN
    return f"**.{characters[2:5]}.{characters[5:8]}/****-**"


def mask_cnh(text: str) -> str:
    """Seven stars and the last four digits."""
    digits = _bare(text)
    return f"*******{digits[-4:]}" if re.fullmatch(r"[0-9]{11}", digits) else HIDDEN


def mask_email(text: str) -> str:
    """The first letter and the domain: `m***@exemplo.com.br`."""
    local, at, domain = text.strip().rpartition("@")
    return f"{local[0]}{HIDDEN}@{domain}" if local and at and domain else HIDDEN


def mask_phone(text: str) -> str:
    """Country and area of a Brazilian number and the last four digits: `+5511*****4321`."""
    phone = re.sub(r"[ ().-]", "", text)
    if not re.fullmatch(r"\+[0-9]{8,15}", phone):
        return HIDDEN
    shown = 5 if phone.startswith("+55") else 2
    return phone[:shown] + "*" * (len(phone) - shown - 4) + phone[-4:]


def mask_plate(text: str) -> str:
    """The letters of a plate: `ABC****`."""
    plate = _bare(text).upper()
    return f"{plate[:3]}****" if re.fullmatch(r"[A-Z]{3}[0-9][0-9A-Z][0-9]{2}", plate) else HIDDEN


def mask_evp(text: str) -> str:
    """The first four characters of a random Pix key; all of them are as secret as the others."""
    return f"{text.strip()[:4]}{HIDDEN}" if re.fullmatch(r"[0-9A-Fa-f-]{36}", text.strip()) else HIDDEN


def mask_pix_key(kind: PixKeyType | str, text: str) -> str:
    """The key masked as its kind is masked; hidden whole when the kind does not exist."""
    return MASKS[PixKeyType(kind)](text) if kind in MASKS else HIDDEN


def _bare(text: str) -> str:
    return re.sub(r"[ ./-]", "", text)


MASKS: Final[Mapping[PixKeyType, Callable[[str], str]]] = {
    PixKeyType.CPF: mask_cpf,
    PixKeyType.CNPJ: mask_cnpj,
    PixKeyType.PHONE: mask_phone,
    PixKeyType.EMAIL: mask_email,
    PixKeyType.EVP: mask_evp,
}
