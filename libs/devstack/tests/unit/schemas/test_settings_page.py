"""The page of settings: what a class declares is what an operator reads."""

from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field
from pydantic_settings import BaseSettings

from devstack.schemas.settings_page import UndescribedSetting, settings_of, settings_page


class WebSettings(BaseSettings):
    """Shared by all."""

    service_port: int = Field(default=8000, ge=0, le=65535)
    """Port of the door."""
    valkey_url: str | None = None
    """Where Valkey is."""


class Settings(WebSettings):
    """One service's own."""

    toll_key_file: Path
    """The key
    of the toll."""
    lanes: tuple[str, ...] = ("left",)
    """Lanes that are open."""
    mode: Literal["strict", "lax"] = "strict"
    """How strict: a | b."""
    valkey_url: str | None = "redis://here"
    """Another default here."""


def test_each_setting_says_its_type_its_default_and_what_it_is_for() -> None:
    page = settings_page({"toll-gate": settings_of(Settings)})
    assert "| `SERVICE_PORT` | integer ≥ 0 ≤ 65535 | `8000` | Port of the door. |" in page
    assert "| `TOLL_KEY_FILE` | file | **required** | The key of the toll. |" in page
    assert '| `LANES` | JSON | `["left"]` | Lanes that are open. |' in page
    assert "| `MODE` | `strict`, `lax` | `strict` | How strict: a \\| b. |" in page


def test_what_services_share_is_told_once_with_who_shares_it() -> None:
    page = settings_page({"one": settings_of(WebSettings), "two": settings_of(WebSettings)})
    assert page.count("`SERVICE_PORT`") == 1
    assert "For one, two." in page
    assert "## two\n\nNothing of its own." in page


def test_a_setting_that_a_service_declares_anew_is_its_own() -> None:
    page = settings_page({"toll-gate": settings_of(Settings)})
    assert page.count("`VALKEY_URL`") == 1
    assert "| `VALKEY_URL` | text | `redis://here` | Another default here. |" in page.split("## toll-gate")[1]


def test_a_setting_without_a_word_is_refused() -> None:
    class Silent(BaseSettings):
        toll: int = 1

    with pytest.raises(UndescribedSetting, match=r"Silent\.toll has no docstring"):
        settings_of(Silent)
