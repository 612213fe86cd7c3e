"""Lists by time, a page at a time; and the ids."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator_fakes import NOW

from efi_simulator.domain.numbers import Numbers
from efi_simulator.domain.pages import Page, Span, page_of
from efi_simulator.domain.refusals import InvalidAmount

MOMENTS = [NOW + timedelta(minutes=minute) for minute in range(10)]


def page(number: int, size: int, *, start: datetime = NOW, end: datetime = MOMENTS[-1]) -> Page[datetime]:
    span = Span(start=start, end=end, number=number, size=size)
    return page_of(MOMENTS, span=span, at=lambda one: one, wanted=lambda _: True)


@given(size=st.integers(1, 12))
def test_the_pages_together_are_the_whole_list(size: int) -> None:
    pages = page(0, size).parametros()["paginacao"]["quantidadeDePaginas"]
    assert [one for number in range(pages) for one in page(number, size).items] == MOMENTS
    assert page(pages, size).items == []


def test_both_ends_of_the_span_are_included() -> None:
    assert page(0, 100, start=MOMENTS[2], end=MOMENTS[4]).items == MOMENTS[2:5]


def test_an_empty_list_has_one_page() -> None:
    found = page_of([], span=Span(start=NOW, end=NOW), at=lambda one: one, wanted=lambda _: True)
    assert found.parametros()["paginacao"] == {
        "paginaAtual": 0,
        "itensPorPagina": 100,
        "quantidadeDePaginas": 1,
        "quantidadeTotalDeItens": 0,
    }


def test_an_end_before_its_start_is_refused() -> None:
    with pytest.raises(InvalidAmount):
        Span(start=NOW, end=NOW - timedelta(seconds=1))


def test_ids_of_one_minute_differ_and_have_their_lengths() -> None:
    numbers = Numbers("abcde")
    ids = [numbers.received_id(NOW) for _ in range(2000)] + [numbers.send_id(NOW) for _ in range(2000)]
    assert len(set(ids)) == 4000
    assert {len(one) for one in ids} == {32}


def test_another_run_gives_other_ids() -> None:
    assert Numbers("abcde").received_id(NOW) != Numbers("abcdf").received_id(NOW)


@pytest.mark.parametrize("run", ["", "abcd", "abcdef", "abcd!", "abcdé"])
def test_a_run_needs_five_plain_characters(run: str) -> None:
    with pytest.raises(ValueError, match="five"):
        Numbers(run)
