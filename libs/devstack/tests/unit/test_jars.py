"""Where Kafka's jars come from."""

import os
from pathlib import Path

import pytest

from devstack.parts import jars


def test_the_machines_authorities_are_trusted_unless_others_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundle = tmp_path / "authorities.pem"
    bundle.write_text("")
    monkeypatch.setattr(jars, "SYSTEM_AUTHORITIES", (tmp_path / "absent.pem", bundle))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)

    jars._trust_the_machine()
    assert os.environ["REQUESTS_CA_BUNDLE"] == str(bundle)

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/mine.pem")
    jars._trust_the_machine()
    assert os.environ["REQUESTS_CA_BUNDLE"] == "/mine.pem"
