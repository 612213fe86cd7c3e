"""Telephone numbers in E.164; a number without a country code is Brazilian."""

import re
from typing import Final

import phonenumbers

from kernel.documents.invalid import InvalidDocument

# phonenumbers also reads vanity letters, extensions and other scripts' digits: not here.
SHAPE: Final = re.compile(r"\+?[0-9(][0-9 ().-]{5,24}")


def parse_phone(text: str) -> str:
    """The number in E.164, "+5511987654321", if it exists in its country; InvalidDocument `invalid_phone`."""
    if not SHAPE.fullmatch(text.strip()):
        raise InvalidDocument("invalid_phone")
    try:
        number = phonenumbers.parse(text.strip(), "BR")
    except phonenumbers.NumberParseException as error:
        raise InvalidDocument("invalid_phone") from error
    if not phonenumbers.is_valid_number(number):
        raise InvalidDocument("invalid_phone")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
