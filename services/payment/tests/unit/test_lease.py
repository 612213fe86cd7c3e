"""What a process has claimed is its own for as long as one call to Efí may take."""

from pathlib import Path

from efi import EfiSettings
from payment.domain.policy import Policy
from payment.settings import Settings

EFI = EfiSettings(
    efi_base_url="https://efi.test",
    efi_credentials_file=Path("credentials"),
    efi_certificate_file=Path("certificate"),
    efi_pix_key="key",
)


def test_a_calls_time_is_that_of_its_attempts_their_waits_and_a_login() -> None:
    hurried = EFI.model_copy(
        update={
            "efi_connect_timeout_s": 1.0,
            "efi_read_timeout_s": 4.0,
            "efi_attempts": 2,
            "efi_retry_after_max_s": 3.0,
        }
    )
    assert hurried.efi_call_s == 3 * 5.0 + 3.0


def test_the_lease_is_longer_than_all_attempts_of_one_call_together() -> None:
    lease_s = Settings.model_fields["payment_lease_s"].default
    assert lease_s > EFI.efi_call_s
    assert Policy(charge_ttl_s=900.0, janitor_s=300.0).lease_s == lease_s
