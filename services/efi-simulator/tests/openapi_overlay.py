"""The central bank's OpenAPI with Efí's documented differences, and the few routes that only Efí has."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from openapi_schema_validator import OAS30ReadValidator, OAS30WriteValidator, oas30_format_checker

FIXTURES = Path(__file__).parent / "fixtures"


@cache
def bacen() -> dict[str, Any]:
    """The central bank's document with the overlay (reference §3)."""
    document: dict[str, Any] = yaml.load(
        (FIXTURES / "bacen-pix-openapi.yaml").read_text(), Loader=yaml.CSafeLoader
    )
    schemas = document["components"]["schemas"]
    # Efí's loc has no txid and no criacao.
    for part in schemas["CobGerada"]["allOf"]:
        if "loc" in part.get("properties", {}):
            part["properties"]["loc"]["required"] = ["id", "location", "tipoCob"]
    schemas["PayloadLocation"]["required"] = ["id", "location", "tipoCob"]
    # The Pix of a static code has a txid shorter than a charge's.
    schemas["Pix"]["properties"]["txid"] = {"type": "string", "pattern": "^[a-zA-Z0-9]{1,35}$"}
    # Some of Efí's answers write the seconds as a text.
    schemas["CobExpiracao"]["properties"]["expiracao"] = {
        "anyOf": [{"type": "integer"}, {"type": "string", "pattern": r"^\d+$"}]
    }
    # `required` names fields that the specification nowhere defines.
    schemas["PixConsultados"]["required"] = ["parametros", "pix"]
    schemas["CobsConsultadas"]["properties"]["cobs"]["items"]["allOf"][1] = {"required": ["status", "txid"]}
    # Efí answers without the account's cnpj.
    schemas["WebhookCompleto"]["required"] = ["webhookUrl", "criacao"]
    schemas["NotificacoesPix"] = {
        "type": "object",
        "required": ["pix"],
        "additionalProperties": False,
        "properties": {
            "pix": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Pix"}}
        },
    }
    return document


@cache
def efi_only() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((FIXTURES / "efi-only-openapi.yaml").read_text())
    return document


def faults(document: dict[str, Any], schema: str, value: object, *, reads: bool) -> list[str]:
    """How `value` breaks the schema of that name; `reads` for an answer, where readOnly fields are right."""
    root = {**document["components"]["schemas"][schema], "components": document["components"]}
    kind = OAS30ReadValidator if reads else OAS30WriteValidator
    validator = kind(root, format_checker=oas30_format_checker)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]
