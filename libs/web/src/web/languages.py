"""Which of our two languages a reader wants."""

from typing import Final, Literal

Language = Literal["pt-BR", "en"]
DEFAULT: Final[Language] = "pt-BR"
_OURS: Final[dict[str, Language]] = {"pt": "pt-BR", "en": "en", "*": DEFAULT}


def choose_language(accept_language: str) -> Language:
    """The best of pt-BR and en for an `Accept-Language` header; pt-BR when it asks for neither."""
    best: tuple[float, Language] = (0.0, DEFAULT)
    for choice in accept_language[:200].split(","):
        tag, _, parameters = choice.strip().partition(";")
        language = _OURS.get(tag.split("-")[0].strip().lower())
        quality = _quality(parameters)
        if language is not None and quality > best[0]:
            best = (quality, language)
    return best[1]


def _quality(parameters: str) -> float:
    name, _, value = parameters.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
