"""The repository's own law, applied to every library and every service that has landed."""

from pathlib import Path

import pytest

from contracts.registry import PUBLISHERS
from testkit import flow_table, purity, repository, tidy, verbs

SERVICES = repository.services()
MODULES = repository.shipped()
TESTS = [
    test
    for pattern in ("libs/*/tests", "services/*/tests", "e2e-tests")
    for folder in repository.ROOT.glob(pattern)
    for test in repository.modules(folder)
]


@pytest.mark.parametrize("service", SERVICES)
def test_a_domain_is_pure(service: str) -> None:
    package = repository.package(service)

    assert purity.impurities(package / "domain", package=package.name) == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_verb_is_named_as_its_file(service: str) -> None:
    assert [problem for file in repository.verbs(service) for problem in verbs.broken_names(file)] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_use_case_takes_its_transaction_and_everything_else_by_name(service: str) -> None:
    usecases = [file for file in repository.verbs(service) if file.parent.name == "usecases"]

    assert [problem for file in usecases for problem in verbs.broken_signature(file)] == []


@pytest.mark.parametrize("service", SERVICES)
def test_the_readme_names_every_flow(service: str) -> None:
    files = {file.stem for file in repository.verbs(service)}
    if not files:
        pytest.skip("a service without verbs has no flows")
    published = {fact.fact for fact in (*PUBLISHERS.get(service, ()), *PUBLISHERS["audit"])}

    readme = repository.SERVICES / service / "README.md"
    assert flow_table.differences(readme, verbs=files, facts=published) == []


def test_functions_and_modules_are_short() -> None:
    long = [problem for module in MODULES for problem in tidy.long_functions(module)]
    long += [problem for module in MODULES for problem in tidy.long_module(module)]

    assert long == []


def test_no_name_hides_what_a_thing_is() -> None:
    # The stack's manifest declares services: the very noun, not a place where logic gathers.
    nouns = {repository.LIBS / "devstack": frozenset({"Service", "UndescribedService"})}

    problems = [
        problem
        for module in MODULES
        for problem in tidy.banned_names(module, allowed=_allowed(module, nouns))
    ]

    assert problems == []


def test_no_test_uses_mocks_where_fakes_belong() -> None:
    unit = [test for test in TESTS if "unit" in test.parts]

    assert [problem for test in unit for problem in tidy.patched_tests(test)] == []


def test_no_test_sleeps_for_a_fixed_time() -> None:
    assert [problem for test in TESTS for problem in tidy.fixed_sleeps(test)] == []


def _allowed(module: Path, nouns: dict[Path, frozenset[str]]) -> frozenset[str]:
    return next((names for folder, names in nouns.items() if module.is_relative_to(folder)), frozenset())


def test_no_dependency_of_a_route_hops_through_the_thread_pool() -> None:
    """FastAPI runs a dependency that is no coroutine in a thread: of every request, for nothing."""
    assert [problem for module in MODULES for problem in tidy.threaded_dependencies(module)] == []
