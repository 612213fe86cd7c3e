"""How full the pools are, read when the metrics are scraped."""

from collections.abc import Iterator
from weakref import WeakKeyDictionary

from prometheus_client import REGISTRY, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

RETRIES = Counter("database_transaction_retries_total", "Transactions run again, by SQLSTATE.", ["sqlstate"])
CHECKOUT = Histogram(
    "database_checkout_seconds",
    "How long a transaction waited for a connection.",
    ["pool"],
    buckets=(0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5),
)

_engines: WeakKeyDictionary[AsyncEngine, tuple[str, str]] = WeakKeyDictionary()


class PoolCollector(Collector):
    """`database_pool_connections{service, pool, state}`: in_use, idle, and the configured size."""

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "database_pool_connections",
            "Connections of the pool by state.",
            labels=["service", "pool", "state"],
        )
        for (service, pool), counts in _counts().items():
            for state, count in counts.items():
                family.add_metric([service, pool, state], count)
        yield family


def watch_pool(engine: AsyncEngine, *, service: str, name: str) -> None:
    """Report this engine's pool until the engine is gone."""
    _engines[engine] = (service, name)


def _counts() -> dict[tuple[str, str], dict[str, int]]:
    totals: dict[tuple[str, str], dict[str, int]] = {}
    for engine, labels in list(_engines.items()):
        pool = engine.sync_engine.pool
        if not isinstance(pool, QueuePool):
            continue
        totals[labels] = {"in_use": pool.checkedout(), "idle": pool.checkedin(), "size": pool.size()}
    return totals


REGISTRY.register(PoolCollector())
