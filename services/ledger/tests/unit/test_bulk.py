"""Rows that travel as one text."""

import pytest

from kernel.ids import new_id
from ledger.adapters.bulk import IdTexts, id_list, joined
from ledger.domain.journal import InvalidJournal


def test_an_id_is_written_as_str_would() -> None:
    ids = [new_id() for _ in range(3)]
    texts = IdTexts()
    assert [texts[id_.int] for id_ in ids] == [str(id_) for id_ in ids]
    assert texts[ids[0].int] is texts[ids[0].int]
    assert texts[0] == "00000000-0000-0000-0000-000000000000"


def test_rows_and_fields_have_separators_of_their_own() -> None:
    assert joined([("a", None), ("", "ç,;\n")]) == "a\x1f\x1a\x1e\x1fç,;\n"
    assert id_list([]) == ""


@pytest.mark.parametrize("character", ["\x1a", "\x1e", "\x1f"])
def test_a_text_that_holds_a_separator_is_refused(character: str) -> None:
    for row in ((character, None), (f"a{character}b", "c")):
        with pytest.raises(InvalidJournal):
            joined([("a", "b"), row])
