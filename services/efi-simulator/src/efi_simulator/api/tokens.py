"""OAuth2 client credentials: who may call, and with which token."""

import base64
import binascii
import json
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from efi_simulator.domain.refusals import InvalidClient

SCOPES: Final = (
    "cob.read cob.write pix.read pix.write pix.send gn.pix.send.read "
    "webhook.read webhook.write gn.balance.read gn.reports.read gn.reports.write"
)


class Tokens:
    """Gives tokens to the client whose id and secret stand in `credentials_file` (read each time)."""

    def __init__(self, credentials_file: Path, *, ttl_s: int) -> None:
        self._credentials_file = credentials_file
        self.ttl_s = ttl_s
        self._expiry: dict[str, datetime] = {}

    def issue(self, authorization: str, *, now: datetime) -> str:
        """A new token for the holder of HTTP Basic credentials; InvalidClient."""
        known = json.loads(self._credentials_file.read_bytes())
        expected = f"{known['client_id']}:{known['client_secret']}".encode()
        if not secrets.compare_digest(_basic(authorization), expected):
            raise InvalidClient
        self._expiry = {token: expiry for token, expiry in self._expiry.items() if expiry > now}
        token = secrets.token_urlsafe(32)
        self._expiry[token] = now + timedelta(seconds=self.ttl_s)
        return token

    def is_good(self, token: str, *, now: datetime) -> bool:
        expiry = self._expiry.get(token)
        return expiry is not None and now < expiry

    def revoke_all(self) -> None:
        """Every token is refused from now on."""
        self._expiry.clear()


def _basic(authorization: str) -> bytes:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return b""
