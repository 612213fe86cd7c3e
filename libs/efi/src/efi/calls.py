"""How the methods of the client ask: a query, an order under our id, a page of a list."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final, Protocol, TypeVar

from efi.answers import read
from efi.errors import EfiNotFound, EfiRefused
from efi.requests import Request
from efi.transport import Transport
from efi.wire import ListWire, Wire, efi_time

W = TypeVar("W", bound=Wire)
L = TypeVar("L", bound=ListWire)
PAGE_SIZE: Final = 500


class Account(Protocol):
    """What every group of calls knows: the way to Efí, our key, and how long a slow order may take."""

    _transport: Transport
    _key: str
    _send_timeout_s: float


async def query(transport: Transport, operation: str, path: str, shape: type[W]) -> W:
    """A GET, read as `shape`."""
    request = Request(operation=operation, method="GET", path=path, repeatable=True)
    return read(await transport.call(request), shape)


async def order(transport: Transport, operation: str, path: str, body: object, shape: type[W]) -> W:
    """A PUT under an id of ours, read as `shape`."""
    request = Request(operation=operation, method="PUT", path=path, json=body, repeatable=True)
    return read(await transport.call(request), shape)


async def pages(
    transport: Transport,
    operation: str,
    path: str,
    shape: type[L],
    *,
    start: datetime,
    end: datetime,
    filters: dict[str, str | None] | None = None,
) -> AsyncIterator[L]:
    """Every page of a list from `start` to `end` (aware); filters that are None are left out."""
    wanted = {name: value for name, value in (filters or {}).items() if value is not None}
    page, count = 0, 1
    while page < count:
        params = wanted | {
            "inicio": efi_time(start),
            "fim": efi_time(end),
            "paginacao.paginaAtual": str(page),
            "paginacao.itensPorPagina": str(PAGE_SIZE),
        }
        request = Request(operation=operation, method="GET", path=path, repeatable=True, params=params)
        answer = read(await transport.call(request), shape)
        yield answer
        page, count = page + 1, answer.parametros.paginacao.pages


def not_found(refused: EfiRefused, kind: type[EfiNotFound], *names: str) -> Exception:
    """`kind` when `refused` says so. Efí documents some of these as 400 and some as 404."""
    if refused.status == 404 or refused.name in names:
        return kind(refused.name)
    return refused
