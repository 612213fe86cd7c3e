"""The chart passes, and each check bites when one thing in it is changed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from deploy_checks import chart, environments, workloads
from deploy_checks.rendering import Document, rendered, scenarios

PRODUCTION = scenarios()["production"]
Change = Callable[[list[Document]], None]


def one(documents: list[Document], kind: str, name: str) -> Document:
    return next(d for d in documents if d["kind"] == kind and d["metadata"]["name"] == name)


def container(documents: list[Document], name: str = "payment-api") -> dict[str, Any]:
    found: dict[str, Any] = one(documents, "Deployment", name)["spec"]["template"]["spec"]["containers"][0]
    return found


def test_every_scenario_passes_every_check() -> None:
    assert list(chart.lint_problems()) == []
    assert list(chart.rendering_problems()) == []


def test_what_must_be_refused_is_refused_for_its_own_reason() -> None:
    assert list(chart.refusal_problems()) == []


def test_a_refusal_that_stops_coming_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart, "REFUSED", (("logLevel", "DEBUG", "logLevel"),))
    assert list(chart.refusal_problems()) == ["logLevel='DEBUG' renders"]


def test_the_manifests_pass_and_services_yaml_is_what_the_chart_renders() -> None:
    assert list(chart.manifest_problems()) == []


def writable(documents: list[Document]) -> None:
    container(documents)["securityContext"]["readOnlyRootFilesystem"] = False


def capable(documents: list[Document]) -> None:
    container(documents)["securityContext"]["capabilities"]["drop"] = []


def latest(documents: list[Document]) -> None:
    container(documents)["image"] = "ibora/payment:latest"


def unlimited(documents: list[Document]) -> None:
    del container(documents)["resources"]["limits"]


def unprobed(documents: list[Document]) -> None:
    del container(documents)["livenessProbe"]


def liveness_of_dependencies(documents: list[Document]) -> None:
    container(documents)["livenessProbe"]["httpGet"]["path"] = "/ready"


def secret_value(documents: list[Document]) -> None:
    container(documents)["env"].append({"name": "DATABASE_PASSWORD", "value": "hunter2"})


def password_in_an_address(documents: list[Document]) -> None:
    container(documents)["env"].append({"name": "EFI_BASE_URL", "value": "postgresql://me:pw@db/x"})


def misspelt_setting(documents: list[Document]) -> None:
    container(documents)["env"].append({"name": "JANITOR_SS", "value": "1"})


def missing_setting(documents: list[Document]) -> None:
    env = container(documents)["env"]
    env.remove(next(entry for entry in env if entry["name"] == "EFI_PIX_KEY"))


def setting(documents: list[Document], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in container(documents)["env"] if entry["name"] == name)
    return found


def homologation_may_call(documents: list[Document]) -> None:
    setting(documents, "WEBHOOK_CLIENT_SUBJECT")["value"] = "webhook-h.efipay.com.br"


def homologation_is_called(documents: list[Document]) -> None:
    setting(documents, "EFI_BASE_URL")["value"] = "https://pix-h.api.efipay.com.br"


def anybody_may_call(documents: list[Document]) -> None:
    container(documents)["env"].remove(setting(documents, "WEBHOOK_CLIENT_SUBJECT"))


def unsigned_anchors(documents: list[Document]) -> None:
    env = container(documents, "ledger-worker")["env"]
    env.remove(next(entry for entry in env if entry["name"] == "ANCHOR_KEY_FILE"))


def owner_at_run_time(documents: list[Document]) -> None:
    container(documents)["env"].append({"name": "DATABASE_OWNER_URL", "value": "postgresql://o@db/x"})


def missing_file(documents: list[Document]) -> None:
    container(documents)["volumeMounts"] = [{"name": "tmp", "mountPath": "/tmp"}]


def replicas_beside_an_autoscaler(documents: list[Document]) -> None:
    one(documents, "Deployment", "payment-api")["spec"]["replicas"] = 3


def no_budget(documents: list[Document]) -> None:
    documents.remove(one(documents, "PodDisruptionBudget", "payment-api"))


def more_workers_than_partitions(documents: list[Document]) -> None:
    one(documents, "HorizontalPodAutoscaler", "ledger-worker")["spec"]["maxReplicas"] = 13


def short_grace(documents: list[Document]) -> None:
    one(documents, "Deployment", "payment-api")["spec"]["template"]["spec"][
        "terminationGracePeriodSeconds"
    ] = 30


def api_token(documents: list[Document]) -> None:
    one(documents, "Deployment", "payment-api")["spec"]["template"]["spec"][
        "automountServiceAccountToken"
    ] = True


def unknown_key(documents: list[Document]) -> None:
    one(documents, "Deployment", "payment-api")["spec"]["replica"] = 2


def unknown_key_of_an_operator(documents: list[Document]) -> None:
    one(documents, "HTTPRoute", "gateway")["spec"]["hostname"] = "x.example.com"


def no_default_deny(documents: list[Document]) -> None:
    documents.remove(one(documents, "NetworkPolicy", "default-deny"))


def edge_missing(documents: list[Document]) -> None:
    documents.remove(one(documents, "NetworkPolicy", "ledger-from-gateway"))


def edge_too_many(documents: list[Document]) -> None:
    one(documents, "NetworkPolicy", "ledger-to-kafka")["spec"]["podSelector"] = {}


def open_to_all(documents: list[Document]) -> None:
    del one(documents, "NetworkPolicy", "gateway-from-ingress")["spec"]["ingress"][0]["from"]


def webhook_behind_the_gateway(documents: list[Document]) -> None:
    rule = one(documents, "NetworkPolicy", "payment-from-gateway")["spec"]["ingress"][0]
    rule["ports"].append({"protocol": "TCP", "port": 8443})
    rule = one(documents, "NetworkPolicy", "gateway-to-payment")["spec"]["egress"][0]
    rule["ports"].append({"protocol": "TCP", "port": 8443})


def late_migration(documents: list[Document]) -> None:
    job = one(documents, "Job", "ledger-migration")
    job["metadata"]["annotations"]["helm.sh/hook"] = "post-install"


def lost_service(documents: list[Document]) -> None:
    documents.remove(one(documents, "Service", "ledger"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (writable, "readOnlyRootFilesystem is not True"),
        (capable, "keeps capabilities"),
        (latest, "names no version"),
        (unlimited, "no memory limit"),
        (unprobed, "no livenessProbe"),
        (liveness_of_dependencies, "would restart it"),
        (secret_value, "carries a secret"),
        (password_in_an_address, "carries a password"),
        (misspelt_setting, "JANITOR_SS is no setting of payment"),
        (missing_setting, "EFI_PIX_KEY is not set"),
        (homologation_may_call, "WEBHOOK_CLIENT_SUBJECT is webhook-h.efipay.com.br"),
        (homologation_is_called, "calls as webhook-h.efipay.com.br"),
        (anybody_may_call, "sets no WEBHOOK_CLIENT_SUBJECT"),
        (unsigned_anchors, "ledger-worker: ANCHOR_KEY_FILE is not set"),
        (owner_at_run_time, "belongs to the migration alone"),
        (missing_file, "nothing brings"),
        (replicas_beside_an_autoscaler, "which its autoscaler decides"),
        (no_budget, "0 disruption budgets"),
        (more_workers_than_partitions, "up to 13 workers for 12 partitions"),
        (short_grace, "may need"),
        (api_token, "mounts a token"),
        (unknown_key, "replica"),
        (unknown_key_of_an_operator, "hostname"),
        (no_default_deny, "no policy denies everything"),
        (edge_missing, "the map has gateway/api → ledger/api:8000"),
        (edge_too_many, "the policies allow gateway/api → KAFKA:9093"),
        (open_to_all, "the policies allow EVERYBODY → gateway/api:8000"),
        (webhook_behind_the_gateway, "the policies allow gateway/api → payment/api:8443"),
        (late_migration, "is no hook before"),
        (lost_service, "no Service ledger"),
    ],
)
def test_a_check_bites(change: Change, said: str) -> None:
    documents = rendered(PRODUCTION)
    change(documents)
    problems = chart.problems_of(documents, PRODUCTION)
    assert any(said in problem for problem in problems), problems


def test_a_secret_with_a_value_in_a_manifest_is_noticed() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "stringData": {"token": "abc"}}
    assert workloads.problems_of([secret]) == ["Secret/x: a secret's value"]


def services() -> Iterator[str]:
    yield from environments.PARTS


@pytest.mark.parametrize("service", [*services()])
def test_the_settings_of_a_service_are_read_from_its_code(service: str) -> None:
    known = environments.settings_of(service)
    assert "SERVICE_PORT" in known
    assert ("DATABASE_URL" in known) is (service != "gateway")
