"""E-mail addresses: enough of a check to catch a typing error; only a message proves the rest."""

import re
from typing import Final

from kernel.documents import InvalidDocument

MAX_LENGTH: Final = 254
# One @, no spaces, quotes or control characters, and a domain with a dot (RFC 5321 without its curiosities).
SHAPE: Final = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]{1,64}@[^\s@<>()\[\]\\,;:\"_\x00-\x1f\x7f]+")


def parse_email(text: str) -> str:
    """The address in lower case; InvalidDocument `invalid_email`."""
    email = text.strip().lower()
    local, _, domain = email.rpartition("@")
    wrong_dots = any(not label for label in [*local.split("."), *domain.split(".")])
    if len(email) > MAX_LENGTH or not SHAPE.fullmatch(email) or wrong_dots or "." not in domain:
        raise InvalidDocument("invalid_email")
    return email
