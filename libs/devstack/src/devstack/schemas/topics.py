"""The topics as Strimzi's KafkaTopic resources, so that a cluster has what `contracts` declares."""

from collections.abc import Sequence
from typing import Any, Final

import yaml

from contracts.topics import Topic

HEADER: Final = "# Generated from contracts.topics by `make schemas`: change it there.\n"
CLUSTER: Final = "ibora"
REPLICAS: Final = 3


def kafka_topics(topics: Sequence[Topic]) -> str:
    """One YAML document a topic."""
    documents = [yaml.safe_dump(_resource(topic), sort_keys=False, width=110) for topic in topics]
    return HEADER + "---\n".join(documents)


def topic_config(topic: Topic) -> dict[str, str | int]:
    """The broker's settings of a topic, by Kafka's names."""
    # An acknowledged event must survive the loss of one broker.
    config: dict[str, str | int] = {"min.insync.replicas": 1 if topic.lossy else 2}
    if topic.compacted:
        return config | {"cleanup.policy": "compact"}
    return config | {"cleanup.policy": "delete", "retention.ms": topic.retention_ms or 0}


def _resource(topic: Topic) -> dict[str, Any]:
    return {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaTopic",
        "metadata": {"name": topic.name, "labels": {"strimzi.io/cluster": CLUSTER}},
        "spec": {"partitions": topic.partitions, "replicas": REPLICAS, "config": topic_config(topic)},
    }
