"""Masks show enough to recognise and never enough to use."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel import masking
from kernel.documents import PixKeyType
from kernel.masking import (
    HIDDEN,
    mask_cnh,
    mask_cnpj,
    mask_cpf,
    mask_email,
    mask_evp,
    mask_phone,
    mask_pix_key,
    mask_plate,
)

MASKS = [mask_cpf, mask_cnpj, mask_cnh, mask_email, mask_phone, mask_plate, mask_evp]


@pytest.mark.parametrize(
    ("mask", "text", "masked"),
    [
        (mask_cpf, "11144477735", "***.444.777-**"),
        (mask_cpf, "111.444.777-35", "***.444.777-**"),
        (mask_cnpj, "12ABC34501DE35", "**.ABC.345/****-**"),
        (mask_cnh, "62472927637", "*******7637"),
        (mask_email, "maria@exemplo.com.br", "m***@exemplo.com.br"),
        (mask_phone, "+5511987654321", "+5511*****4321"),
        (mask_phone, "+55 (11) 98765-4321", "+5511*****4321"),
        (mask_phone, "+14155552671", "+1******2671"),
        (mask_plate, "ABC1D23", "ABC****"),
        (mask_plate, "abc-1234", "ABC****"),
        (mask_evp, "123e4567-e12b-12d1-a456-426655440000", "123e***"),
    ],
)
def test_a_mask_shows_the_part_by_which_its_owner_knows_it(
    mask: Callable[[str], str], text: str, masked: str
) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize(
    "text", ["", "1", "1114447773", "maria", "@exemplo.com", "maria@", "11144477735x", "١١١٤٤٤٧٧٧٣٥"]
)
def test_what_is_malformed_is_hidden_whole(mask: Callable[[str], str], text: str) -> None:
    assert mask(text) == HIDDEN


@given(st.sampled_from(MASKS), st.text())
def test_no_text_comes_through_as_it_was(mask: Callable[[str], str], text: str) -> None:
    masked = mask(text)
    assert masked == HIDDEN or (masked != text and "**" in masked)


@pytest.mark.parametrize("kind", PixKeyType)
def test_a_key_is_masked_as_its_kind_is(kind: PixKeyType) -> None:
    keys = {
        PixKeyType.CPF: ("11144477735", "***.444.777-**"),
        PixKeyType.CNPJ: ("11222333000181", "**.222.333/****-**"),
        PixKeyType.PHONE: ("+5511987654321", "+5511*****4321"),
        PixKeyType.EMAIL: ("maria@exemplo.com", "m***@exemplo.com"),
        PixKeyType.EVP: ("123e4567-e12b-12d1-a456-426655440000", "123e***"),
    }
    key, masked = keys[kind]
    assert mask_pix_key(kind, key) == mask_pix_key(kind.value, key) == masked


def test_every_kind_of_key_has_a_mask_and_an_unknown_one_is_hidden() -> None:
    assert set(masking.MASKS) == set(PixKeyType)
    assert mask_pix_key("iban", "DE02120300000000202051") == HIDDEN
