"""Facts between services: outbox relay, idempotent consumer with parking by key, jobs, lossy streams."""

from messaging import admin, deadletters
from messaging.delivery import BatchHandler, Delivery, Handler
from messaging.history import read_facts
from messaging.jobs import Schedule
from messaging.lossy import LossyProducer
from messaging.rebuild import rebuild
from messaging.settings import KafkaSettings
from messaging.wake import nudge
from messaging.worker import Worker

__all__ = [
    "BatchHandler",
    "Delivery",
    "Handler",
    "KafkaSettings",
    "LossyProducer",
    "Schedule",
    "Worker",
    "admin",
    "deadletters",
    "nudge",
    "read_facts",
    "rebuild",
]
