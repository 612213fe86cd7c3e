"""The embedded parts: Postgres, Kafka and Valkey from Python wheels and Maven jars, with no daemon and no
root.
"""

from devstack.parts.kafka import EmbeddedKafka
from devstack.parts.postgres import EmbeddedPostgres
from devstack.parts.valkey import EmbeddedValkey

__all__ = ["EmbeddedKafka", "EmbeddedPostgres", "EmbeddedValkey"]
