"""Reading a README's flow table, and comparing it with the code."""

from pathlib import Path

import pytest

from testkit.flow_table import differences, flows

TABLE = """
# payment

| verb | door | nouns | facts published |
|---|---|---|---|
| open_intent | POST /payments/intent | intent | – |
| `confirm_pix` | (apply_received) | charge | `payment.confirmed`, payment.mismatch_found |

| event | journals |
|---|---|
| x | y |
"""
FACTS = {"payment.confirmed", "payment.mismatch_found"}


@pytest.fixture
def readme(tmp_path: Path) -> Path:
    path = tmp_path / "README.md"
    path.write_text(TABLE)
    return path


def test_a_table_is_read_whole_and_other_tables_are_left_alone(readme: Path) -> None:
    rows = flows(readme)

    assert [row.verb for row in rows] == ["open_intent", "confirm_pix"]
    assert rows[0].facts == ()
    assert rows[1].facts == ("payment.confirmed", "payment.mismatch_found")


def test_a_table_that_agrees_with_the_code_has_no_differences(readme: Path) -> None:
    assert differences(readme, verbs={"open_intent", "confirm_pix"}, facts=FACTS) == []


def test_a_verb_without_a_row_and_a_row_without_a_verb_are_found(readme: Path) -> None:
    found = differences(readme, verbs={"open_intent", "expire_charge"}, facts=FACTS)

    assert [line.partition(": ")[2] for line in found] == [
        "confirm_pix has a row but no file",
        "expire_charge has a file but no row",
    ]


def test_a_fact_that_the_service_does_not_publish_is_found(readme: Path) -> None:
    found = differences(readme, verbs={"open_intent", "confirm_pix"}, facts={"payment.confirmed"})

    assert len(found) == 1
    assert "payment.mismatch_found" in found[0]


def test_a_readme_without_the_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# nothing")

    with pytest.raises(ValueError, match="no table"):
        flows(tmp_path / "README.md")
