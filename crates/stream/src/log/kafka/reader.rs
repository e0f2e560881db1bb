//! Reading given partitions, outside of any group.

use std::error::Error;
use std::time::{Duration, Instant};

use rdkafka::client::OAuthToken;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{ClientContext, Message, Offset, TopicPartitionList};

use super::token::Tokens;
use super::{ASK, Properties, convert, failed, heard, reader_config};
use crate::log::{LogError, Reader, Record, Seen, TopicPartition};

pub(super) struct KafkaReader {
    consumer: BaseConsumer<EndsAreNews>,
    reads: Vec<Reads>,
}

/// The client reports the end of a partition as an error and logs it as one; whoever polls gets to know what matters.
struct EndsAreNews {
    tokens: Tokens,
}

impl ClientContext for EndsAreNews {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;
    fn generate_oauth_token(&self, _config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.tokens.token()
    }
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "reader");
    }
}

impl ConsumerContext for EndsAreNews {}

struct Reads {
    at: TopicPartition,
    next: u64,
    at_end: bool,
}

impl KafkaReader {
    pub(super) fn new(properties: &Properties) -> Result<KafkaReader, LogError> {
        let consumer = reader_config(properties)
            .create_with_context(EndsAreNews {
                tokens: properties.tokens(),
            })
            .map_err(failed)?;
        Ok(KafkaReader {
            consumer,
            reads: Vec::new(),
        })
    }

    fn ended(&mut self, partition: i32) -> Result<(), LogError> {
        let consumer = &self.consumer;
        let mut of_number: Vec<_> = self
            .reads
            .iter_mut()
            .filter(|reads| reads.at.partition as i32 == partition)
            .collect();
        let one = of_number.len() == 1;
        for reads in &mut of_number {
            // The client does not say which topic the end is of.
            reads.at_end |= one || {
                let (_, end) =
                    heard(|| consumer.fetch_watermarks(&reads.at.topic, partition, ASK)).map_err(failed)?;
                reads.next as i64 >= end
            };
        }
        Ok(())
    }

    /// What both ways to read have in common.
    fn each(
        &mut self,
        wait: Duration,
        max: usize,
        mut take: impl FnMut(&TopicPartition, &BorrowedMessage<'_>),
    ) -> Result<(), LogError> {
        let until = Instant::now() + wait;
        let mut left = max;
        let mut timeout = wait;
        // The client tells a topic as text that it checks, which shows where a million rows are read.
        let one_topic = self
            .reads
            .windows(2)
            .all(|two| two[0].at.topic == two[1].at.topic);
        while left > 0 {
            match self.consumer.poll(timeout) {
                None if timeout.is_zero() => break,
                None => timeout = until.saturating_duration_since(Instant::now()),
                Some(Ok(found)) => {
                    let partition = found.partition() as u32;
                    let reads = self.reads.iter_mut().find(|reads| {
                        reads.at.partition == partition && (one_topic || *reads.at.topic == *found.topic())
                    });
                    if let Some(reads) = reads {
                        take(&reads.at, &found);
                        reads.next = found.offset().max(0) as u64 + 1;
                        reads.at_end = false;
                        left -= 1;
                    }
                    timeout = Duration::ZERO;
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    self.ended(partition)?;
                    if self.reads.iter().all(|reads| reads.at_end) {
                        break;
                    }
                    timeout = Duration::ZERO;
                }
                Some(Err(error)) => match error.rdkafka_error_code() {
                    Some(
                        RDKafkaErrorCode::AllBrokersDown
                        | RDKafkaErrorCode::BrokerTransportFailure
                        | RDKafkaErrorCode::Resolve,
                    ) => {
                        tracing::debug!(%error, "reading goes on when the broker is back");
                        timeout = until.saturating_duration_since(Instant::now());
                    }
                    _ => return Err(failed(error)),
                },
            }
        }
        Ok(())
    }
}

impl Reader for KafkaReader {
    fn assign(&mut self, from: &[(TopicPartition, u64)]) -> Result<(), LogError> {
        // A client that knows no broker yet waits half a second before its first fetch.
        if let Some((at, _)) = from.first() {
            // A token, where there is one, is asked for by an event.
            drop(self.consumer.poll(Duration::ZERO));
            self.consumer
                .fetch_metadata(Some(&at.topic), ASK)
                .map_err(failed)?;
        }
        let mut list = TopicPartitionList::with_capacity(from.len());
        for (at, next) in from {
            list.add_partition_offset(&at.topic, at.partition as i32, Offset::Offset(*next as i64))
                .map_err(failed)?;
        }
        self.reads = from
            .iter()
            .map(|(at, next)| Reads {
                at: at.clone(),
                next: *next,
                at_end: false,
            })
            .collect();
        self.consumer.assign(&list).map_err(failed)
    }

    fn poll(&mut self, wait: Duration, max: usize, out: &mut Vec<Record>) -> Result<(), LogError> {
        self.each(wait, max, |at, found| {
            out.push(convert::record(at.clone(), found))
        })
    }

    fn visit(&mut self, wait: Duration, max: usize, see: &mut dyn FnMut(Seen<'_>)) -> Result<(), LogError> {
        self.each(wait, max, |at, found| {
            see(Seen {
                partition: at.partition,
                offset: found.offset().max(0) as u64,
                key: found.key(),
                value: found.payload(),
            });
        })
    }

    fn at_end(&self, at: &TopicPartition) -> bool {
        self.reads.iter().any(|reads| reads.at == *at && reads.at_end)
    }
}
