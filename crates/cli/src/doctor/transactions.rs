//! Transactions that never end. Whoever reads what is committed sees nothing behind one.

use stream::Settings;
use stream::log::{Log, LogErrorKind, TopicName};

use super::Findings;
use crate::{fail::Failure, logs, records};

const AREA: &str = "transactions";
const MEND: &str =
    "kafka-transactions.sh --bootstrap-server BROKERS find-hanging --broker-id N, then abort: docs/kafka.md";

pub(super) fn examine(log: &dyn Log, settings: &Settings, findings: &mut Findings) {
    let topics = &settings.topics;
    let mut open = Vec::new();
    for topic in [&topics.journal, &topics.state, &topics.changes, &topics.incidents] {
        match left_open(log, topic) {
            Ok(found) => open.extend(found),
            Err(error) => return findings.tried(AREA, Err(error)),
        }
    }
    if open.is_empty() {
        findings.ok(AREA, "none is left open");
    }
    for what in open {
        findings.wrong(AREA, what, MEND);
    }
}

/// The first one of a topic; each is waited for.
fn left_open(log: &dyn Log, topic: &TopicName) -> Result<Option<String>, Failure> {
    for at in records::partitions(log, topic)? {
        match log.decided(&at) {
            Ok(_) => {}
            Err(error) if error.kind() == LogErrorKind::Unavailable => return Ok(Some(error.to_string())),
            Err(error) => return Err(logs::failed(error)),
        }
    }
    Ok(None)
}
