"""endToEndId and rtrId: E or D, the bank's ISPB, the minute in UTC, eleven characters.

Only a soft check: documented samples have 26 to 31 characters, so nothing is refused for its shape; what
counts is whether Efí knows the id. ISPBs may hold letters since release 2.9.0 of the Pix manual.
"""

import re
from datetime import UTC, datetime
from typing import Final

SHAPE: Final = re.compile(r"[ED][0-9A-Z]{8}(\d{12})[A-Za-z0-9]{11}", re.ASCII)


def looks_like_e2e_id(text: str) -> bool:
    """Whether `text` has the shape of an endToEndId or rtrId, with a minute that exists."""
    return e2e_time(text) is not None


def e2e_time(text: str) -> datetime | None:
    """The minute (UTC) inside an endToEndId; None when it does not have the usual shape."""
    match = SHAPE.fullmatch(text)
    if match is None:
        return None
    try:
        return datetime.strptime(match[1], "%Y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None
