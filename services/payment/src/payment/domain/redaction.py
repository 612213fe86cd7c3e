"""What may be kept of a webhook in the clear: ids, amounts, times and states, by name; nothing else.

Names, documents, Pix keys and free text (a payer can write anything there) stay in the sealed body only.
"""

from collections.abc import Mapping
from typing import Any, Final

TEXT_LIMIT: Final = 80

_KEPT: Final = frozenset(
    {
        "endToEndId", "e2eId", "txid", "valor", "horario", "solicitacao", "liquidacao", "status", "tipo",
        "id", "rtrId", "idEnvio", "tarifa", "codigo", "revisao", "evento",
    }
)  # fmt: skip
_OPENED: Final = frozenset({"pix", "gnExtras", "erro", "devolucoes", "horario", "split"})
_DEPTH: Final = 8


def storable(text: str) -> str:
    """Text that Postgres can hold: no NUL, no lone surrogate."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def redacted(value: Any, *, depth: int = _DEPTH) -> Any:
    """The item, storable, with what it may show only: unknown fields are left out whole."""
    if isinstance(value, Mapping):
        shown = {key: _field(key, inner, depth=depth) for key, inner in value.items()}
        return {key: inner for key, inner in shown.items() if inner is not None}
    if isinstance(value, list):
        return [redacted(inner, depth=depth - 1) for inner in value if isinstance(inner, Mapping) and depth]
    return None


def _field(key: str, value: Any, *, depth: int) -> Any:
    if isinstance(value, Mapping | list):
        return redacted(value, depth=depth - 1) if key in _OPENED and depth else None
    if key not in _KEPT or value is None:
        return None
    # A number with a fraction was read exactly; as text it stays so.
    return value if isinstance(value, bool) else storable(str(value))[:TEXT_LIMIT]
