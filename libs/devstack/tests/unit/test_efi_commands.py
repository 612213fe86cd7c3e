"""`ibora efi …`: what is typed wrong, or where there is no stack, ends in a word and not in a traceback."""

from decimal import Decimal
from pathlib import Path

import pytest

from devstack import cli
from devstack.efi_control import reais


@pytest.mark.parametrize(("typed", "amount"), [("25.50", "25.50"), ("25,50", "25.50"), ("25", "25.00")])
def test_an_amount_is_read_with_a_comma_or_a_point(typed: str, amount: str) -> None:
    assert reais(typed) == Decimal(amount)


@pytest.mark.parametrize("words", [["trigger", "payment.paid", "--amount"], ["charge"]], ids=" ".join)
@pytest.mark.parametrize("amount", ["abc", "0", "25.505", "1.000,00"])
def test_an_amount_that_cannot_be_paid_is_named(
    words: list[str], amount: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["efi", *words, amount])
    assert ended.value.code == 2
    assert amount in capsys.readouterr().err


def test_a_charge_without_any_account_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("EFI_BASE_URL", "EFI_PIX_KEY", "EFI_CREDENTIALS_FILE", "EFI_CERTIFICATE_FILE"):
        monkeypatch.delenv(name, raising=False)
    words = ["efi", "trigger", "--control", "http://127.0.0.1:9", "payment.paid"]
    assert cli.main(["--folder", str(tmp_path), *words]) == 1
    assert "EFI_BASE_URL" in capsys.readouterr().out
