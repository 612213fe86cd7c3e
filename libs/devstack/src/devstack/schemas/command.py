"""`python -m devstack.schemas [--check] [--allow-breaking]`: write `schemas/`, or say what is out of date."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contracts import registry as contracts
from contracts.base import Fact
from contracts.topics import TOPICS
from devstack.schemas.asyncapi import asyncapi
from devstack.schemas.gate import problems
from devstack.schemas.openapi import UnmergeableDocuments, public_openapi
from devstack.schemas.openapi_changes import broken_promises
from devstack.schemas.revisions import Registry, as_json
from devstack.schemas.services import Description, UndescribedService, describe_services
from devstack.schemas.settings_page import settings_page
from devstack.schemas.topics import kafka_topics

REPOSITORY: Final = Path(__file__).parents[5]
PUBLIC: Final = "schemas/openapi/public.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run found: `refused` are broken promises, `stale` are files that are not what they should be."""

    refused: Sequence[str] = ()
    stale: Sequence[str] = ()
    written: Sequence[str] = ()


def main(arguments: Sequence[str] | None = None, *, repository: Path = REPOSITORY) -> int:
    """0 when all is well; 1 with the reasons on standard error."""
    parser = argparse.ArgumentParser(prog="python -m devstack.schemas", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail when something is out of date"
    )
    parser.add_argument(
        "--allow-breaking", action="store_true", help="let the public OpenAPI lose what it had"
    )
    options = parser.parse_args(arguments)
    try:
        services = describe_services(repository)
        files = generated(services)
    except (UndescribedService, UnmergeableDocuments) as error:
        return _report(Outcome(refused=[str(error)]))
    outcome = (
        check(repository, files=files)
        if options.check
        else write(repository, files=files, allow_breaking=options.allow_breaking)
    )
    return _report(outcome)


def generated(services: Mapping[str, Description]) -> dict[str, str]:
    """The content of every generated file but the revisions, by its path below the repository."""
    documents = {name: service.openapi for name, service in services.items()}
    listeners = {name: service.listens for name, service in services.items()}
    asynchronous = asyncapi(publishers=contracts.PUBLISHERS, topics=TOPICS, listeners=listeners)
    return {
        "schemas/asyncapi.yaml": asynchronous,
        PUBLIC: as_json(public_openapi(documents)),
        **{f"schemas/openapi/{name}.json": as_json(document) for name, document in documents.items()},
        "deploy/k8s/kafka-topics.yaml": kafka_topics(TOPICS),
        "docs/settings.md": settings_page({name: service.settings for name, service in services.items()}),
    }


def check(
    repository: Path, *, files: Mapping[str, str], facts: Sequence[type[Fact]] = contracts.FACTS
) -> Outcome:
    """What is broken or out of date; changes nothing."""
    published = Registry(repository / "schemas" / "events")
    stale = [f"{fact.type_name()}: its schema changed" for fact in published.unpublished(facts)]
    stale += [name for name, content in files.items() if _read(repository / name) != content]
    stale += [f"{name}: no longer generated" for name in sorted(_documents(repository) - files.keys())]
    return Outcome(refused=problems(published, facts=facts), stale=stale)


def write(
    repository: Path,
    *,
    files: Mapping[str, str],
    facts: Sequence[type[Fact]] = contracts.FACTS,
    allow_breaking: bool = False,
) -> Outcome:
    """Publish new revisions and write the other files; nothing at all when a promise is broken."""
    published = Registry(repository / "schemas" / "events")
    refused = problems(published, facts=facts)
    if not allow_breaking:
        refused += _broken_public(repository / PUBLIC, content=files[PUBLIC])
    if refused:
        return Outcome(refused=refused)
    written = [f"schemas/events/{name}" for name in published.publish(facts)]
    for name in _documents(repository) - files.keys():
        (repository / name).unlink()
    for name, content in files.items():
        if _read(repository / name) != content:
            (repository / name).parent.mkdir(parents=True, exist_ok=True)
            (repository / name).write_text(content)
            written.append(name)
    return Outcome(written=written)


def _broken_public(path: Path, *, content: str) -> list[str]:
    if not path.exists():
        return []
    changes = broken_promises(json.loads(path.read_text()), json.loads(content))
    return [f"public API (see --allow-breaking): {change}" for change in changes]


def _documents(repository: Path) -> set[str]:
    folder = repository / "schemas" / "openapi"
    return {path.relative_to(repository).as_posix() for path in folder.glob("*.json")}


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def _report(outcome: Outcome) -> int:
    for line in outcome.refused:
        sys.stderr.write(f"refused: {line}\n")
    for line in outcome.stale:
        sys.stderr.write(f"out of date (run `make schemas`): {line}\n")
    for line in outcome.written:
        sys.stdout.write(f"wrote {line}\n")
    return 1 if outcome.refused or outcome.stale else 0
