"""Seals the raw bodies of webhooks before they reach a column."""

from base64 import b64decode
from pathlib import Path
from typing import Final, Self

from storage.crypto import KEY_BYTES, FieldCipher

# One character a byte, so that any body goes through a cipher of text and comes back as it was.
_BYTES: Final = "latin-1"


class CipherVault:
    """AES-256-GCM. `keys` are 32 bytes each: the first seals, all of them open."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._cipher = FieldCipher(keys[0], older=keys[1:])

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """A file of base64 lines of 32 bytes, the current key first; ValueError when it is not that."""
        keys = tuple(b64decode(line, validate=True) for line in path.read_text().split())
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"{path.name} must hold base64 lines of {KEY_BYTES} bytes")
        return cls(keys)

    def seal(self, body: bytes) -> bytes:
        return self._cipher.encrypt(body.decode(_BYTES))

    def open(self, sealed: bytes) -> bytes:
        """The body; NotDecryptable for an unknown key or changed bytes."""
        return self._cipher.decrypt(sealed).encode(_BYTES)
