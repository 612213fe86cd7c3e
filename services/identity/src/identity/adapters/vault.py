"""Seals personal data before it reaches a column, and indexes it blindly."""

import hmac
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Self

from storage.crypto import KEY_BYTES, BlindIndex, FieldCipher


class Vault:
    """`seal` and `open` a value; `index` it for uniqueness, apart for each kind of value.

    `keys` are 32 bytes each: the first seals, all of them open. `index_key` never changes: a new one would
    need every row indexed again.
    """

    def __init__(self, keys: tuple[bytes, ...], *, index_key: bytes) -> None:
        self._cipher = FieldCipher(keys[0], older=keys[1:])
        self._index = BlindIndex(index_key)
        self.refresh_key = hmac.digest(index_key, b"refresh token successor", sha256)

    @classmethod
    def from_files(cls, field_key_file: Path, *, index_key_file: Path) -> Self:
        """Each file holds base64 lines of 32 bytes; of the field keys the first is current."""
        return cls(read_keys(field_key_file), index_key=read_keys(index_key_file)[0])

    def seal(self, text: str) -> bytes:
        return self._cipher.encrypt(text)

    def open(self, sealed: bytes) -> str:
        """NotDecryptable for another key's or changed bytes."""
        return self._cipher.decrypt(bytes(sealed))

    def index(self, kind: str, text: str) -> bytes:
        return self._index.of(f"{kind}:{text}")


def read_keys(path: Path) -> tuple[bytes, ...]:
    """The keys in a file, one base64 line each; ValueError when there is none or one is not 32 bytes."""
    keys = tuple(b64decode(line, validate=True) for line in path.read_text().split())
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise ValueError(f"{path.name} must hold base64 lines of {KEY_BYTES} bytes")
    return keys
