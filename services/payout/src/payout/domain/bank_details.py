"""Where a payout goes: in clear only on its way to the bank, sealed and masked everywhere else."""

from dataclasses import dataclass, field
from datetime import datetime

from kernel.documents import PixKeyType
from kernel.masking import mask_cpf, mask_pix_key


@dataclass(frozen=True, slots=True, kw_only=True)
class BankDetails:
    """A driver's Pix key and CPF in clear. Never stored, logged or published like this."""

    pix_key: str = field(repr=False)
    pix_key_type: str
    cpf: str = field(repr=False)

    @property
    def document(self) -> str:
        """The document that must own the key, by which Efí catches a key that is somebody else's."""
        return self.pix_key if self.pix_key_type == PixKeyType.CNPJ else self.cpf

    def masked(self) -> dict[str, str]:
        """What its owner may see."""
        return {
            "pix_key": mask_pix_key(self.pix_key_type, self.pix_key),
            "pix_key_type": self.pix_key_type,
            "cpf": mask_cpf(self.cpf),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Payee:
    """Identity's answer about a driver: `details` None without a key; `active`: neither suspended nor banned."""

    details: BankDetails | None
    active: bool = True
    pix_key_changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The details when the payout was prepared: `sealed` is ciphertext, `masked` may be shown."""

    sealed: str = field(repr=False)
    masked: dict[str, str]
