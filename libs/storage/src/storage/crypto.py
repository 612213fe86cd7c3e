"""Personal data at rest: AES-256-GCM for the value, a keyed hash to find it again."""

import hmac
import secrets
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES: Final = 12
KEY_ID_BYTES: Final = 4
KEY_BYTES: Final = 32


class NotDecryptable(ValueError):
    """The bytes were made with an unknown key, or were changed."""


class FieldCipher:
    """Encrypts one column's text. Layout: 4 bytes of key id, 12 of nonce, the sealed text.

    `key` (32 bytes) encrypts; it and `older` keys decrypt, so a key rotates without rewriting at once.
    The key id is the first bytes of the key's SHA-256: no registry of names to keep.
    """

    def __init__(self, key: bytes, *, older: tuple[bytes, ...] = ()) -> None:
        self._current = _key_id(key)
        self._ciphers: Mapping[bytes, AESGCM] = {_key_id(k): AESGCM(k) for k in (key, *older)}

    def encrypt(self, text: str) -> bytes:
        """Seal `text`; two calls never give the same bytes."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, text.encode(), self._current)
        return self._current + nonce + sealed

    def decrypt(self, sealed: bytes) -> str:
        """The text; NotDecryptable for an unknown key or changed bytes."""
        key_id, nonce = sealed[:KEY_ID_BYTES], sealed[KEY_ID_BYTES : KEY_ID_BYTES + NONCE_BYTES]
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise NotDecryptable("sealed with a key that is not known here")
        try:
            return cipher.decrypt(nonce, sealed[KEY_ID_BYTES + NONCE_BYTES :], key_id).decode()
        except InvalidTag as error:
            raise NotDecryptable("the sealed bytes were changed") from error

    def is_current(self, sealed: bytes) -> bool:
        """Whether `sealed` was made with the current key; False says: encrypt it again."""
        return sealed[:KEY_ID_BYTES] == self._current


class BlindIndex:
    """HMAC-SHA256 of a canonical value: equality and uniqueness without the value. `key` has 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._key = _checked(key)

    def of(self, text: str) -> bytes:
        """32 bytes, the same for the same text."""
        return hmac.digest(self._key, text.encode(), sha256)


def _key_id(key: bytes) -> bytes:
    return sha256(b"ibora key id" + _checked(key)).digest()[:KEY_ID_BYTES]


def _checked(key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
    return key
