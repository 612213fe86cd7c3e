"""The ids that a bank hands out."""

from datetime import datetime
from typing import Final

DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
OUR_ISPB: Final = "09089356"
"""Efí's."""
PAYER_ISPB: Final = "99999004"
"""The banks of those who pay us: no participant of Pix has this number."""


class Numbers:
    """`run` is five letters or digits that no other run of the simulator had in the same minute: what was
    paid before a restart must never be taken for what is paid after it."""

    def __init__(self, run: str) -> None:
        if len(run) != 5 or not (run.isascii() and run.isalnum()):
            raise ValueError("run needs five letters or digits")
        self._run = run
        self._last = 0

    @property
    def last(self) -> int:
        return self._last

    def go_on_after(self, last: int) -> None:
        """After a restart."""
        self._last = max(self._last, last)

    def next(self) -> int:
        self._last += 1
        return self._last

    def received_id(self, now: datetime) -> str:
        """The endToEndId of a Pix that another bank sends us."""
        return f"E{PAYER_ISPB}{now:%Y%m%d%H%M}{self._run}{self._base36(6)}"

    def send_id(self, now: datetime) -> str:
        """The endToEndId of a Pix that we send: Efí's begin with API."""
        return f"E{OUR_ISPB}{now:%Y%m%d%H%M}API{self._run}{self._base36(3)}"

    def return_id(self, now: datetime) -> str:
        """An rtrId."""
        return f"D{OUR_ISPB}{now:%Y%m%d%H%M}{self._run}{self._base36(6)}"

    def _base36(self, width: int) -> str:
        number, text = self.next(), ""
        while number:
            number, digit = divmod(number, 36)
            text = DIGITS[digit] + text
        # The minute is part of the id, so the last digits are enough to tell two of one minute apart.
        return text.rjust(width, "0")[-width:]
