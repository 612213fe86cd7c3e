"""The doctor finds what is there and says how to get what is not."""

from pathlib import Path

import pytest

from devstack import doctor


def test_every_finding_that_is_bad_has_a_fix(tmp_path: Path) -> None:
    findings = list(doctor.examine(tmp_path))

    assert {"python", "make", "git", "memory", "postgres", "valkey", "java", "kafka", "ports", "stack"} <= {
        finding.name for finding in findings
    }
    assert all(finding.fix for finding in findings if not finding.ok)


def test_a_missing_tool_makes_it_fail_and_names_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said: list[str] = []

    assert doctor.report(tmp_path, say=said.append) == 1

    assert any("✗ make" in line for line in said)
    assert any("install make" in line for line in said)


def test_jars_that_were_not_fetched_are_a_warning_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    kafka = next(finding for finding in doctor.examine(tmp_path) if finding.name == "kafka")

    assert not kafka.ok
    assert kafka.warning
    assert "ibora fetch" in kafka.fix
