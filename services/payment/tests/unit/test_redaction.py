"""What is kept of a webhook in the clear names nobody."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from payment.domain.redaction import redacted

ITEM = {
    "endToEndId": "E1",
    "txid": "t",
    "chave": "fulano@example.com",
    "valor": "50.00",
    "horario": {"solicitacao": "2026-11-24T12:00:00Z"},
    "infoPagador": "pago por Fulano",
    "motivo": "Fulano de Tal pediu",
    "favorecido": {"chave": "52998224725", "identificacao": {"nome": "Fulano", "cpf": "52998224725"}},
    "gnExtras": {"tarifa": "0.01", "pagador": {"nome": "Fulano", "cpf": "52998224725"}, "idEnvio": "i1"},
    "devolucoes": [{"id": "1", "rtrId": "D1", "motivo": "Fulano", "status": "DEVOLVIDO"}, "Fulano"],
    "novidade": "Fulano",
    "componentesValor": {"saque": {"prestadorDoServicoDeSaque": "52998224725"}},
}


def test_only_what_is_known_to_name_nobody_is_kept() -> None:
    kept = redacted(ITEM)
    assert kept == {
        "endToEndId": "E1",
        "txid": "t",
        "valor": "50.00",
        "horario": {"solicitacao": "2026-11-24T12:00:00Z"},
        "gnExtras": {"tarifa": "0.01", "idEnvio": "i1"},
        "devolucoes": [{"id": "1", "rtrId": "D1", "status": "DEVOLVIDO"}],
    }
    text = json.dumps(kept)
    assert not any(word in text for word in ("Fulano", "fulano", "52998224725"))


def test_numbers_stay_exact_and_long_text_is_cut() -> None:
    kept = redacted(
        {"valor": Decimal("0.10"), "status": "x" * 1000, "tarifa": None, "revisao": True, "id": 7}
    )
    assert kept == {"valor": "0.10", "status": "x" * 80, "revisao": True, "id": "7"}


def test_nesting_ends() -> None:
    item: dict[str, Any] = {"id": "1"}
    for _ in range(1000):
        item = {"pix": [item]}
    assert len(json.dumps(redacted(item))) < 200
    assert redacted("text") is None
    assert redacted([["text"]]) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*ITEM, "pix", "nome"]) | st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from([*ITEM, "pix", "nome"]), JSON, max_size=6))
def test_anything_becomes_storable(item: dict[str, Any]) -> None:
    text = json.dumps(redacted(item), ensure_ascii=False)
    assert "\\u0000" not in text
    assert text.encode()
    assert not {"nome", "chave", "infoPagador", "favorecido", "motivo"} & set(_keys(json.loads(text)))


def _keys(value: Any) -> list[str]:
    if isinstance(value, list):
        return [key for inner in value for key in _keys(inner)]
    if isinstance(value, dict):
        return [*value, *(key for inner in value.values() for key in _keys(inner))]
    return []
