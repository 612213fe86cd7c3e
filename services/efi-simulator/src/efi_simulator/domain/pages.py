"""Lists by time, a page at a time (reference §1.4)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from efi_simulator.domain.documents import Json, horario
from efi_simulator.domain.refusals import InvalidAmount

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From `start` to `end`, page `number` (from 0) of `size` entries."""

    start: datetime
    end: datetime
    number: int = 0
    size: int = 100

    def __post_init__(self) -> None:
        if self.end < self.start:
            # Efí's own name for it, though it is no amount.
            raise InvalidAmount("O fim não pode ser anterior ao início.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    span: Span
    items: Sequence[T]
    total: int

    def parametros(self) -> Json:
        """What Efí repeats of the query, and how much there is."""
        return {
            "inicio": horario(self.span.start),
            "fim": horario(self.span.end),
            "paginacao": {
                "paginaAtual": self.span.number,
                "itensPorPagina": self.span.size,
                "quantidadeDePaginas": max(1, -(-self.total // self.span.size)),
                "quantidadeTotalDeItens": self.total,
            },
        }


def page_of(
    things: Iterable[T], *, span: Span, at: Callable[[T], datetime], wanted: Callable[[T], bool]
) -> Page[T]:
    """The page of those that are `wanted` and whose time `at` lies in the span (both ends included)."""
    found = [one for one in things if span.start <= at(one) <= span.end and wanted(one)]
    first = span.number * span.size
    return Page(span=span, items=found[first : first + span.size], total=len(found))
