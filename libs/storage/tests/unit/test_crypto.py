"""Field encryption and blind indexes."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.crypto import BlindIndex, FieldCipher, NotDecryptable

KEY, OTHER = bytes(range(32)), bytes(range(32, 64))


@given(st.text())
def test_what_was_encrypted_comes_back(text: str) -> None:
    cipher = FieldCipher(KEY)
    assert cipher.decrypt(cipher.encrypt(text)) == text


def test_the_same_text_never_looks_the_same() -> None:
    cipher = FieldCipher(KEY)
    assert cipher.encrypt("39053344705") != cipher.encrypt("39053344705")
    assert b"39053344705" not in cipher.encrypt("39053344705")


def test_an_old_key_still_decrypts_after_a_rotation() -> None:
    sealed = FieldCipher(KEY).encrypt("old")
    rotated = FieldCipher(OTHER, older=(KEY,))
    assert rotated.decrypt(sealed) == "old"
    assert not rotated.is_current(sealed)
    assert rotated.is_current(rotated.encrypt("new"))


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(NotDecryptable, match="not known"):
        FieldCipher(OTHER).decrypt(FieldCipher(KEY).encrypt("x"))


@pytest.mark.parametrize("position", [0, 5, 20, -1])
def test_a_changed_byte_is_refused(position: int) -> None:
    cipher = FieldCipher(KEY)
    sealed = bytearray(cipher.encrypt("39053344705"))
    sealed[position] ^= 1
    with pytest.raises(NotDecryptable):
        cipher.decrypt(bytes(sealed))


def test_a_short_key_is_refused() -> None:
    for make in (FieldCipher, BlindIndex):
        with pytest.raises(ValueError, match="32 bytes"):
            make(secrets.token_bytes(16))


def test_a_blind_index_is_stable_and_keyed() -> None:
    assert BlindIndex(KEY).of("39053344705") == BlindIndex(KEY).of("39053344705")
    assert BlindIndex(KEY).of("39053344705") != BlindIndex(OTHER).of("39053344705")
    assert BlindIndex(KEY).of("39053344705") != BlindIndex(KEY).of("39053344706")
