"""What comes back counts once, named or not, in any order."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from payout.domain.returns import KnownReturn, new_returns
from payout.domain.send import SendReturn

TWO, FIVE = Decimal("2.00"), Decimal("5.00")


def told(*returns: tuple[str | None, Decimal]) -> list[SendReturn]:
    return [SendReturn(return_id=return_id, amount=amount) for return_id, amount in returns]


def noted(*reports: list[SendReturn]) -> list[KnownReturn]:
    """What is known after these reports, one after another."""
    known: list[KnownReturn] = []
    for reported in reports:
        known += new_returns(known, reported, id_envio="x")
    assert len({one.return_id for one in known}) == len(known)
    return known


def test_two_equal_parts_with_ids_are_two() -> None:
    assert [one.return_id for one in noted(told(("D1", TWO), ("D2", TWO)))] == ["D1", "D2"]


def test_a_repeated_report_tells_nothing_new() -> None:
    report = told(("D1", TWO), ("D2", TWO), (None, FIVE))
    assert len(noted(report, report, report[::-1])) == 3
    assert len(noted(told(("D1", TWO), ("D1", TWO)))) == 1


def test_an_id_told_late_is_no_second_return() -> None:
    assert noted(told((None, TWO)), told(("D1", TWO))) == [KnownReturn(return_id="x:2.00:0", amount=TWO)]


def test_an_id_told_no_more_is_no_second_return() -> None:
    assert noted(told(("D1", TWO)), told((None, TWO))) == [KnownReturn(return_id="D1", amount=TWO)]


def test_places_in_the_list_mean_nothing() -> None:
    known = noted(told((None, TWO)), told((None, FIVE), (None, TWO)), told((None, TWO), (None, FIVE)))
    assert sorted(one.amount for one in known) == [TWO, FIVE]


def test_equal_parts_without_ids_are_counted() -> None:
    known = noted(told((None, TWO)), told((None, TWO), (None, TWO)))
    assert [one.return_id for one in known] == ["x:2.00:0", "x:2.00:1"]


def test_an_older_report_takes_nothing_back() -> None:
    assert len(noted(told((None, TWO), (None, TWO)), told((None, TWO)))) == 2


returned = st.lists(st.sampled_from([TWO, FIVE, Decimal("0.01")]), max_size=8)


@given(amounts=returned, data=st.data())
def test_however_it_is_told_every_return_counts_once(amounts: list[Decimal], data: st.DataObject) -> None:
    """Reports grow, forget and learn ids, and change their order."""
    known: list[KnownReturn] = []
    for upto in (*range(1, len(amounts) + 1), len(amounts)):
        report = [
            SendReturn(return_id=f"D{place}" if data.draw(st.booleans()) else None, amount=amount)
            for place, amount in enumerate(amounts[:upto])
        ]
        known += new_returns(known, data.draw(st.permutations(report)), id_envio="x")
        assert sorted(one.amount for one in known) == sorted(amounts[:upto])
    assert len({one.return_id for one in known}) == len(known)
