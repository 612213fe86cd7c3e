"""Kafka's jars: resolved once from Maven by jgo, kept in the user's cache."""

import json
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack import folders, locks

KAFKA = "4.3.1"
# Kafka binds slf4j 1.7; without a binding the broker logs nothing.
ENDPOINT = f"org.apache.kafka:kafka_2.13:{KAFKA}+org.slf4j:slf4j-simple:1.7.36"
SYSTEM_AUTHORITIES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),
    Path("/etc/pki/tls/certs/ca-bundle.crt"),
    Path("/etc/ssl/cert.pem"),
)
_SIZE_MB = 54
_FEWEST_JARS = 40


class NoJars(Exception):
    """Kafka's jars are not in the cache and could not be fetched."""


def kafka_classpath(*, say: Callable[[str], None] = print) -> str:
    """The class path, from the cache or, the first time, from Maven (about 54 MB, half a minute).

    Safe when two ask at once: the second waits for the first. `say` hears about progress.
    """
    home = folders.cache() / f"kafka-{KAFKA}"
    marker = home / "classpath.json"
    if found := _cached(marker):
        return found
    with locks.file_lock(home / "lock"):
        if found := _cached(marker):
            return found
        say(f"Kafka {KAFKA}: fetching its jars, about {_SIZE_MB} MB, once")
        with _progress(home, say):
            environment = _resolve(home)
        marker.write_text(json.dumps(str(environment)))
        say(f"Kafka {KAFKA}: jars are in {home}")
    return _classpath(environment)


def cached() -> bool:
    """Whether a start needs no network."""
    return _cached(folders.cache() / f"kafka-{KAFKA}" / "classpath.json") is not None


def _cached(marker: Path) -> str | None:
    try:
        environment = Path(json.loads(marker.read_text()))
    except (OSError, ValueError):
        return None
    complete = len(list(environment.glob("*/*.jar"))) >= _FEWEST_JARS
    return _classpath(environment) if complete else None


def _classpath(environment: Path) -> str:
    # jgo sorts the jars into two folders by whether they are modules; Kafka needs both.
    return f"{environment}/jars/*:{environment}/modules/*"


def _trust_the_machine() -> None:
    """Let requests trust what the machine trusts, as pip does: behind a company's proxy its own list fails."""
    given = {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} & os.environ.keys()
    found = [path for path in SYSTEM_AUTHORITIES if path.is_file()]
    if not given and found:
        os.environ["REQUESTS_CA_BUNDLE"] = str(found[0])


def _resolve(home: Path) -> Path:
    _trust_the_machine()
    with warnings.catch_warnings():
        # jgo's platformdirs warns about a missing XDG_RUNTIME_DIR, which nothing here uses.
        warnings.simplefilter("ignore")
        from jgo.constants import MAVEN_CENTRAL_URL
        from jgo.env import EnvironmentBuilder
        from jgo.maven import MavenContext

        context = MavenContext(
            repo_cache=home / "maven", remote_repos={"central": MAVEN_CENTRAL_URL}, timeout=60
        )
        try:
            built = EnvironmentBuilder(context=context, cache_dir=home).from_endpoint(endpoint=ENDPOINT)
        except Exception as error:
            raise NoJars(
                f"Kafka's jars could not be fetched ({error}). Check the network and any proxy, "
                "then run again; what was fetched so far is kept."
            ) from error
    return Path(built.path)


@contextmanager
def _progress(home: Path, say: Callable[[str], None], *, every_s: float = 5) -> Iterator[None]:
    done = threading.Event()

    def watch() -> None:
        while not done.wait(every_s):
            fetched = sum(jar.stat().st_size for jar in (home / "maven").rglob("*.jar*") if jar.exists())
            say(f"  … {fetched / 1e6:.0f} of about {_SIZE_MB} MB")

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
