"""What relay and consumer measure (messaging reference §5.6). Never labelled by key or id."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_LATENCY: Final = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 1, 5, 30)
_SEMCONV: Final = ["messaging_system", "messaging_destination_name", "messaging_operation_name"]
_DURATION: Final = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30)

PENDING = Gauge("outbox_pending_messages", "Rows waiting in the outbox (counted up to 100,001).")
OLDEST_AGE = Gauge("outbox_oldest_pending_age_seconds", "Age of the oldest outbox row.")
PUBLISH_LATENCY = Histogram(
    "outbox_publish_latency_seconds", "From the row's insert to the broker's ack.", buckets=_LATENCY
)
PUBLISHED = Counter("outbox_published_messages_total", "Rows acknowledged by the broker.", ["topic"])
PUBLISH_ERRORS = Counter("outbox_publish_errors_total", "Failed sends.", ["error_type"])
BATCH_SIZE = Histogram(
    "outbox_batch_size_messages", "Rows a batch.", buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)
)
QUARANTINED = Gauge("outbox_quarantined_messages", "Rows in quarantine.", ["state"])
LEADER = Gauge("outbox_relay_leader", "1 while this process relays the shard.", ["shard"])
FENCED = Counter("outbox_fenced_total", "Terms that ended because another relay had taken over.")
RECREATED = Counter("outbox_producer_recreated_total", "Producers thrown away.", ["reason"])
FLOOR_VIOLATIONS = Counter("outbox_floor_violations_total", "Rows found below the floor; expected: none.")

OPERATION_DURATION = Histogram(
    "messaging_client_operation_duration_seconds",
    "Duration of an operation of the client; destination * is a batch over several topics.",
    [*_SEMCONV, "error_type"],
    buckets=_DURATION,
)
SENT = Counter("messaging_client_sent_messages_total", "Messages sent.", _SEMCONV)
CONSUMED = Counter(
    "messaging_client_consumed_messages_total",
    "Messages received.",
    [*_SEMCONV, "messaging_consumer_group_name"],
)
PROCESS_DURATION = Histogram(
    "messaging_process_duration_seconds",
    "Duration of processing a batch.",
    [*_SEMCONV, "messaging_consumer_group_name", "error_type"],
    buckets=_DURATION,
)

DUPLICATES = Counter("inbox_duplicates_total", "Deliveries that were processed before.", ["topic"])
CONFLICTS = Counter(
    "inbox_payload_conflicts_total", "An event id came again with another payload.", ["topic"]
)
LAG = Gauge("consumer_lag_messages", "Records behind the end.", ["topic", "partition"])
EVENT_AGE = Histogram(
    "consumer_event_age_seconds",
    "Age of an event when its effect had committed.",
    ["topic"],
    buckets=(*_LATENCY, 300, 3600),
)
RETRIES = Counter("consumer_retries_total", "Retries in place.", ["topic", "error_type"])
PARKED = Gauge("consumer_parked_events", "Parked events.", ["state"])
BLOCKED = Gauge("consumer_blocked", "1 while too many keys fail: events block instead of being parked.")
REBALANCES = Counter("consumer_rebalances_total", "Assignments received.")
COMMIT_ERRORS = Counter("consumer_commit_errors_total", "Failed offset commits.", ["error_type"])
SEQUENCE_GAPS = Counter(
    "consumer_sequence_gaps_total", "An aggregate's version jumped by more than one.", ["topic"]
)
STREAM_ERRORS = Counter("stream_errors_total", "Batches of a lossy topic whose handler failed.", ["topic"])
LOSSY_DROPPED = Counter("lossy_dropped_total", "Facts of a lossy topic that were not sent.", ["topic"])

JOB_RUNS = Counter("job_runs_total", "Runs of a job.", ["job", "outcome"])
JOB_DURATION = Histogram(
    "job_duration_seconds", "Duration of a job's run.", ["job"], buckets=(*_DURATION, 300)
)
