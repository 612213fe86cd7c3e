"""Is this text a Pix key that the directory could hold, and whose is it?"""

from efi_simulator.domain.refusals import InvalidKey, KeyOfAnotherDocument
from kernel.documents import InvalidDocument, PixKeyType, parse_pix_key


def check_key(key: str, *, document: str | None) -> None:
    """InvalidKey when no kind of key is written like this; KeyOfAnotherDocument when the key is a document
    other than `document`. Who owns a phone, e-mail or random key is not known here."""
    kinds = [kind for kind in PixKeyType if _is_written_as(kind, key)]
    if not kinds:
        raise InvalidKey
    is_document = kinds[0] in (PixKeyType.CPF, PixKeyType.CNPJ)
    if document is not None and is_document and key != document:
        raise KeyOfAnotherDocument


def _is_written_as(kind: PixKeyType, key: str) -> bool:
    if kind is PixKeyType.PHONE and not key.startswith("+"):
        return False
    try:
        return parse_pix_key(kind, key) == key
    except InvalidDocument:
        return False
