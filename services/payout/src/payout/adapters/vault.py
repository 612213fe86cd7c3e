"""Seals bank details before they reach a column."""

import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Self

from payout.domain.bank_details import BankDetails, Snapshot
from storage.crypto import KEY_BYTES, FieldCipher


class CipherVault:
    """`keys` are 32 bytes each: the first seals, all of them open."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._cipher = FieldCipher(keys[0], older=keys[1:])

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """A file of base64 lines of 32 bytes, the current key first; ValueError when it is not that."""
        keys = tuple(b64decode(line, validate=True) for line in path.read_text().split())
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"{path.name} must hold base64 lines of {KEY_BYTES} bytes")
        return cls(keys)

    def seal(self, details: BankDetails) -> Snapshot:
        clear = json.dumps([details.pix_key, details.pix_key_type, details.cpf])
        sealed = b64encode(self._cipher.encrypt(clear)).decode()
        return Snapshot(sealed=sealed, masked=details.masked())

    def open(self, snapshot: Snapshot) -> BankDetails:
        clear = self._cipher.decrypt(b64decode(snapshot.sealed))
        pix_key, pix_key_type, cpf = json.loads(clear)
        return BankDetails(pix_key=pix_key, pix_key_type=pix_key_type, cpf=cpf)
