"""endToEndIds are checked softly."""

from datetime import UTC, datetime

import pytest

from efi import e2e_time, looks_like_e2e_id


@pytest.mark.parametrize(
    "text",
    [
        "E09089356202211011420API12345678",
        "D09089356202211011420API12345678",
        "E1AB893562022110114201234567890a",
    ],
)
def test_a_usual_id_looks_like_one(text: str) -> None:
    assert looks_like_e2e_id(text)
    assert e2e_time(text) == datetime(2022, 11, 1, 14, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "E123", "E09089356202213011420API12345678", "X09089356202211011420API12345678", "E" + "٣" * 31],
)
def test_an_unusual_id_does_not(text: str) -> None:
    assert not looks_like_e2e_id(text)
