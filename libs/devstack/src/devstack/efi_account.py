"""Whose account `ibora efi …` speaks for: the environment's, else the running stack's."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from efi import EfiClient


class NoAccount(Exception):
    """Neither the environment nor a stack says whose account to ask about."""


def client_of(options: argparse.Namespace) -> "EfiClient":
    """A client of the environment's account, else of the stack's. NoAccount when neither is there."""
    from pydantic import ValidationError

    from devstack.console import folder_of
    from efi import EfiClient, EfiSettings

    _borrow_environment(folder_of(options))
    try:
        return EfiClient(EfiSettings())
    except ValidationError as error:
        missing = ", ".join(str(one["loc"][0]).upper() for one in error.errors())
        raise NoAccount(f"no stack runs and the environment lacks {missing}") from None


def _borrow_environment(folder: Path) -> None:
    """Settings that the shell has not set come from the stack's payment service."""
    from devstack.files import read_json

    for name, value in (read_json(folder / "services" / "payment.json") or {}).items():
        if name.startswith("EFI_") or name == "WEBHOOK_URL":
            os.environ.setdefault(name, value)
