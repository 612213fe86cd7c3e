"""Jumps of an aggregate's version are counted; repeats are not."""

from messaging_samples import metric

from messaging.ports import Record
from messaging.sequence import SequenceWatch


def seen(key: str, version: int) -> Record:
    return Record("gaps", 0, 0, key, b"", {"ce_sequence": str(version)})


def test_only_a_jump_counts() -> None:
    watch = SequenceWatch()
    watch.watch([seen("a", 4), seen("a", 5), seen("a", 5), seen("b", 9), seen("a", 4), seen("a", 6)])
    assert metric("consumer_sequence_gaps_total", topic="gaps") == 0
    watch.watch([seen("a", 0), seen("a", 8), seen("b", 10)])
    assert metric("consumer_sequence_gaps_total", topic="gaps") == 1


def test_a_record_without_a_version_is_no_jump() -> None:
    watch = SequenceWatch()
    watch.watch([Record("quiet", 0, 0, "a", b"", {}), Record("quiet", 0, 0, "a", b"", {"ce_sequence": "x"})])
    assert metric("consumer_sequence_gaps_total", topic="quiet") == 0
