"""The pytest plugin: fixtures, and the run's infrastructure stopped at its end whatever happens.

Nothing heavy is imported before a fixture that needs it is asked for.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from testkit.fake_clock import FakeClock

if TYPE_CHECKING:
    from messaging import KafkaSettings
    from testkit.apart import Apart
    from testkit.certificates import Certificates
    from testkit.databases import Databases, DatabaseUrls
    from testkit.infrastructure import Infrastructure
    from testkit.proxy import FaultProxy
    from testkit.tokens import Tokens

_RUN = pytest.StashKey[tuple[Path, int]]()


def pytest_configure(config: pytest.Config) -> None:
    """The controller names the run's folder, which is made when something is started; a worker is told it."""
    given: dict[str, Any] = getattr(config, "workerinput", {})
    if "testkit_run" in given:
        config.stash[_RUN] = (Path(given["testkit_run"]), given["testkit_owner"])
    else:
        folder = Path(tempfile.gettempdir()) / f"ibora-tests-{secrets.token_hex(6)}"
        config.stash[_RUN] = (folder, os.getpid())


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    folder, owner = node.config.stash[_RUN]
    node.workerinput["testkit_run"] = str(folder)
    node.workerinput["testkit_owner"] = owner


def pytest_unconfigure(config: pytest.Config) -> None:
    """Only the controller stops what the run started; also after Ctrl-C."""
    folder, owner = config.stash.get(_RUN, (None, 0))
    if folder is None or owner != os.getpid() or not folder.exists():
        return
    _tidy(folder)
    shutil.rmtree(folder, ignore_errors=True)


def _tidy(folder: Path) -> None:
    import asyncio

    from testkit import databases, infrastructure

    given = os.environ.get("IBORA_TEST_POSTGRES")
    if given and any(folder.glob("template-*")):
        run_id = infrastructure.Infrastructure(folder, owner_pid=os.getpid()).run_id
        asyncio.run(databases.drop_all(given, run_id=run_id))
    infrastructure.stop_all(folder)


@pytest.fixture(scope="session")
def infrastructure(pytestconfig: pytest.Config) -> "Infrastructure":
    """Addresses of Postgres (superuser), Kafka and Valkey, each started when first read."""
    from testkit.infrastructure import Infrastructure

    folder, owner = pytestconfig.stash[_RUN]
    return Infrastructure(folder, owner_pid=owner)


@pytest.fixture(scope="session")
def apart() -> "Iterator[Apart]":
    """A loop in its own thread, for synchronous fixtures that do I/O."""
    from testkit.apart import Apart

    thread = Apart()
    yield thread
    thread.close()


@pytest.fixture(scope="session")
def databases(infrastructure: "Infrastructure", apart: "Apart") -> "Databases":
    from testkit.databases import Databases

    return Databases(
        infrastructure.postgres,
        run_folder=infrastructure.run_folder,
        run_id=infrastructure.run_id,
        apart=apart,
    )


@pytest.fixture
def make_database(databases: "Databases") -> "Iterator[Callable[[str | Path | None], DatabaseUrls]]":
    """Call it with a service's name, a folder with `migrations/`, or None (empty); dropped after."""
    made: list[DatabaseUrls] = []

    def make(source: str | Path | None = None) -> "DatabaseUrls":
        made.append(databases.make(source))
        return made[-1]

    yield make
    for urls in made:
        databases.drop(urls)


@pytest.fixture
def kafka_prefix(infrastructure: "Infrastructure", apart: "Apart") -> Iterator[str]:
    """A topic prefix that no other test has; whatever was created under it is deleted afterwards."""
    from uuid import uuid4

    from testkit import topics

    prefix = f"t{uuid4().hex[:10]}."
    yield prefix
    apart.run(topics.delete(infrastructure.kafka, prefix=prefix))


@pytest.fixture
def kafka_settings(infrastructure: "Infrastructure", kafka_prefix: str, apart: "Apart") -> "KafkaSettings":
    """Settings with a prefix of the test's own, and every topic of the contract created under it."""
    from messaging import KafkaSettings
    from testkit import topics

    settings = KafkaSettings(kafka_bootstrap=infrastructure.kafka, kafka_topic_prefix=kafka_prefix)
    apart.run(topics.create(settings))
    return settings


@pytest.fixture
def valkey_url(infrastructure: "Infrastructure") -> Iterator[str]:
    """A database number of the test's own, empty. Publish and subscribe are not separated by numbers."""
    from testkit import valkey_numbers

    number = valkey_numbers.claim(infrastructure.valkey)
    yield f"{infrastructure.valkey}/{number}"
    valkey_numbers.give_back(infrastructure.valkey, number)


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still: today, noon in São Paulo, until `advance` is called."""
    return FakeClock()


@pytest.fixture(scope="session")
def tokens() -> "Tokens":
    """Access tokens signed by a key of this run, on the machine's clock."""
    from testkit.tokens import Tokens

    return Tokens()


@pytest.fixture
async def tcp_proxy() -> "AsyncIterator[Callable[[str], Awaitable[FaultProxy]]]":
    """`proxy = await tcp_proxy("127.0.0.1:5432")`: a FaultProxy in front of that address, closed after the
    test.
    """
    from testkit.proxy import FaultProxy

    made: list[FaultProxy] = []

    async def make(target: str) -> "FaultProxy":
        made.append(await FaultProxy.start(target))
        return made[-1]

    yield make
    for proxy in made:
        await proxy.close()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> "Certificates":
    """A test authority with server and client certificates, and some that must not be trusted."""
    from testkit.certificates import Certificates

    return Certificates(tmp_path_factory.mktemp("certificates"))
