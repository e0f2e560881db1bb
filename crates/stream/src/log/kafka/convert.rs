//! Records of librdkafka as ours, and ours as librdkafka's.

use model::Time;
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::BaseRecord;

use crate::log::{Outgoing, Record, TopicPartition};

/// Copies a record out of the client's memory.
pub(super) fn record(at: TopicPartition, from: &BorrowedMessage<'_>) -> Record {
    let headers = from.headers().map_or_else(Vec::new, |headers| {
        headers
            .iter()
            .map(|h| (h.key.to_owned(), h.value.unwrap_or_default().to_vec()))
            .collect()
    });
    Record {
        at,
        offset: from.offset().max(0) as u64,
        timestamp: from.timestamp().to_millis().map(Time::from_millis),
        key: from.key().map(<[u8]>::to_vec),
        value: from.payload().map(<[u8]>::to_vec),
        headers,
    }
}

/// Borrows a record for sending.
pub(super) fn outgoing<D: rdkafka::util::IntoOpaque>(
    record: &Outgoing,
    opaque: D,
) -> BaseRecord<'_, [u8], [u8], D> {
    let mut to = BaseRecord::with_opaque_to(&record.topic, opaque);
    if let Some(partition) = record.partition {
        to = to.partition(partition as i32);
    }
    if let Some(key) = &record.key {
        to = to.key(key.as_slice());
    }
    if let Some(value) = &record.value {
        to = to.payload(value.as_slice());
    }
    if let Some(timestamp) = record.timestamp {
        to = to.timestamp(timestamp.millis());
    }
    if !record.headers.is_empty() {
        let headers = OwnedHeaders::new_with_capacity(record.headers.len());
        let headers = record.headers.iter().fold(headers, |all, (name, value)| {
            all.insert(Header {
                key: name,
                value: Some(value),
            })
        });
        to = to.headers(headers);
    }
    to
}
