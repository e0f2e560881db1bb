//! Properties of the Kafka client that are ours to set.

/// Name, and why it is refused.
const OWNED: &[(&str, &str)] = &[
    ("bootstrap.servers", "set kafka.brokers instead"),
    ("metadata.broker.list", "set kafka.brokers instead"),
    (
        "enable.auto.commit",
        "positions are committed with the outputs, in one transaction",
    ),
    (
        "auto.commit.interval.ms",
        "positions are committed with the outputs, in one transaction",
    ),
    (
        "enable.auto.offset.store",
        "positions are committed with the outputs, in one transaction",
    ),
    ("isolation.level", "only committed records may be read"),
    ("enable.idempotence", "exactly-once rests on it"),
    (
        "transactional.id",
        "it fences a worker that was replaced; it follows from pipeline.instance",
    ),
    ("transaction.timeout.ms", "the commit rests on its value"),
    (
        "acks",
        "exactly-once needs acknowledgement by all in-sync replicas",
    ),
    (
        "request.required.acks",
        "exactly-once needs acknowledgement by all in-sync replicas",
    ),
    ("max.in.flight", "order within a partition rests on it"),
    (
        "max.in.flight.requests.per.connection",
        "order within a partition rests on it",
    ),
    ("group.id", "it follows from topics.prefix"),
    ("group.instance.id", "set pipeline.instance instead"),
    ("group.protocol", "static members need the classic protocol"),
    (
        "partition.assignment.strategy",
        "all workers of a group must agree on it",
    ),
    (
        "auto.offset.reset",
        "a worker decides by itself where to begin, and says so",
    ),
    ("partitioner", "the partition of a record is chosen explicitly"),
    ("plugin.library.paths", "code is not loaded by configuration"),
];

/// Why this property is refused, or `None` when it is passed on.
pub(super) fn refusal(name: &str) -> Option<String> {
    let name = name.strip_suffix("_file").unwrap_or(name);
    let (_, why) = OWNED.iter().find(|(owned, _)| owned.eq_ignore_ascii_case(name))?;
    Some(format!("is not to be set: {why}"))
}

/// The table, for the reference.
pub(super) fn owned() -> &'static [(&'static str, &'static str)] {
    OWNED
}
