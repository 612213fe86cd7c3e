"""Pix keys: the kind is told, never guessed."""

from uuid import uuid4

import pytest

from kernel.documents import InvalidDocument, PixKeyType, parse_pix_key


@pytest.mark.parametrize(
    ("kind", "text", "key"),
    [
        (PixKeyType.CPF, "111.444.777-35", "11144477735"),
        (PixKeyType.CNPJ, "12.abc.345/01de-35", "12ABC34501DE35"),
        (PixKeyType.PHONE, "(11) 98765-4321", "+5511987654321"),
        (PixKeyType.EMAIL, " Maria.Silva@Exemplo.com.br ", "maria.silva@exemplo.com.br"),
        (PixKeyType.EVP, "123E4567-E12B-12D1-A456-426655440000", "123e4567-e12b-12d1-a456-426655440000"),
        ("cpf", "11144477735", "11144477735"),
    ],
)
def test_a_key_becomes_what_the_directory_holds(kind: PixKeyType | str, text: str, key: str) -> None:
    assert parse_pix_key(kind, text) == key
    assert parse_pix_key(kind, key) == key


def test_eleven_digits_are_what_their_kind_says() -> None:
    # Valid as a CPF and as a mobile number of São Paulo.
    both = "11999990161"
    assert parse_pix_key(PixKeyType.CPF, both) == both
    assert parse_pix_key(PixKeyType.PHONE, both) == f"+55{both}"


def test_any_random_uuid_is_an_evp() -> None:
    key = str(uuid4())
    assert parse_pix_key(PixKeyType.EVP, key) == key


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (PixKeyType.CPF, "11144477734"),
        (PixKeyType.CNPJ, "11222333000180"),
        (PixKeyType.PHONE, "+14155552671"),
        (PixKeyType.PHONE, "1198765"),
        (PixKeyType.EMAIL, "maria"),
        (PixKeyType.EMAIL, "maria@"),
        (PixKeyType.EMAIL, "maria@localhost"),
        (PixKeyType.EMAIL, "maria@exemplo..br"),
        (PixKeyType.EMAIL, "mária@exemplo.com"),
        (PixKeyType.EMAIL, "maria@exemplo.com\nbcc: x"),
        (PixKeyType.EMAIL, "m" * 66 + "@exemplo.com"),
        (PixKeyType.EVP, "123e4567e12b12d1a456426655440000"),
        (PixKeyType.EVP, "123e4567-e12b-12d1-a456-42665544000g"),
        (PixKeyType.EVP, ""),
    ],
)
def test_what_is_not_a_key_of_its_kind_is_refused(kind: PixKeyType, text: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        parse_pix_key(kind, text)
    assert refused.value.code == "invalid_pix_key"


def test_an_email_of_77_characters_is_the_longest() -> None:
    longest = "m" * 65 + "@exemplo.com"
    assert len(longest) == 77
    assert parse_pix_key(PixKeyType.EMAIL, longest) == longest


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidDocument) as refused:
        parse_pix_key("iban", "11144477735")
    assert refused.value.code == "invalid_pix_key_type"
