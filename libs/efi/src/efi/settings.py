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
    efi_credentials_file: Path
    efi_certificate_file: Path
    efi_ca_file: Path | None = None
    efi_pix_key: str
    efi_connect_timeout_s: float = 3.0
    efi_read_timeout_s: float = 15.0
    efi_send_timeout_s: float = 30.0
    efi_attempts: int = Field(default=3, ge=1)
    efi_retry_base_s: float = 0.2
    efi_retry_after_max_s: float = 5.0
