"""BR Codes against published vectors and by property."""

import json
import string
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from efi.brcode import InvalidBrCode, build, crc16, parse

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "fixtures/brcode-vectors.json").read_text()
)
VALID = [one for one in VECTORS if one["valid"]]
INVALID = [one for one in VECTORS if not one["valid"]]

amounts = st.decimals(min_value="0.01", max_value="9999999999.99", places=2)
names = st.text(string.ascii_letters + string.digits, min_size=1, max_size=25)
urls = st.text(string.ascii_letters + string.digits + "./-", min_size=1, max_size=77)
txids = st.text(string.ascii_letters + string.digits, min_size=1, max_size=25)


def code(**changes: Any) -> str:
    fields: dict[str, Any] = {"merchant_name": "Ibora", "merchant_city": "SAO PAULO", "key": "a@b.co"}
    return build(**fields | changes)


def test_the_crc_is_ccitt_false() -> None:
    assert crc16("123456789") == "29B1"


@pytest.mark.parametrize("vector", VALID, ids=lambda one: str(one["source"]))
def test_a_published_code_is_read(vector: dict[str, Any]) -> None:
    assert crc16(vector["brcode"][:-4]) == vector["crc"]
    assert parse(vector["brcode"]).merchant_name


@pytest.mark.parametrize("vector", INVALID, ids=lambda one: str(one["source"]))
def test_a_broken_code_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(InvalidBrCode):
        parse(vector["brcode"])


def test_the_computed_crc_of_the_placeholder_is_the_known_one() -> None:
    (vector,) = [one for one in INVALID if "computed_crc" in one]
    assert crc16(vector["brcode"][:-4]) == vector["computed_crc"]


def test_a_static_code_says_what_the_manual_says() -> None:
    read = parse(VALID[2]["brcode"])
    assert read.key == "123e4567-e12b-12d1-a456-426655440000"
    assert (read.url, read.merchant_name, read.merchant_city) == (None, "Fulano de Tal", "BRASILIA")


def test_a_dynamic_one_time_code_says_its_url() -> None:
    read = parse(VALID[1]["brcode"])
    assert read.url == "pix.example.com/qr/v2/8b3da2f39a4140d1a91abd93113bd441"
    assert read.one_time
    assert read.recurrence_url == "pix.example.com/qr/v2/rec/94ed2badcbc04c15b0bb7fa353194890"


def test_an_amount_and_txid_are_read() -> None:
    read = parse(VALID[4]["brcode"])
    assert (read.amount, read.txid) == (Decimal("81.68"), "mpqrinter55763051396")


@given(url=urls, name=names, city=names, amount=amounts | st.none(), one_time=st.booleans())
def test_a_dynamic_code_reads_back_as_it_was_built(
    url: str, name: str, city: str, amount: Decimal | None, one_time: bool
) -> None:
    read = parse(build(merchant_name=name, merchant_city=city, url=url, amount=amount, one_time=one_time))
    assert (read.url, read.key, read.amount, read.one_time) == (url, None, amount, one_time)
    assert (read.merchant_name, read.merchant_city, read.txid) == (name, city[:15], "***")


@given(key=urls.filter(lambda text: len(text) <= 60), txid=txids)
def test_a_static_code_reads_back_as_it_was_built(key: str, txid: str) -> None:
    read = parse(code(key=key, txid=txid, info="oi"))
    assert (read.url, read.key, read.txid, read.info) == (None, key, txid, "oi")


@given(amount=amounts, place=st.integers(min_value=0), char=st.sampled_from(string.printable))
def test_any_changed_character_is_noticed(amount: Decimal, place: int, char: str) -> None:
    good = code(amount=amount)
    at = place % len(good)
    bad = good[:at] + char + good[at + 1 :]
    if bad.upper() == good.upper():
        return
    with pytest.raises(InvalidBrCode):
        parse(bad)


@given(st.text())
def test_nonsense_is_refused_and_never_crashes(text: str) -> None:
    with pytest.raises(InvalidBrCode):
        parse(text + "6304" + crc16(text + "6304")[::-1])


@given(st.text(string.digits, max_size=60))
def test_nonsense_with_a_good_crc_is_refused_and_never_crashes(text: str) -> None:
    with pytest.raises(InvalidBrCode):
        parse(text + "6304" + crc16(text + "6304"))


def test_accents_are_taken_off_and_long_names_cut() -> None:
    read = parse(code(merchant_name="Táxi São João dos Campos do Sul", merchant_city="São José dos Campos"))
    assert (read.merchant_name, read.merchant_city) == ("Taxi Sao Joao dos Campos", "Sao Jose dos Ca")


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "pix.example.com/x"},
        {"key": None},
        {"key": "x" * 78},
        {"txid": "with space"},
        {"txid": "x" * 26},
        {"amount": Decimal("-1.00")},
        {"amount": Decimal("10000000000.00")},
        {"merchant_name": "日本"},
        {"key": "x" * 77, "info": "y" * 50},
    ],
)
def test_an_impossible_code_is_not_built(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidBrCode):
        code(**wrong)


def _with_crc(body: str) -> str:
    return body + "6304" + crc16(body + "6304")


ACCOUNT = "26240014br.gov.bcb.pix0102ab"
REST = "52040000530398658" + "02BR5905Ibora6008SaoPaulo"


@pytest.mark.parametrize(
    "body",
    [
        f"000202{ACCOUNT}{REST}",
        f"000201{REST}",
        f"000201{ACCOUNT}{ACCOUNT}{REST}",
        f"000201{ACCOUNT}520400005303840" + "5802BR5905Ibora6008SaoPaulo",
        f"000201{ACCOUNT}520400005303986" + "5802BR6008SaoPaulo",
        f"000201{ACCOUNT}520400005303986" + "5404abcd5802BR5905Ibora6008SaoPaulo",
        f"000201{ACCOUNT}{REST}99",
        f"000201{ACCOUNT}{REST}9999x",
    ],
)
def test_a_code_that_breaks_a_rule_is_refused_in_spite_of_its_crc(body: str) -> None:
    with pytest.raises(InvalidBrCode):
        parse(_with_crc(body))


def test_a_code_of_the_same_parts_that_breaks_no_rule_is_read() -> None:
    assert parse(_with_crc(f"000201{ACCOUNT}{REST}")).key == "ab"
