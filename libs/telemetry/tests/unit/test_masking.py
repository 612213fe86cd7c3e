"""Personal data and secrets never come out of `mask`, whatever shape they go in."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from time import thread_time
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from kernel.ids import new_id
from telemetry import mask, mask_text
from telemetry.patterns import MASK

CPF = "529.982.247-25"
BARE_CPF = "52998224725"
CNPJ = "11.222.333/0001-81"
EMAIL = "maria.silva+ride@example.com.br"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjMifQ.c2lnbmF0dXJl"
COPY_PASTE = (
    "00020101021226830014br.gov.bcb.pix2561pix.example.com/v2/cobv/9d36b84fc70b478fb95c12729b90ca25"
    "5204000053039865802BR5912Maria Silva6009Sao Paulo62070503***63041D3D"
)

CANARIES = {
    "a formatted CPF": CPF,
    "a bare CPF": BARE_CPF,
    "a CPF with spaces": "529 982 247 25",
    "a formatted CNPJ": CNPJ,
    "a bare CNPJ": "11222333000181",
    "an e-mail": EMAIL,
    "a local e-mail": "root@localhost",
    "a phone in E.164": "+5511987654321",
    "a phone as people write it": "(11) 98765-4321",
    "a phone with a country code": "55 11 98765-4321",
    "a bare phone": "11987654321",
    "a landline": "(11) 3333-4444",
    "a JWT": JWT,
    "a copia e cola": COPY_PASTE,
}


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES.keys())
@pytest.mark.parametrize(
    "sentence", ["{}", "before {} after", "value={},", '{{"note": "{}"}}', "x:{};y", "[{}]"]
)
def test_a_canary_inside_a_text_is_masked(canary: str, sentence: str) -> None:
    text = sentence.format(canary)

    masked = mask_text(text)

    assert canary not in masked
    assert MASK in masked
    assert not any(digits in masked for digits in ("98224", "87654", "22233"))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer ***"),
        ("authorization: basic dXNlcjpwYXNz", "authorization: basic ***"),
        ("GET /webhooks/efi?hmac=s3cr3t&x=1", "GET /webhooks/efi?hmac=***&x=1"),
        ("/v2/gn?chave=abc", "/v2/gn?chave=***"),
        ('"WebSocket /ws/AbC-123?x=1" [accepted]', '"WebSocket /ws/***" [accepted]'),
        ("wss://host/v1/ws/AbC_123", "wss://host/v1/ws/***"),
        ("password=hunter2 next", "password=*** next"),
        ("'senha': 'hunter2'", "'senha': '***'"),
        ("postgresql://app:secret@db:5432/x", "postgresql://***@db:5432/x"),
        ("chave: 123e4567-e89b-42d3-a456-426614174000", "chave: ***"),
        ("pix_key=123e4567-e89b-42d3-a456-426614174000", "pix_key=***"),
        ("lat=-23.550520 lon=-46.633308", "lat=-23.55 lon=-46.63"),
        ('"pickup_lat": -23.55052', '"pickup_lat": -23.55'),
        ("at -23.550520, -46.633308", "at -23.55, -46.63"),
    ],
)
def test_what_is_not_personal_around_a_secret_stays_readable(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "accept_ride",
        "/rides/{ride_id}/accept",
        "/ws/tickets",
        "/ws/{token}",
        "2026-11-24T08:42:32.123456Z",
        "2026-11-24 08:42:32",
        "127.0.0.1:8000",
        "fare 50.00 of 1234.56",
        "E12345678202611240842abcdefghijk",
        "br.ibora.ride.accepted.v1",
        "took 12.345678 s",
        "00-39cdad190ff62a8cd8e4a9a3aab4b2d4-6c321413917b23c3-01",
    ],
)
def test_ordinary_texts_stay_as_they_are(text: str) -> None:
    assert mask_text(text) == text


@given(st.uuids())
def test_identifiers_survive(id_: UUID) -> None:
    assert mask_text(f"ride {id_} was accepted") == f"ride {id_} was accepted"


@pytest.mark.parametrize(
    "name",
    [
        "cpf", "payer_cpf", "payerCpf", "CPF", "email", "phone", "login", "password", "access_token",
        "refresh_token", "Authorization", "cookie", "pix_key", "chave", "pix_copy_paste", "pixCopiaECola",
        "qr_code", "full_name", "license_plate", "cnh_number", "client_secret", "ticket", "hmac",
        "bank_details",
    ],
)  # fmt: skip
def test_a_name_that_gives_it_away_hides_any_value(name: str) -> None:
    assert mask({name: "x1"}) == {name: MASK}
    assert mask({name: 52998224725}) == {name: MASK}
    assert mask({name: {"deep": "x1"}}) == {name: MASK}
    assert mask({name: None}) == {name: None}


@pytest.mark.parametrize(
    "name", ["template", "flat", "platelet", "key_count", "status", "salon", "token_type"]
)
def test_a_name_that_only_looks_alike_hides_nothing(name: str) -> None:
    assert mask({name: "x1"}) == {name: "x1"}


def test_positions_keep_two_decimals() -> None:
    position = {
        "pickup_lat": -23.550520,
        "pickup_lon": "-46.633308",
        "latitude": Decimal("-23.55052"),
        "lat": None,
    }

    assert mask(position) == {"pickup_lat": -23.55, "pickup_lon": -46.63, "latitude": -23.55, "lat": None}


def test_a_random_key_is_hidden_and_our_own_identifier_is_not() -> None:
    random_key, ride_id = uuid4(), new_id()

    assert mask({"key": str(random_key)}) == {"key": MASK}
    assert mask({"key": random_key}) == {"key": MASK}
    assert mask({"key": str(ride_id)}) == {"key": str(ride_id)}


@dataclass
class Paid:
    payer_cpf: str
    note: str


class Profile(BaseModel):
    email: str
    ride_ids: list[UUID]
    secret_word: SecretStr


def test_nested_values_of_any_kind_are_followed() -> None:
    ride_id = new_id()
    value = {
        "facts": [{"data": ({"cpf": CPF}, f"call {EMAIL}")}],
        "paid": Paid(payer_cpf=CPF, note=f"from {BARE_CPF}"),
        "profile": Profile(email=EMAIL, ride_ids=[ride_id], secret_word=SecretStr("hunter2")),
        "raw": f'{{"pix": "{EMAIL}"}}'.encode(),
        "error": ValueError(f"bad CPF {CPF}"),
        EMAIL: "a key can hold one too",
    }

    masked = mask(value)

    text = json.dumps(masked, default=str)
    assert not any(canary in text for canary in (CPF, BARE_CPF, EMAIL, "hunter2"))
    assert masked["profile"]["ride_ids"] == [ride_id]


def test_plain_values_come_back_untouched() -> None:
    now = datetime.now(UTC)
    value = {"n": 12345678901, "amount": Decimal("50.00"), "at": now, "ok": True, "none": None, "ratio": 0.1}

    assert mask(value) == value


def test_a_value_that_holds_itself_ends() -> None:
    loop: dict[str, object] = {}
    loop["self"] = loop

    assert MASK in json.dumps(mask(loop))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_any_value_can_be_masked(value: object) -> None:
    mask(value)


@given(st.text(max_size=60), st.sampled_from([CPF, BARE_CPF, EMAIL, JWT, "+5511987654321"]))
def test_a_canary_after_any_text_is_masked(prefix: str, canary: str) -> None:
    assert canary not in mask_text(f"{prefix} {canary}")


@pytest.mark.parametrize(
    "text", ["a" * 50_000, "1" * 50_000, "eyJ" * 20_000, "1.1" * 20_000, "a@" * 20_000, "/ws/" * 9_000]
)
def test_long_texts_are_masked_in_linear_time(text: str) -> None:
    started = thread_time()  # the processor's time: the machine may be busy with others

    mask_text(text)

    assert thread_time() - started < 2
