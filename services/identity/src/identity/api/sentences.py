"""What a person reads about a wrong field, in their language."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from starlette.requests import Request

from kernel.refusals import Invalid
from web.languages import DEFAULT
from web.problems import language_of

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "invalid_email": ("Informe um e-mail válido.", "Enter a valid e-mail address."),
    "invalid_phone": ("Informe um telefone válido, com DDD.", "Enter a valid phone number."),
    "invalid_cpf": ("CPF inválido.", "Invalid CPF."),
    "invalid_cnh": ("Número de registro da CNH inválido.", "Invalid driving licence number (CNH)."),
    "invalid_pix_key": ("Chave Pix inválida para o tipo informado.", "Invalid Pix key for its type."),
    "invalid_plate": ("Placa inválida.", "Invalid licence plate."),
    "invalid_year": ("Ano do veículo fora do permitido.", "The vehicle's year is not accepted."),
    "invalid_text": ("Texto vazio ou com caracteres proibidos.", "Empty, or with forbidden characters."),
    "missing": ("Campo obrigatório para motoristas.", "Required of drivers."),
    "unexpected": ("Campo que só motoristas informam.", "Only drivers give this field."),
}


@contextmanager
def told_in_the_language_of(request: Request) -> Iterator[None]:
    """Complete the field errors of an Invalid raised in the block with their sentences."""
    try:
        yield
    except Invalid as invalid:
        chosen = 0 if language_of(request) == DEFAULT else 1
        errors = [replace(error, detail=SENTENCES[error.code][chosen]) for error in invalid.errors]
        raise Invalid(errors=errors) from None
