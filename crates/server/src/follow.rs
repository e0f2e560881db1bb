//! A topic as it grows, for whoever shows what it says by now.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use stream::log::{Log, LogError, Record, TopicName, TopicPartition};

/// Takes what came.
pub(crate) type Take = Box<dyn FnMut(Vec<Record>) + Send>;

/// Follows the topic until `stop`, on a thread of its own: from its beginning, or from so many records before its end.
pub(crate) fn start(
    log: Arc<dyn Log>,
    topic: TopicName,
    last: Option<u64>,
    stop: Arc<AtomicBool>,
    mut take: Take,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name("http-view".into())
        .spawn(move || {
            while !stop.load(Ordering::Acquire) {
                if let Err(error) = read(log.as_ref(), &topic, last, &stop, &mut take) {
                    tracing::warn!(%error, %topic, "cannot be read for now");
                    std::thread::sleep(Duration::from_millis(500));
                }
            }
        })
}

fn read(
    log: &dyn Log,
    topic: &TopicName,
    last: Option<u64>,
    stop: &AtomicBool,
    take: &mut Take,
) -> Result<(), LogError> {
    let mut from = Vec::new();
    for partition in 0..log.partitions(topic)?.unwrap_or(0) {
        let at = TopicPartition::new(topic, partition);
        let bounds = log.bounds(&at)?;
        let start = last.map_or(bounds.start, |last| {
            bounds.end.saturating_sub(last).max(bounds.start)
        });
        from.push((at, start));
    }
    let mut reader = log.reader()?;
    reader.assign(&from)?;
    while !stop.load(Ordering::Acquire) {
        let mut records = Vec::new();
        reader.poll(Duration::from_millis(100), 1_000, &mut records)?;
        if !records.is_empty() {
            take(records);
        }
    }
    Ok(())
}
