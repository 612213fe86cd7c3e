"""The topics' manifests say what contracts says."""

import re

import yaml

from contracts.topics import LOCATIONS, PROFILES, RIDES, TOPICS
from devstack.schemas.topics import kafka_topics, topic_config


def test_each_topic_is_one_resource_that_kubernetes_can_name() -> None:
    resources = list(yaml.safe_load_all(kafka_topics(TOPICS)))
    assert [each["metadata"]["name"] for each in resources] == [topic.name for topic in TOPICS]
    assert all(
        re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", each["metadata"]["name"]) for each in resources
    )
    assert [each["spec"]["partitions"] for each in resources] == [topic.partitions for topic in TOPICS]
    assert all(each["spec"]["replicas"] == 3 for each in resources)


def test_a_topic_is_kept_for_its_retention_or_compacted() -> None:
    assert topic_config(RIDES) == {
        "min.insync.replicas": 2,
        "cleanup.policy": "delete",
        "retention.ms": 30 * 24 * 3600 * 1000,
    }
    assert topic_config(PROFILES) == {"min.insync.replicas": 2, "cleanup.policy": "compact"}


def test_a_lossy_topic_does_not_wait_for_a_second_broker() -> None:
    assert topic_config(LOCATIONS)["min.insync.replicas"] == 1
