"""The BR Code: what a Pix QR code or "copia e cola" says (EMV TLV with a CRC; reference §2).

Lengths count characters, so names and cities are kept ASCII on the way out, where characters are bytes.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from kernel.money import money

GUI: Final = "br.gov.bcb.pix"
ACCOUNTS: Final = range(26, 52)
TOTAL_MAX: Final = 512
STATIC_TXID: Final = re.compile(r"[A-Za-z0-9]{1,25}|\*\*\*")
AMOUNT: Final = re.compile(r"\d{1,10}(\.\d{1,2})?", re.ASCII)


class InvalidBrCode(ValueError):
    """Not a Pix BR Code: broken TLV, wrong CRC, a missing or impossible field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrCode:
    """Dynamic when `url` (no scheme) is set, else static with `key`. `recurrence_url` is that of tag 80."""

    url: str | None = None
    key: str | None = field(default=None, repr=False)
    info: str | None = None
    amount: Decimal | None = None
    merchant_name: str
    merchant_city: str
    txid: str = "***"
    one_time: bool = False
    recurrence_url: str | None = None


def crc16(text: str) -> str:
    """CRC-16/CCITT-FALSE as four upper-case hex digits: crc16("123456789") == "29B1"."""
    crc = 0xFFFF
    for byte in text.encode():
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return f"{crc:04X}"


def build(
    *,
    merchant_name: str,
    merchant_city: str,
    url: str | None = None,
    key: str | None = None,
    info: str | None = None,
    amount: Decimal | None = None,
    txid: str = "***",
    one_time: bool = False,
) -> str:
    """The BR Code of a payload `url` (dynamic) or of a `key` (static). Raises InvalidBrCode."""
    code = BrCode(
        url=url,
        key=key,
        info=info,
        amount=None if amount is None else money(amount),
        merchant_name=_ascii(merchant_name, limit=25),
        merchant_city=_ascii(merchant_city, limit=15),
        txid=txid,
        one_time=one_time,
    )
    _check(code)
    body = "".join(_fields(code)) + "6304"
    assert len(body) + 4 <= TOTAL_MAX  # the limits of the fields add up to less
    return body + crc16(body)


def parse(text: str) -> BrCode:
    """What a BR Code says, its CRC checked. Raises InvalidBrCode."""
    if text[-8:-4] != "6304" or text[-4:].upper() != crc16(text[:-4]):
        raise InvalidBrCode("the CRC does not match")
    fields = dict(_tlv(text))
    account = _pix_account(fields)
    code = BrCode(
        url=account.get("25"),
        key=account.get("01"),
        info=account.get("02"),
        amount=_amount(fields.get("54")),
        merchant_name=_required(fields, "59"),
        merchant_city=_required(fields, "60"),
        txid=dict(_tlv(fields.get("62", ""))).get("05", "***"),
        one_time=fields.get("01") == "12",
        recurrence_url=dict(_tlv(fields.get("80", ""))).get("25"),
    )
    _check_head(fields)
    _check(code)
    return code


def _fields(code: BrCode) -> Iterator[str]:
    yield _field("00", "01")
    if code.one_time:
        yield _field("01", "12")
    account = _field("25", code.url) if code.url else _field("01", code.key or "")
    yield _field("26", _field("00", GUI) + account + (_field("02", code.info) if code.info else ""))
    yield _field("52", "0000")
    yield _field("53", "986")
    if code.amount is not None:
        yield _field("54", f"{code.amount:.2f}")
    yield _field("58", "BR")
    yield _field("59", code.merchant_name)
    yield _field("60", code.merchant_city)
    yield _field("62", _field("05", code.txid))


def _field(tag: str, value: str) -> str:
    if not 1 <= len(value) <= 99:
        raise InvalidBrCode(f"field {tag} has {len(value)} characters")
    return f"{tag}{len(value):02d}{value}"


def _tlv(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    seen = set()
    while at < len(text):
        head = text[at : at + 4]
        if len(head) < 4 or not (head.isascii() and head.isdigit()):
            raise InvalidBrCode(f"no field starts at {at}")
        tag, end = head[:2], at + 4 + int(head[2:])
        if end > len(text) or tag in seen:
            raise InvalidBrCode(f"field {tag} is cut off or repeated")
        seen.add(tag)
        yield tag, text[at + 4 : end]
        at = end


def _pix_account(fields: dict[str, str]) -> dict[str, str]:
    for tag in ACCOUNTS:
        account = dict(_tlv(fields[f"{tag}"])) if f"{tag}" in fields else {}
        if account.get("00", "").lower() == GUI:
            return account
    raise InvalidBrCode("no Pix account field")


def _check_head(fields: dict[str, str]) -> None:
    expected = {"00": "01", "53": "986", "58": "BR"}
    for tag, value in expected.items():
        if fields.get(tag) != value:
            raise InvalidBrCode(f"field {tag} is not {value}")


def _check(code: BrCode) -> None:
    if code.url and code.key:
        raise InvalidBrCode("both a key and a payload URL")
    if not (code.url or code.key or code.recurrence_url):
        raise InvalidBrCode("neither a key nor a payload URL")
    if max(len(code.url or ""), len(code.key or "")) > 77:
        raise InvalidBrCode("the key or URL is longer than 77 characters")
    if code.amount is not None and not 0 <= code.amount < 10**10:
        raise InvalidBrCode("impossible amount")
    if not STATIC_TXID.fullmatch(code.txid):
        raise InvalidBrCode("impossible txid")


def _required(fields: dict[str, str], tag: str) -> str:
    if not fields.get(tag):
        raise InvalidBrCode(f"field {tag} is missing")
    return fields[tag]


def _amount(text: str | None) -> Decimal | None:
    if text is None:
        return None
    if not AMOUNT.fullmatch(text):
        raise InvalidBrCode("impossible amount")
    return money(text)


def _ascii(text: str, *, limit: int) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    plain = "".join(char for char in decomposed if char.isascii() and char.isprintable()).strip()
    if not plain:
        raise InvalidBrCode("a name or city is empty")
    return plain[:limit].strip()
