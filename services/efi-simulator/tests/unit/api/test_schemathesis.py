"""Whatever the documents allow, and much that they do not, is answered as the documents say.

The routes that only Efí has are held to the simulator's own OpenAPI, the others to the central bank's. Half of
the requests name things that exist and our own key, so that not all of them end at the door.
"""

import base64
import copy
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from openapi_overlay import bacen
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance
from simulator_calls import BASIC, COB, ENVIO, deps_of
from simulator_fakes import KEY, LATER, NOW, TXID, bank, charge, send

from efi_simulator.api.apps import api_app
from efi_simulator.domain.bank import Bank
from efi_simulator.domain.modes import SendMode
from efi_simulator.domain.receiving import pay_charge, request_refund
from efi_simulator.domain.reporting import KINDS, order_report
from efi_simulator.domain.settling import settle
from efi_simulator.main import describe
from kernel.business_day import business_day

LOGIN = "Basic " + base64.b64encode(":".join(BASIC).encode()).decode()
CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance]
EXAMPLES = 12
BACEN = (
    "/cob",
    "/cob/{txid}",
    "/pix",
    "/pix/{e2eid}",
    "/pix/{e2eid}/devolucao/{id}",
    "/webhook",
    "/webhook/{chave}",
)
EFI = ("/oauth/token", "/v3/gn/", "/v2/gn/")
BODIES: dict[str, dict[str, Any]] = {
    "PUT /cob/{txid}": COB,
    "PATCH /cob/{txid}": {"valor": {"original": "51.00"}},
    "PUT /pix/{e2eid}/devolucao/{id}": {"valor": "0.01"},
    "PUT /webhook/{chave}": {"webhookUrl": "https://ibora.invalid/webhooks/efi"},
    "PUT /v2/gn/pix/{id_envio}": ENVIO,
    "PUT /v3/gn/pix/{id_envio}": ENVIO,
    "POST /oauth/token": {"grant_type": "client_credentials"},
    "POST /v2/gn/webhook/reenviar": {"tipo": "PIX_RECEBIDO"},
    "POST /v2/gn/relatorios/extrato-conciliacao": {
        "dataMovimento": "2026-11-23",
        "tipoRegistros": {"pixRecebido": True},
    },
}
DAY = {"inicio": "2026-11-24T00:00:00Z", "fim": "2026-11-25T00:00:00Z"}


@cache
def documents() -> dict[str, Any]:
    own = describe().openapi()
    own["paths"] = {path: item for path, item in own["paths"].items() if path.startswith(EFI)}
    theirs = copy.deepcopy(bacen())
    theirs["servers"] = [{"url": "/v2"}]
    theirs["paths"] = {path: theirs["paths"][path] for path in BACEN}
    for item in theirs["paths"].values():
        for method in ("get", "put", "post", "patch", "delete"):
            if method in item:
                _expect_efis_errors(item[method])
    for name in ("CobGerada", "CobCompleta", "PayloadLocation"):
        _drop_uri(theirs["components"]["schemas"][name])
    # Efí answers 201 (reference §1.7).
    responses = theirs["paths"]["/webhook/{chave}"]["put"]["responses"]
    responses["201"] = responses["200"]
    # Efí picks no txid for us: that route is not simulated.
    del theirs["paths"]["/cob"]["post"]
    return {"efi": schemathesis.openapi.from_dict(own), "bacen": schemathesis.openapi.from_dict(theirs)}


def _drop_uri(node: Any) -> None:
    """The document's own example of a location is none: it has no scheme."""
    if isinstance(node, dict):
        if node.get("format") == "uri":
            del node["format"]
        for value in node.values():
            _drop_uri(value)
    elif isinstance(node, list):
        for value in node:
            _drop_uri(value)


def _expect_efis_errors(operation: dict[str, Any]) -> None:
    """Efí's families A and C instead of the central bank's problems (reference §1.8)."""
    kept = {status: one for status, one in operation["responses"].items() if str(status).startswith("2")}
    of_family = [
        {"type": "object", "required": names, "properties": {name: {"type": "string"} for name in names}}
        for names in (["nome", "mensagem"], ["error", "error_description"])
    ]
    content = {"application/json": {"schema": {"anyOf": of_family}}}
    operation["responses"] = kept | {"default": {"description": "Refused", "content": content}}
    # No callback is made here: the webhook's own tests look at those.
    operation.pop("callbacks", None)


def labels() -> list[tuple[str, str]]:
    return [
        (name, operation.ok().label)
        for name, schema in documents().items()
        for operation in schema.get_all_operations()
    ]


def seeded(folder: Path) -> tuple[FastAPI, dict[str, str], dict[str, str]]:
    """The application on books with something of everything; what exists; how to be let in."""
    books = bank(receive_fee=Decimal("0.01"), send_fee=Decimal("0.02"))
    deps = deps_of(folder, books, woken=[])
    known = fill(books)
    return api_app(deps), known, {"Authorization": f"Bearer {deps.tokens.issue(LOGIN, now=NOW)}"}


def fill(books: Bank) -> dict[str, str]:
    charge(books)
    charge(books, txid=TXID[::-1])
    received = pay_charge(books, txid=TXID, amount=None, payer_cpf="52998224725", now=NOW)
    request_refund(books, e2e_id=received.e2e_id, refund_id="r1", amount=Decimal("1.00"), now=NOW)
    for number, mode in enumerate((SendMode.OK, SendMode.REJECT_LATER, SendMode.RETURN_LATER)):
        books.send_mode.set(mode, count=1)
        send(books, id_envio=f"envio{number}")
    settle(books, now=LATER)
    settle(books, now=LATER)
    report = order_report(books, day=business_day(NOW).replace(day=1), records=tuple(KINDS), now=NOW)
    return {
        "txid": TXID,
        "e2eid": received.e2e_id,
        "e2e_id": books.sends["envio2"].e2e_id,
        "id_envio": "envio2",
        "id": "r1",
        "chave": KEY,
        "report": report.id,
    }


def make_known(case: Case, known: Mapping[str, str]) -> None:
    """Let the request name what exists and ask for what can be had, under an id of its own if it makes something."""
    path, operation = case.operation.path, f"{case.operation.method.upper()} {case.operation.path}"
    own_id = {"PUT /cob/{txid}": "txid", "PUT /pix/{e2eid}/devolucao/{id}": "id"}.get(operation, "")
    own_id = "id_envio" if operation.startswith("PUT") and path.endswith("{id_envio}") else own_id
    for name in case.path_parameters:
        if name != own_id:
            case.path_parameters[name] = known["report" if "relatorios" in path else name]
    if operation.startswith("PATCH"):
        case.path_parameters["txid"] = TXID[::-1]
    if "paginacao.paginaAtual" in str(case.operation.query.items) or "inicio" in (case.query or {}):
        case.query = dict(DAY)
    if operation in BODIES:
        case.body = BODIES[operation] | ({"e2eids": [known["e2eid"]]} if "reenviar" in path else {})


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(("document", "label"), labels())
def test_every_answer_is_as_documented(
    tmp_path: Path, document: str, label: str, mode: GenerationMode
) -> None:
    schema = documents()[document]
    operation = next(one.ok() for one in schema.get_all_operations() if one.ok().label == label)
    app, known, authorization = seeded(tmp_path)
    headers = {"Authorization": LOGIN} if "oauth" in label else authorization
    base_url = "http://efi.invalid" + ("/v2" if document == "bacen" else "")
    answered: set[int] = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), is_known=st.booleans())
    def run(case: Case, is_known: bool) -> None:
        if is_known and mode is GenerationMode.POSITIVE:
            make_known(case, known)
        response = case.call(app=app, base_url=base_url, headers=headers)
        answered.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    try:
        run()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE
        pytest.skip("this operation takes nothing that could be wrong")
    # Not all of them ended at the door.
    assert mode is GenerationMode.NEGATIVE or min(answered) < 300
