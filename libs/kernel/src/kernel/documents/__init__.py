"""Brazilian documents: parsed once at the edge into one canonical form, refused with a stable code."""

from kernel.documents.cnh import parse_cnh
from kernel.documents.cnpj import parse_cnpj
from kernel.documents.cpf import parse_cpf
from kernel.documents.invalid import InvalidDocument
from kernel.documents.phone import parse_phone
from kernel.documents.pix_key import PixKeyType, parse_pix_key
from kernel.documents.plate import parse_plate, to_mercosul, to_old_plate

__all__ = [
    "InvalidDocument",
    "PixKeyType",
    "parse_cnh",
    "parse_cnpj",
    "parse_cpf",
    "parse_phone",
    "parse_pix_key",
    "parse_plate",
    "to_mercosul",
    "to_old_plate",
]
