//! Which partitions have been read to their end, where the client's word is not enough.
//!
//! librdkafka says "end of partition 3" without the topic. With one topic that is all there is to know. With several it
//! could be asked of the broker, but the question waits in line behind a fetch on the same connection, and every batch
//! brings such an end: a worker with two topics spent its time waiting. And what the broker calls the end lies behind the
//! marker of a transaction, which no record reaches. The client's own statistics know for each partition what was fetched
//! last and where an end was met, and cost nobody a question.
//!
//! <https://github.com/confluentinc/librdkafka/blob/master/STATISTICS.md>

use std::collections::HashMap;

use serde::Deserialize;

/// The statistics come this often. They are no slower than whoever waits for an end, the second in which progress is told.
pub(super) const TOLD_EVERY_MS: &str = "250";

/// How far a partition has been fetched, and where its end was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) topic: String,
    pub(super) partition: u32,
    /// The next position to be fetched, which is where an end was met.
    at: u64,
    /// Whether nothing that was fetched waited to be taken.
    taken: bool,
}

impl End {
    /// Whether all records up to the end have been taken; `next` is behind the last one that was.
    pub(super) fn is_reached(&self, next: Option<u64>) -> bool {
        match next {
            Some(next) => next == self.at || next < self.at && self.taken,
            None => self.taken,
        }
    }
}

#[derive(Deserialize)]
struct Statistics {
    topics: HashMap<String, Topic>,
}

#[derive(Deserialize)]
struct Topic {
    partitions: HashMap<i32, Partition>,
}

#[derive(Deserialize)]
struct Partition {
    next_offset: i64,
    eof_offset: i64,
    fetchq_cnt: i64,
}

/// The partitions whose end was met.
pub(super) fn told(statistics: &[u8]) -> Result<Vec<End>, serde_json::Error> {
    let statistics: Statistics = serde_json::from_slice(statistics)?;
    let mut ends = Vec::new();
    #[expect(clippy::iter_over_hash_type, reason = "the order of ends changes nothing")]
    for (topic, of) in statistics.topics {
        for (number, partition) in of.partitions {
            // Number -1 stands for what has no partition yet.
            let place = (u32::try_from(number), u64::try_from(partition.next_offset));
            if let (Ok(number), Ok(at)) = place
                && partition.eof_offset == partition.next_offset
            {
                ends.push(End {
                    topic: topic.clone(),
                    partition: number,
                    at,
                    taken: partition.fetchq_cnt == 0,
                });
            }
        }
    }
    Ok(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_reached_when_it_was_met_and_everything_before_it_taken() {
        let statistics = br#"{ "name": "stormfold#consumer-1", "topics": {
            "raw": { "topic": "raw", "partitions": {
                "0": { "partition": 0, "fetchq_cnt": 0, "next_offset": 11, "eof_offset": 11, "hi_offset": 11 },
                "1": { "partition": 1, "fetchq_cnt": 3, "next_offset": 7, "eof_offset": 7, "hi_offset": 7 },
                "2": { "partition": 2, "fetchq_cnt": 0, "next_offset": 9, "eof_offset": 5, "hi_offset": 9 },
                "3": { "partition": 3, "fetchq_cnt": 0, "next_offset": 0, "eof_offset": -1001, "hi_offset": -1001 },
                "-1": { "partition": -1, "fetchq_cnt": 0, "next_offset": 0, "eof_offset": 0, "hi_offset": 0 } } } } }"#;
        let mut ends = told(statistics).unwrap();
        ends.sort_by_key(|end| end.partition);
        let [zero, one] = &ends[..] else {
            panic!("{ends:?}")
        };
        assert_eq!(
            (zero.topic.as_str(), zero.partition, one.partition),
            ("raw", 0, 1)
        );
        assert!(zero.is_reached(None), "it is empty, or begins at its end");
        assert!(zero.is_reached(Some(11)));
        assert!(
            zero.is_reached(Some(10)),
            "the marker of a transaction stands at 10"
        );
        assert!(
            !zero.is_reached(Some(12)),
            "what was told is older than what was taken"
        );
        assert!(!one.is_reached(Some(4)), "three wait to be taken");
        assert!(one.is_reached(Some(7)), "three of another partition wait");
        assert!(!one.is_reached(None));
    }
}
