"""What a stack decides before anything starts."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from devstack import ports
from devstack.manifest import BY_NAME, SERVICES
from devstack.plan import Plan
from devstack.supervise import wipe

STACK_KEYS = {
    "gateway", "services", "payment_webhook", "efi", "kafka", "valkey", "postgres", "postgres_admin", "admin",
    "certificates", "pids",
}  # fmt: skip


@pytest.fixture
def plan(tmp_path: Path) -> Iterator[Plan]:
    made = Plan(folder=tmp_path / "a stack", settings={"LIMITS": "relaxed", "JANITOR_S": "3"})
    yield made
    for port in list(ports._claims):
        ports.release(port)


def test_the_stack_describes_itself_as_the_contract_says(plan: Plan) -> None:
    said = plan.stack(postgres_admin="postgresql://postgres@127.0.0.1/postgres", pids={"gateway": 1})

    assert set(said) == STACK_KEYS
    assert set(said["services"]) == {service.name for service in SERVICES}
    assert set(said["postgres"]) == {service.name for service in SERVICES if service.database}
    assert all(Path(path).is_absolute() and Path(path).exists() for path in said["certificates"].values())
    assert set(said["efi"]) == {"api", "control"}
    assert said["pids"] == {"gateway": 1}


def test_every_service_has_its_own_database_and_role(plan: Plan) -> None:
    dsns = [
        urlsplit(plan.dsn(service, owner=owner))
        for service in SERVICES
        if service.database
        for owner in (False, True)
    ]

    assert len({dsn.username for dsn in dsns}) == len(dsns)
    assert len({dsn.password for dsn in dsns}) == len(dsns)
    assert len({dsn.path for dsn in dsns}) == len(dsns) / 2


def test_every_service_is_told_where_everything_is(plan: Plan) -> None:
    common = {
        "SERVICE_HOST",
        "SERVICE_PORT",
        "KAFKA_BOOTSTRAP",
        "VALKEY_URL",
        "JWKS_URL",
        "IDENTITY_URL",
        "PUBLIC_URL",
    }

    for service in SERVICES:
        environment = plan.environment(service)
        assert common <= set(environment)
        assert ("DATABASE_URL" in environment) == service.database
        assert all(isinstance(value, str) for value in environment.values())


def test_files_that_a_service_is_told_of_exist(plan: Plan) -> None:
    for service in SERVICES:
        told = plan.environment(service)
        ours = [
            value
            for name, value in told.items()
            if name.endswith("_FILE") and value.startswith(str(plan.folder))
        ]
        assert ours
        assert all(Path(value).exists() for value in ours)


def test_what_the_caller_sets_reaches_the_services(plan: Plan) -> None:
    assert plan.environment(BY_NAME["payment"])["JANITOR_S"] == "3"
    assert plan.environment(BY_NAME["gateway"])["RATE_LIMITS"] == "relaxed"


def test_limits_are_strict_unless_relaxed(tmp_path: Path) -> None:
    assert Plan(folder=tmp_path).environment(BY_NAME["gateway"])["RATE_LIMITS"] == "strict"


def test_the_gateway_reaches_every_service_behind_it(plan: Plan) -> None:
    behind = json.loads(plan.environment(BY_NAME["gateway"])["SERVICE_URLS"])

    assert set(behind) == {service.name for service in SERVICES} - {"gateway", "efi-simulator"}
    assert behind["identity"] == plan.url("identity")


def test_both_ends_of_the_bank_know_the_same_secrets(plan: Plan) -> None:
    payment, payout, bank = (
        plan.environment(BY_NAME[name]) for name in ("payment", "payout", "efi-simulator")
    )

    assert payment["EFI_CREDENTIALS_FILE"] == payout["EFI_CREDENTIALS_FILE"] == bank["EFI_CREDENTIALS_FILE"]
    assert payment["EFI_PIX_KEY"] == payout["EFI_PIX_KEY"] == bank["EFI_PIX_KEY"]
    assert urlsplit(payment["EFI_BASE_URL"]).port == int(bank["SERVICE_PORT"])


def test_the_banks_books_are_data_that_a_fresh_start_forgets(plan: Plan) -> None:
    books = Path(plan.environment(BY_NAME["efi-simulator"])["STATE_FOLDER"])
    books.mkdir(parents=True)
    wipe(plan.folder)
    assert not books.exists()


def test_keys_are_256_bits_and_kept_and_each_services_own(plan: Plan) -> None:
    paths = [
        plan.environment(BY_NAME["identity"])["ENCRYPTION_KEY_FILE"],
        plan.environment(BY_NAME["identity"])["BLIND_INDEX_KEY_FILE"],
        plan.environment(BY_NAME["payout"])["ENCRYPTION_KEY_FILE"],
    ]
    keys = [Path(path).read_text() for path in paths]

    assert len(set(keys)) == 3
    assert all(len(base64.b64decode(key)) == 32 for key in keys)
    assert [Path(plan.secret(Path(path).name)).read_text() for path in paths] == keys


def test_anchors_are_signed_with_a_key_of_the_stacks_own(plan: Plan, tmp_path: Path) -> None:
    path = Path(plan.environment(BY_NAME["ledger"])["ANCHOR_KEY_FILE"])
    pem = path.read_bytes()

    assert isinstance(load_pem_private_key(pem, password=None), Ed25519PrivateKey)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Path(plan.secret(path.name)).read_bytes() == pem
    assert Path(Plan(folder=tmp_path / "another").secret(path.name)).read_bytes() != pem


def test_secrets_are_readable_by_their_owner_only(plan: Plan) -> None:
    for service in SERVICES:
        plan.environment(service)

    secrets = list((plan.folder / "secrets").iterdir())
    assert len(secrets) >= 6
    assert all(path.stat().st_mode & 0o077 == 0 for path in secrets)


def test_two_plans_share_no_port_and_no_secret(plan: Plan, tmp_path: Path) -> None:
    other = Plan(folder=tmp_path / "another")
    names = [*BY_NAME, "postgres", "kafka", "valkey", "payment-webhook", "efi-api"]

    assert not {plan.port(name) for name in names} & {other.port(name) for name in names}
    assert Path(plan.secret("gateway-token")).read_text() != Path(other.secret("gateway-token")).read_text()
    assert plan.passwords["identity"] != other.passwords["identity"]
