"""The topics are those of the design."""

from contracts.topics import DAY_MS, LOCATIONS, PROFILES, TOPICS

DAYS = {"ibora.ride-dispatch.locations.v1": 1, "ibora.audit.records.v1": 90, "ibora.ledger.seals.v1": 3650}


def test_topics_are_distinct_and_kept_as_long_as_the_design_says() -> None:
    assert len({topic.name for topic in TOPICS}) == len(TOPICS) == 12
    for topic in TOPICS:
        if topic is not PROFILES:
            assert topic.retention_ms == DAYS.get(topic.name, 30) * DAY_MS


def test_only_profiles_are_compacted_and_only_locations_may_be_lost() -> None:
    assert [topic for topic in TOPICS if topic.compacted] == [PROFILES]
    assert [topic for topic in TOPICS if topic.lossy] == [LOCATIONS]
