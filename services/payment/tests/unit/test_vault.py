"""A webhook's body comes out of the vault as it went in, for whoever has a key that it was sealed with."""

from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payment.adapters.vault import CipherVault
from storage.crypto import NotDecryptable

OLD, NEW = b"o" * 32, b"n" * 32


@given(st.binary(max_size=300))
def test_any_body_comes_back_to_the_byte(body: bytes) -> None:
    vault = CipherVault((NEW,))
    sealed = vault.seal(body)
    assert vault.open(sealed) == body
    assert len(body) < 8 or body not in sealed


def test_a_new_key_seals_and_the_old_one_still_opens(tmp_path: Path) -> None:
    sealed = CipherVault((OLD,)).seal(b"body")
    file = tmp_path / "keys"
    file.write_text("\n".join(b64encode(key).decode() for key in (NEW, OLD)))
    rotated = CipherVault.from_file(file)
    assert rotated.open(sealed) == b"body"
    with pytest.raises(NotDecryptable):
        CipherVault((OLD,)).open(rotated.seal(b"body"))


@pytest.mark.parametrize("content", ["", "c2hvcnQ=", "not base64!"])
def test_a_file_that_holds_no_keys_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "keys"
    file.write_text(content)
    with pytest.raises(ValueError, match=r"base64|[Pp]adding|[Nn]on-base64"):
        CipherVault.from_file(file)
