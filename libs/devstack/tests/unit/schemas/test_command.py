"""Writing and checking: what is committed is what the code says."""

from pathlib import Path

import pytest
from schema_mutants import parcel

from contracts.registry import FACTS
from contracts.topics import TOPICS
from devstack.schemas.command import PUBLIC, REPOSITORY, check, generated, write
from devstack.schemas.describe import listens
from devstack.schemas.gate import problems
from devstack.schemas.revisions import Registry, as_json
from devstack.schemas.services import Description
from devstack.schemas.topics import kafka_topics

EMPTY = as_json({"paths": {}, "components": {}})
SERVED = as_json({"paths": {"/v1/me": {"get": {"responses": {}}}}, "components": {}})


def test_what_was_written_is_up_to_date(tmp_path: Path) -> None:
    files = {PUBLIC: SERVED, "deploy/k8s/kafka-topics.yaml": "topics"}
    written = write(tmp_path, files=files, facts=[parcel()]).written
    assert sorted(written) == [
        "deploy/k8s/kafka-topics.yaml",
        "schemas/events/parcel.sent/1/1.golden.json",
        "schemas/events/parcel.sent/1/1.json",
        PUBLIC,
    ]
    outcome = check(tmp_path, files=files, facts=[parcel()])
    assert (outcome.refused, outcome.stale) == ([], [])
    assert write(tmp_path, files=files, facts=[parcel()]).written == []


def test_what_changed_since_is_out_of_date(tmp_path: Path) -> None:
    write(tmp_path, files={PUBLIC: SERVED, "schemas/openapi/gone.json": "{}"}, facts=[parcel()])
    changed = parcel(height_mm=(int | None, None))
    outcome = check(tmp_path, files={PUBLIC: EMPTY}, facts=[changed])
    assert outcome.refused == []
    assert outcome.stale == [
        "br.ibora.parcel.sent.v1: its schema changed",
        PUBLIC,
        "schemas/openapi/gone.json: no longer generated",
    ]


def test_a_document_of_a_service_that_is_gone_is_removed(tmp_path: Path) -> None:
    write(tmp_path, files={PUBLIC: SERVED, "schemas/openapi/gone.json": "{}"}, facts=[])
    write(tmp_path, files={PUBLIC: SERVED}, facts=[])
    assert not (tmp_path / "schemas/openapi/gone.json").exists()


def test_nothing_is_written_when_a_fact_breaks_its_promise(tmp_path: Path) -> None:
    write(tmp_path, files={PUBLIC: EMPTY}, facts=[parcel()])
    outcome = write(tmp_path, files={PUBLIC: SERVED}, facts=[parcel(without="note")])
    assert outcome.refused
    assert outcome.written == ()
    assert (tmp_path / PUBLIC).read_text() == EMPTY


def test_the_public_api_loses_nothing_unless_told_to(tmp_path: Path) -> None:
    write(tmp_path, files={PUBLIC: SERVED}, facts=[])
    outcome = write(tmp_path, files={PUBLIC: EMPTY}, facts=[])
    assert outcome.refused == ["public API (see --allow-breaking): GET /v1/me: removed"]
    assert write(tmp_path, files={PUBLIC: EMPTY}, facts=[], allow_breaking=True).written == [PUBLIC]


def test_each_service_has_its_document_and_its_place_in_the_events() -> None:
    openapi = {
        "openapi": "3.1.0",
        "info": {},
        "paths": {"/me": {"get": {"operationId": "read_me", "responses": {}}}},
    }
    files = generated({"identity": Description(openapi=openapi, listens=("br.ibora.ride.rated.v1",))})
    assert files["schemas/openapi/identity.json"] == as_json(openapi)
    assert '"/v1/me"' in files[PUBLIC]
    assert "identity.receives.ibora.ride-dispatch.rides.v1" in files["schemas/asyncapi.yaml"]


def test_the_facts_of_this_repository_keep_their_promises() -> None:
    registry = Registry(REPOSITORY / "schemas" / "events")
    assert problems(registry, facts=FACTS) == []
    assert registry.unpublished(FACTS) == []


def test_the_topics_of_this_repository_are_up_to_date() -> None:
    assert (REPOSITORY / "deploy/k8s/kafka-topics.yaml").read_text() == kafka_topics(TOPICS)


@pytest.mark.parametrize("module", ["consumers_of_nothing", "consumers_of_ride_paid"])
def test_a_service_listens_to_what_its_consumers_handle(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "consumers_of_ride_paid.py").write_text(
        "from contracts.ride_dispatch import RidePaid, DriverLocationUpdated\n"
        "HANDLERS = {RidePaid: print}\nSTREAMS = {DriverLocationUpdated: print}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    heard = {
        "consumers_of_nothing": [],
        "consumers_of_ride_paid": ["br.ibora.driver.location.updated.v1", "br.ibora.ride.paid.v1"],
    }
    assert listens(module) == heard[module]


def test_a_consumers_module_that_fails_is_not_taken_for_a_missing_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "consumers_that_fail.py").write_text("import nowhere_to_be_found\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
        listens("consumers_that_fail")
