//! Records of topics as they are now, for commands that look rather than work.

use std::time::Duration;

use stream::log::{Log, Reader, Record, TopicName, TopicPartition};

use crate::{fail::Failure, logs};

/// Records that one poll brings at most.
const BATCH: usize = 2_000;
/// How long a poll waits.
const WAIT: Duration = Duration::from_millis(200);

/// Gives every committed record of a partition from `from` (`None`: the first that is kept) to its present end.
pub(crate) fn to_end(
    log: &dyn Log,
    at: &TopicPartition,
    from: Option<u64>,
    mut each: impl FnMut(Record) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let bounds = log.bounds(at).map_err(logs::failed)?;
    let mut next = from.unwrap_or(bounds.start).max(bounds.start);
    let mut reader: Box<dyn Reader> = log.reader().map_err(logs::failed)?;
    reader.assign(&[(at.clone(), next)]).map_err(logs::failed)?;
    let mut records = Vec::new();
    while next < bounds.end {
        records.clear();
        reader.poll(WAIT, BATCH, &mut records).map_err(logs::failed)?;
        records.retain(|record| record.offset < bounds.end);
        next = records.last().map_or(next, |record| record.offset + 1);
        // The last positions may hold nothing that is shown: marks of transactions, or what compaction took away.
        if records.is_empty() && reader.at_end(at) {
            break;
        }
        records.drain(..).try_for_each(&mut each)?;
    }
    Ok(())
}

/// The partitions of a topic that must exist.
pub(crate) fn partitions(log: &dyn Log, topic: &TopicName) -> Result<Vec<TopicPartition>, Failure> {
    let count = log.partitions(topic).map_err(logs::failed)?;
    let count = count.ok_or_else(|| Failure::Wrong(format!("there is no topic {topic}")))?;
    Ok((0..count).map(|n| TopicPartition::new(topic, n)).collect())
}
