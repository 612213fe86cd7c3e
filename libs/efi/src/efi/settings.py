"""Where Efí is and who we are to it. Secrets are files, read again when they change."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class EfiSettings(BaseSettings):
    """One Efí account.

    `efi_credentials_file` is JSON `{"client_id", "client_secret"}`; `efi_certificate_file` holds the client
    certificate and its key, as PEM or as the `.p12` that Efí hands out (empty passphrase); `efi_ca_file`
    verifies Efí's server (none: the system's roots); we charge and pay from `efi_pix_key`.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    efi_base_url: str
    """Efí's API."""
    efi_credentials_file: Path
    """JSON: {"client_id", "client_secret"}."""
    efi_certificate_file: Path
    """Our certificate with its key: PEM, or Efí's .p12."""
    efi_ca_file: Path | None = None
    """The authority of Efí's certificate; unset: the system's."""
    efi_pix_key: str
    """The Pix key that we charge and pay with."""
    efi_connect_timeout_s: float = 3.0
    """Longest wait for a connection."""
    efi_read_timeout_s: float = 15.0
    """Longest wait for an answer."""
    efi_send_timeout_s: float = 30.0
    """Longest wait for the answer to a sent Pix."""
    efi_attempts: int = Field(default=3, ge=1)
    """Attempts of one call that may be repeated."""
    efi_retry_base_s: float = 0.2
    """First wait before the next attempt; it doubles, with jitter."""
    efi_retry_after_max_s: float = 5.0
    """Longest Retry-After that is waited for."""
    efi_circuit_failures: int = Field(default=8, ge=1)
    """Failed requests in a row after which Efí is left alone for a while."""
    efi_circuit_open_s: float = Field(default=5.0, gt=0)
    """How long Efí is left alone before one request tries it again."""

    @property
    def efi_call_s(self) -> float:
        """How long one call that is no send may take: its attempts, the waits between them and a login."""
        request_s = self.efi_connect_timeout_s + self.efi_read_timeout_s
        return request_s * (self.efi_attempts + 1) + self.efi_retry_after_max_s * (self.efi_attempts - 1)
