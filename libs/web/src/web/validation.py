"""What Pydantic found wrong, as field errors in the reader's language. The input is never echoed."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from kernel.refusals import FieldError
from web.languages import DEFAULT, Language

_SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("Campo obrigatório.", "This field is required."),
    "extra_forbidden": ("Campo desconhecido.", "Unknown field."),
    "string_too_short": ("Use ao menos {min_length} caracteres.", "Use at least {min_length} characters."),
    "string_too_long": ("Use no máximo {max_length} caracteres.", "Use at most {max_length} characters."),
    "too_short": ("Envie ao menos {min_length}.", "Send at least {min_length}."),
    "too_long": ("Envie no máximo {max_length}.", "Send at most {max_length}."),
    "greater_than": ("Deve ser maior que {gt}.", "Must be greater than {gt}."),
    "greater_than_equal": ("Deve ser no mínimo {ge}.", "Must be at least {ge}."),
    "less_than": ("Deve ser menor que {lt}.", "Must be less than {lt}."),
    "less_than_equal": ("Deve ser no máximo {le}.", "Must be at most {le}."),
    "enum": ("Valor fora da lista permitida.", "Not one of the allowed values."),
    "literal_error": ("Valor fora da lista permitida.", "Not one of the allowed values."),
    "string_type": ("Deve ser um texto.", "Must be a text."),
    "int_type": ("Deve ser um número inteiro.", "Must be a whole number."),
    "int_parsing": ("Deve ser um número inteiro.", "Must be a whole number."),
    "int_from_float": ("Deve ser um número inteiro.", "Must be a whole number."),
    "float_type": ("Deve ser um número.", "Must be a number."),
    "float_parsing": ("Deve ser um número.", "Must be a number."),
    "finite_number": ("Deve ser um número finito.", "Must be a finite number."),
    "bool_type": ("Deve ser verdadeiro ou falso.", "Must be true or false."),
    "bool_parsing": ("Deve ser verdadeiro ou falso.", "Must be true or false."),
    "uuid_type": ("Deve ser um UUID.", "Must be a UUID."),
    "uuid_parsing": ("Deve ser um UUID.", "Must be a UUID."),
    "datetime_parsing": ("Deve ser uma data e hora RFC 3339.", "Must be an RFC 3339 time."),
    "timezone_aware": ("A data e hora precisa de fuso horário.", "The time needs a time zone."),
    "time_out_of_range": ("Data e hora fora do calendário.", "The time is beyond the calendar."),
    "model_attributes_type": ("Deve ser um objeto JSON.", "Must be a JSON object."),
    "dict_type": ("Deve ser um objeto JSON.", "Must be a JSON object."),
    "list_type": ("Deve ser uma lista.", "Must be a list."),
    "string_pattern_mismatch": ("Formato inválido.", "Invalid format."),
    "nul_character": ("O texto contém um caractere proibido.", "The text holds a forbidden character."),
    "invalid_money": (
        "Deve ser um valor positivo com até duas casas decimais.",
        "Must be a positive amount with at most two decimals.",
    ),
}
_ANY: Final = ("Valor inválido.", "Invalid value.")
_MAX_POINTER: Final = 200
MAX_ERRORS: Final = 50


def field_errors(errors: Sequence[Mapping[str, Any]], *, language: Language) -> list[FieldError]:
    """Pydantic's errors as field errors, at most 50. A body's pointer starts at the body itself."""
    return [_field_error(error, language=language) for error in errors[:MAX_ERRORS]]


def sentence_for(code: str, *, language: Language, context: Mapping[str, Any] | None = None) -> str:
    """What a person reads about an error code."""
    template = _SENTENCES.get(code, _ANY)[0 if language == DEFAULT else 1]
    try:
        return template.format(**(context or {}))
    except (KeyError, IndexError):
        return _ANY[0 if language == DEFAULT else 1]


def pointer_to(location: Sequence[str | int]) -> str:
    """A JSON pointer (RFC 6901) into the body, or `/query/…`, `/header/…` for what is not in it."""
    parts = location[1:] if location and location[0] == "body" else location
    return "".join(f"/{_escaped(part)}" for part in parts)[:_MAX_POINTER]


def _escaped(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def _field_error(error: Mapping[str, Any], *, language: Language) -> FieldError:
    context = error.get("ctx") or {}
    code = _code(str(error["type"]), context)
    return FieldError(
        pointer=pointer_to(error["loc"]),
        code=code,
        detail=sentence_for(code, language=language, context=context),
    )


def _code(kind: str, context: Mapping[str, Any]) -> str:
    # A ValueError of the kernel names itself: "invalid_cpf" says more than "value_error".
    cause = context.get("error")
    own = getattr(cause, "code", None)
    return own if kind == "value_error" and isinstance(own, str) else kind
