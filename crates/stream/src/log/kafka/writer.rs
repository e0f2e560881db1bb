//! The transactional producer of one worker.
//!
//! What ends a transaction runs on a thread of its own, because in librdkafka it may not return:
//! `send_offsets_to_transaction` waits without a limit of its own for a change of some broker's connection when it has
//! lost the group coordinator (<https://github.com/confluentinc/librdkafka/issues/5456>), which on a quiet cluster comes
//! after ten minutes, when the broker drops idle connections. It is given up long before: the outcome is unknown, the
//! worker is built anew, and its new producer fences the one that hangs.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use rdkafka::client::OAuthToken;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use super::token::Tokens;
use super::{Properties, convert, failed};
use crate::log::{LogError, LogErrorKind, Member, TopicPartition, Transaction};

/// The coordinator gives a transaction up after this long; a commit that takes longer is fatal for the producer. Whoever
/// takes over from a worker that died within one waits until then, so it is no longer than the session, for which others
/// wait anyway; but a broker that is slow must not be taken for one that is gone.
const TRANSACTION_TIMEOUT_MS: [u64; 2] = [5_000, 10_000];
/// How long a broker may take to answer within a transaction.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(12);
/// After this long nothing is expected of a commit any more; longer than the timeouts that librdkafka keeps.
const HANGS_AFTER: Duration = Duration::from_secs(15);
/// Between two looks at what is still in flight. librdkafka's own wait has a grain of a millisecond, below which it spins.
const DRAIN_PAUSE: Duration = Duration::from_micros(200);

pub(super) struct Writer {
    producer: Arc<BaseProducer<Failures>>,
    ends: mpsc::Sender<End>,
    ended: mpsc::Receiver<Result<(), LogError>>,
}

/// Positions of a group that are part of a transaction.
type Positions = Option<(TopicPartitionList, ConsumerGroupMetadata)>;

/// How a transaction ends.
enum End {
    Commit(Positions),
    Abort(TopicPartitionList, ConsumerGroupMetadata),
}

/// Remembers the first record of a transaction that could not be delivered.
struct Failures {
    first: Mutex<Option<KafkaError>>,
    tokens: Tokens,
}

impl ClientContext for Failures {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;
    fn generate_oauth_token(&self, _config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.tokens.token()
    }
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "producer");
    }
}

impl ProducerContext for Failures {
    type DeliveryOpaque = ();
    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.first
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert_with(|| error.clone());
        }
    }
}

fn transaction_timeout(properties: &Properties) -> u64 {
    let [least, most] = TRANSACTION_TIMEOUT_MS;
    let session = properties.or("session.timeout.ms", "").parse();
    session.unwrap_or(most).clamp(least, most)
}

impl Writer {
    /// Fences an earlier producer of the same member and aborts what it left open.
    pub(super) fn new(properties: &Properties, member: &Member) -> Result<Writer, LogError> {
        let mut config = properties.config();
        config
            .set("transactional.id", format!("{}-{}", member.group, member.name))
            .set(
                "transaction.timeout.ms",
                transaction_timeout(properties).to_string(),
            )
            .set("enable.idempotence", "true")
            .set("partitioner", "murmur2_random")
            // The markers of the last transaction may still be on their way when the next begins; the default retry of
            // 100 ms would then be the latency of every second commit.
            .set("retry.backoff.ms", "10")
            .set("linger.ms", "0")
            // State rows spell their fields out, and records of one incident are much alike: a third of what lz4 leaves of
            // incidents, in the same time.
            .set("compression.type", properties.or("compression.type", "zstd"))
            .set("compression.level", properties.or("compression.level", "1"))
            .set("queue.buffering.max.messages", "1000000");
        let failures = Failures {
            first: Mutex::default(),
            tokens: properties.tokens(),
        };
        let producer: BaseProducer<Failures> = config.create_with_context(failures).map_err(failed)?;
        // A token, where there is one, is asked for by an event.
        producer.poll(Duration::ZERO);
        producer
            .init_transactions(Duration::from_secs(30))
            .map_err(failed)?;
        let producer = Arc::new(producer);
        let (ends, to_end) = mpsc::channel();
        let (done, ended) = mpsc::channel();
        let ender = producer.clone();
        // Ends with the writer, whose sender it waits for; not joined, because it may hang.
        std::thread::Builder::new()
            .name(format!("{}-commit", member.name))
            .spawn(move || {
                while let Ok(how) = to_end.recv() {
                    if done.send(end(&ender, how)).is_err() {
                        return;
                    }
                }
            })
            .map_err(|e| {
                LogError::new(
                    LogErrorKind::Unavailable,
                    format_args!("no thread to be had: {e}"),
                )
            })?;
        Ok(Writer {
            producer,
            ends,
            ended,
        })
    }

    /// Makes all of it visible, or nothing. After an error the writer is of no more use.
    pub(super) fn commit(
        &self,
        transaction: &Transaction,
        group: impl FnOnce() -> Option<ConsumerGroupMetadata>,
    ) -> Result<(), LogError> {
        self.producer.begin_transaction().map_err(failed)?;
        self.send(transaction)?;
        let positions = if transaction.positions.is_empty() {
            None
        } else {
            let mut list = TopicPartitionList::with_capacity(transaction.positions.len());
            for (at, position) in &transaction.positions {
                list.add_partition_offset(&at.topic, at.partition as i32, Offset::Offset(*position as i64))
                    .map_err(failed)?;
            }
            let group =
                group().ok_or_else(|| LogError::new(LogErrorKind::Fenced, "not a member of the group"))?;
            Some((list, group))
        };
        self.end(End::Commit(positions))
    }

    /// Closes what a former life of this producer left open in the positions of its group. A coordinator that was killed
    /// was seen to call a transaction ended of which the partition of the group's positions never heard: it stays open
    /// there, and whoever asks for the position waits for ever. The marker of this abort ends it. What was published is
    /// known without the group.
    pub(super) fn release(
        &self,
        input: &TopicPartition,
        group: ConsumerGroupMetadata,
    ) -> Result<(), LogError> {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&input.topic, input.partition as i32, Offset::Offset(0))
            .map_err(failed)?;
        self.producer.begin_transaction().map_err(failed)?;
        self.end(End::Abort(list, group))
    }

    fn end(&self, how: End) -> Result<(), LogError> {
        let hangs = |_| {
            let what = "the client library does not return from the end of a transaction; given up";
            LogError::new(LogErrorKind::Unknown, what)
        };
        self.ends
            .send(how)
            .map_err(|_| LogError::new(LogErrorKind::Unknown, "the thread that commits has ended"))?;
        self.ended.recv_timeout(HANGS_AFTER).map_err(hangs)?
    }

    fn send(&self, transaction: &Transaction) -> Result<(), LogError> {
        for record in &transaction.records {
            loop {
                match self.producer.send(convert::outgoing(record, ())) {
                    Ok(()) => break,
                    Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                        self.producer.poll(Duration::ZERO);
                        std::thread::sleep(DRAIN_PAUSE);
                    }
                    Err((error, _)) => return Err(failed(error)),
                }
            }
        }
        self.drain()
    }

    /// Waits until nothing is in flight. Stock `flush` and `commit_transaction` wait in steps of 100 ms.
    fn drain(&self) -> Result<(), LogError> {
        let until = Instant::now() + COMMIT_TIMEOUT;
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(Duration::ZERO);
            if self.producer.in_flight_count() > 0 {
                if Instant::now() >= until {
                    let what = "records could not be delivered in time";
                    return Err(LogError::new(LogErrorKind::Aborted, what));
                }
                std::thread::sleep(DRAIN_PAUSE);
            }
        }
        let mut first = self
            .producer
            .context()
            .first
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match first.take() {
            Some(error) => Err(LogError::new(LogErrorKind::Aborted, error)),
            None => Ok(()),
        }
    }
}

/// The group's metadata is read afresh for each commit: the generation in it is what fences (KIP-447).
fn end(producer: &BaseProducer<Failures>, how: End) -> Result<(), LogError> {
    match how {
        End::Commit(positions) => {
            if let Some((list, group)) = positions {
                producer
                    .send_offsets_to_transaction(&list, &group, COMMIT_TIMEOUT)
                    .map_err(failed)?;
            }
            producer.commit_transaction(COMMIT_TIMEOUT).map_err(failed)
        }
        End::Abort(list, group) => {
            // May be refused, when the group has moved on; its partition is part of the transaction by then.
            let refused = producer.send_offsets_to_transaction(&list, &group, COMMIT_TIMEOUT);
            tracing::debug!(?refused, "positions to be aborted");
            producer.abort_transaction(COMMIT_TIMEOUT).map_err(failed)
        }
    }
}
