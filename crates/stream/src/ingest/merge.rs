//! Merging the partitions of a worker by the time at which their records were received.
//!
//! While there is a backlog, the order in which a client happens to deliver partitions says nothing about time: one
//! partition's whole day may come before the first record of another. So a record is let through only when every
//! partition that may still have an earlier one has shown its next. What is waited for, and how long, depends on whose
//! time moves stream time:
//!
//! - *the present*: nobody waits for a partition that has been read to its end, and for one that is behind half a second
//!   at most, because pages must never be held up by one stuck partition;
//! - *the records*: everything is waited for until the topics have been silent for a while, so that the merged order
//!   depends on the records only.

use std::collections::{BTreeMap, VecDeque};

use model::{Span, Time};
use wire::Found;

use crate::log::{Record, TopicPartition};
use crate::settings::TopicTime;

/// A partition whose last record was received this long ago or less is live, not behind.
const LIVE: Span = Span::from_secs(5);
/// A partition that is behind is waited for this long.
const WAIT: Span = Span::from_millis(500);

/// While no more than this waits, records are decoded as they come, so that it need not be done when a commit is due.
const AHEAD_BYTES_MAX: usize = 1 << 20;

/// A record that waits for its turn.
pub(super) struct Queued {
    pub(super) received: Time,
    pub(super) record: Record,
    /// What was found in it, if that was looked for.
    pub(super) found: Option<Vec<Found>>,
}

/// The partitions of a worker.
pub(super) struct Merge {
    time: TopicTime,
    idle: Span,
    bytes_max: usize,
    lanes: BTreeMap<TopicPartition, Lane>,
    bytes: usize,
    heard: Time,
    waiting: Option<Time>,
}

#[derive(Default)]
struct Lane {
    queue: VecDeque<Queued>,
    newest: Option<Time>,
    /// The offset behind the last record queued: a client may deliver one again, never one twice to the journal.
    next: u64,
}

impl Merge {
    pub(super) fn new(time: TopicTime, idle: Span, bytes_max: usize) -> Merge {
        Merge {
            time,
            idle,
            bytes_max,
            lanes: BTreeMap::new(),
            bytes: 0,
            heard: Time::MIN,
            waiting: None,
        }
    }

    /// Begins with a partition.
    pub(super) fn give(&mut self, at: TopicPartition, now: Time) {
        self.lanes.insert(at, Lane::default());
        self.heard = self.heard.max(now);
    }

    /// Forgets a partition with all that is queued of it.
    pub(super) fn take(&mut self, at: &TopicPartition) {
        if let Some(lane) = self.lanes.remove(at) {
            self.bytes -= lane.queue.iter().map(|one| one.record.bytes()).sum::<usize>();
        }
    }

    /// Queues a record that was received at `received`; within a partition that never runs backwards. What is found in it
    /// is looked for at once while little waits.
    pub(super) fn push(
        &mut self,
        record: Record,
        received: Time,
        now: Time,
        find: impl FnOnce(&Record, Time) -> Vec<Found>,
    ) {
        if let Some(lane) = self.lanes.get_mut(&record.at)
            && record.offset >= lane.next
        {
            lane.next = record.offset + 1;
            let received = lane.newest.map_or(received, |newest| newest.max(received));
            lane.newest = Some(received);
            self.bytes += record.bytes();
            let found = (self.bytes <= AHEAD_BYTES_MAX).then(|| find(&record, received));
            lane.queue.push_back(Queued {
                received,
                record,
                found,
            });
            self.heard = now;
        }
    }

    /// Whether no more should be read for now.
    pub(super) fn is_full(&self) -> bool {
        self.bytes > self.bytes_max
    }

    /// Whether nothing is queued.
    pub(super) fn is_empty(&self) -> bool {
        self.lanes.values().all(|lane| lane.queue.is_empty())
    }

    /// The partitions that are queued beyond their share, so that no more of them need be read.
    pub(super) fn swollen(&self) -> impl Iterator<Item = (&TopicPartition, bool)> {
        let share = self.bytes_max / self.lanes.len().max(1);
        self.lanes.iter().map(move |(at, lane)| {
            let mean = lane.queue.front().map_or(0, |one| one.record.bytes());
            (at, lane.queue.len() * mean > share)
        })
    }

    /// The next record in the order of time, if it may go.
    pub(super) fn pop(&mut self, now: Time, at_end: impl Fn(&TopicPartition) -> bool) -> Option<Queued> {
        let first = self
            .lanes
            .iter()
            .filter_map(|(at, lane)| {
                let one = lane.queue.front()?;
                Some((one.received, at, one.record.offset))
            })
            .min()
            .map(|(_, at, _)| at.clone())?;
        if !self.is_full() && self.must_wait(now, at_end) {
            return None;
        }
        let lane = self.lanes.get_mut(&first).expect("found above");
        let first = lane.queue.pop_front().expect("found above");
        self.bytes -= first.record.bytes();
        Some(first)
    }

    fn must_wait(&mut self, now: Time, at_end: impl Fn(&TopicPartition) -> bool) -> bool {
        let mut empty = self
            .lanes
            .iter()
            .filter(|(_, lane)| lane.queue.is_empty())
            .peekable();
        match self.time {
            TopicTime::Records => {
                empty.peek().is_some() && {
                    let behind = empty.any(|(at, _)| !at_end(at));
                    behind || now.since(self.heard) < self.idle
                }
            }
            TopicTime::Present => {
                let behind = empty.any(|(at, lane)| {
                    !at_end(at) && lane.newest.is_none_or(|newest| now.since(newest) > LIVE)
                });
                if !behind {
                    self.waiting = None;
                    return false;
                }
                now.since(*self.waiting.get_or_insert(now)) < WAIT
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(partition: u32, offset: u64) -> Record {
        let at = TopicPartition {
            topic: "raw".into(),
            partition,
        };
        Record {
            at,
            offset,
            timestamp: None,
            key: None,
            value: None,
            headers: Vec::new(),
        }
    }

    fn nothing(_: &Record, _: Time) -> Vec<Found> {
        Vec::new()
    }

    fn merge(time: TopicTime) -> Merge {
        let mut merge = Merge::new(time, Span::from_secs(1), 1 << 20);
        for partition in 0..2 {
            merge.give(record(partition, 0).at, Time::from_secs(0));
        }
        merge
    }

    fn drain(merge: &mut Merge, now: Time, at_end: bool) -> Vec<(i64, u32)> {
        std::iter::from_fn(|| merge.pop(now, |_| at_end))
            .map(|one| (one.received.secs(), one.record.at.partition))
            .collect()
    }

    #[test]
    fn records_come_in_the_order_of_time() {
        let mut merge = merge(TopicTime::Records);
        let now = Time::from_secs(1000);
        for (partition, offset, received) in [(0, 0, 10), (0, 1, 30), (1, 0, 20), (1, 1, 15), (1, 2, 40)] {
            merge.push(record(partition, offset), Time::from_secs(received), now, nothing);
        }
        // Partition 0 may still bring something before 40; within partition 1 time does not run backwards.
        assert_eq!(drain(&mut merge, now, true), [(10, 0), (20, 1), (20, 1), (30, 0)]);
        assert_eq!(drain(&mut merge, Time::from_secs(1002), false), []);
        assert_eq!(drain(&mut merge, Time::from_secs(1002), true), [(40, 1)]);
    }

    #[test]
    fn what_waits_long_is_not_looked_into_ahead() {
        let mut merge = merge(TopicTime::Present);
        let now = Time::from_secs(1000);
        for offset in 0..3 {
            let large = Record {
                value: Some(vec![b' '; 400_000]),
                ..record(0, offset)
            };
            merge.push(large, now, now, nothing);
        }
        let looked: Vec<bool> = std::iter::from_fn(|| merge.pop(now, |_| true))
            .map(|one| one.found.is_some())
            .collect();
        assert_eq!(looked, [true, true, false]);
    }

    #[test]
    fn the_present_waits_for_a_backlog_but_not_long() {
        let mut merge = merge(TopicTime::Present);
        let now = Time::from_secs(1000);
        merge.push(record(0, 0), Time::from_secs(10), now, nothing);
        assert_eq!(drain(&mut merge, now, false), []);
        assert_eq!(drain(&mut merge, Time::from_millis(1_000_600), false), [(10, 0)]);
        merge.push(record(0, 1), Time::from_secs(999), now, nothing);
        assert_eq!(drain(&mut merge, Time::from_secs(1001), true), [(999, 0)]);
    }
}
