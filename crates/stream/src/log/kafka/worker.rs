//! One member of a group with its transactional writer.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::OAuthToken;
use rdkafka::consumer::base_consumer::BaseConsumer;
use rdkafka::consumer::{Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, Message, Offset, TopicPartitionList};

use super::ends::{self, End};
use super::token::Tokens;
use super::writer::Writer;
use super::{ASK, Properties, convert, failed, reader_config};
use crate::log::{
    Hold, LogError, LogErrorKind, Member, Polled, RECORD_BYTES_MAX, Record, Share, TopicName, TopicPartition,
    Transaction, Worker,
};

/// A planned leave takes about this long at most.
const LEAVE_TIMEOUT: Duration = Duration::from_millis(600);
pub(super) struct KafkaWorker {
    name: String,
    consumer: BaseConsumer<Rebalances>,
    writer: Writer,
    joined: bool,
    held: Vec<TopicPartition>,
    reads: Vec<Reads>,
    topics: Vec<TopicName>,
}

/// How far one held partition has been read.
#[derive(Clone, Copy, Default)]
struct Reads {
    /// Behind the last record that was taken.
    next: Option<u64>,
    at_end: bool,
    /// How often the statistics have come since it is held; the first time they may speak of before.
    told: u32,
}

/// Remembers what the group coordinator decided, for the poll during which it happened.
struct Rebalances {
    happened: Mutex<Vec<Rebalanced>>,
    /// What the client's statistics told of ends since they were looked at, where they are asked.
    ends: Mutex<Option<Vec<End>>>,
    /// With [`Share::Whole`]: everything there is to read, by whoever is given the first of it.
    whole: Option<Vec<TopicPartition>>,
    tokens: Tokens,
}

enum Rebalanced {
    Given(Vec<TopicPartition>),
    Taken(Vec<TopicPartition>),
}

impl ClientContext for Rebalances {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;
    fn generate_oauth_token(&self, _config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.tokens.token()
    }
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "consumer");
    }
    fn stats_raw(&self, statistics: &[u8]) {
        match ends::told(statistics) {
            Ok(told) => *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = Some(told),
            Err(error) => tracing::error!(%error, "the client's statistics cannot be read"),
        }
    }
}

impl ConsumerContext for Rebalances {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, err: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let named = partitions(list);
        let given = err == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        let (done, happened) = match (given, &self.whole) {
            (true, None) => (consumer.assign(list), Rebalanced::Given(named)),
            (false, None) => (consumer.unassign(), Rebalanced::Taken(named)),
            (true, Some(whole)) if whole.first().is_some_and(|first| named.contains(first)) => {
                (consumer.assign(&as_list(whole)), Rebalanced::Given(whole.clone()))
            }
            (true, Some(_)) => (
                consumer.assign(&TopicPartitionList::new()),
                Rebalanced::Given(Vec::new()),
            ),
            (false, Some(whole)) => (consumer.unassign(), Rebalanced::Taken(whole.clone())),
        };
        if let Err(error) = done {
            tracing::error!(%error, "could not take over what the group coordinator decided");
        }
        self.happened
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(happened);
    }
}

fn partitions(list: &TopicPartitionList) -> Vec<TopicPartition> {
    let elements = list.elements();
    elements
        .iter()
        .map(|e| TopicPartition {
            topic: e.topic().into(),
            partition: e.partition() as u32,
        })
        .collect()
}

fn as_list(partitions: &[TopicPartition]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for at in partitions {
        list.add_partition(&at.topic, at.partition as i32);
    }
    list
}

impl KafkaWorker {
    pub(super) fn join(
        properties: &Properties,
        member: &Member,
        sizes: &[(TopicName, u32)],
    ) -> Result<KafkaWorker, LogError> {
        let whole = (member.share == Share::Whole).then(|| {
            sizes
                .iter()
                .flat_map(|(topic, n)| (0..*n).map(|p| TopicPartition::new(topic, p)))
                .collect()
        });
        let mut config = reader_config(properties);
        config
            .set("group.id", &member.group)
            // Static: a restart takes its partitions back in milliseconds and nobody else rebalances. Classic protocol,
            // because with KIP-848 a restarted static member is refused until its session ends.
            .set("group.instance.id", &member.name)
            .set("session.timeout.ms", properties.or("session.timeout.ms", "10000"))
            .set(
                "heartbeat.interval.ms",
                properties.or("heartbeat.interval.ms", "1000"),
            )
            // Eager: with the cooperative protocol a static member that was replaced during a rebalance was seen to leave
            // a partition with nobody for good. What an eager rebalance gives back is not restored but gone on with.
            .set("partition.assignment.strategy", "range");
        if sizes.len() > 1 {
            config.set("statistics.interval.ms", ends::TOLD_EVERY_MS);
        }
        let consumer: BaseConsumer<Rebalances> = config
            .create_with_context(Rebalances {
                happened: Mutex::default(),
                ends: Mutex::default(),
                whole,
                tokens: properties.tokens(),
            })
            .map_err(failed)?;

        let writer = Writer::new(properties, member)?;
        let topics: Vec<&str> = member.topics.iter().map(|topic| &**topic).collect();
        // A token, where there is one, is asked for by an event.
        drop(consumer.poll(Duration::ZERO));
        consumer
            .fetch_metadata(topics.first().copied(), ASK)
            .map_err(failed)?;
        consumer.subscribe(&topics).map_err(failed)?;
        Ok(KafkaWorker {
            name: member.name.clone(),
            consumer,
            writer,
            joined: false,
            held: Vec::new(),
            reads: Vec::new(),
            topics: member.topics.clone(),
        })
    }

    /// Takes over what happened to the assignment, and removes from `out` what is no longer held.
    fn rebalance(&mut self, polled: &mut Polled, from: usize, out: &mut Vec<Record>) {
        let happened = std::mem::take(
            &mut *self
                .consumer
                .context()
                .happened
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        self.joined |= !happened.is_empty();
        for happened in happened {
            let (Rebalanced::Given(named) | Rebalanced::Taken(named)) = &happened;
            for at in named {
                let at = match self.topics.iter().find(|topic| **topic == at.topic) {
                    Some(topic) => TopicPartition::new(topic, at.partition),
                    None => continue,
                };
                let place = self.held.binary_search(&at);
                match (&happened, place) {
                    (Rebalanced::Given(_), Err(place)) => {
                        self.held.insert(place, at.clone());
                        self.reads.insert(place, Reads::default());
                        polled.given.push(at);
                    }
                    (Rebalanced::Taken(_), Ok(place)) => {
                        self.held.remove(place);
                        self.reads.remove(place);
                        let mut rest = out.split_off(from);
                        rest.retain(|record| record.at != at);
                        out.append(&mut rest);
                        match polled.given.iter().position(|given| *given == at) {
                            Some(given) => drop(polled.given.remove(given)),
                            None => polled.taken.push(at),
                        }
                    }
                    (Rebalanced::Given(_), Ok(_)) | (Rebalanced::Taken(_), Err(_)) => {}
                }
            }
        }
    }

    fn place(&self, topic: &str, partition: u32) -> Option<usize> {
        self.held
            .iter()
            .position(|at| at.partition == partition && &*at.topic == topic)
    }

    /// The end of a partition: the client does not say of which topic, so with several its statistics are asked.
    fn ended(&mut self, partition: i32) {
        if let [topic] = &self.topics[..]
            && let Some(place) = self.place(topic, partition as u32)
        {
            self.reads[place].at_end = true;
        }
    }

    /// Takes over what the statistics told of ends since the last time.
    fn take_ends(&mut self) {
        let ends = &self.consumer.context().ends;
        let told = ends.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(told) = told else { return };
        for reads in &mut self.reads {
            reads.told += 1;
        }
        for end in told {
            if let Some(place) = self.place(&end.topic, end.partition) {
                let reads = &mut self.reads[place];
                reads.at_end |= reads.told > 1 && end.is_reached(reads.next);
            }
        }
    }
}

impl Worker for KafkaWorker {
    fn poll(&mut self, wait: Duration, max: usize, out: &mut Vec<Record>) -> Result<Polled, LogError> {
        let until = Instant::now() + wait;
        let from = out.len();
        let mut polled = Polled::default();
        let mut timeout = wait;
        while out.len() - from < max {
            // A poll that moves partitions brings no record.
            match self.consumer.poll(timeout) {
                None => {
                    self.rebalance(&mut polled, from, out);
                    if polled != Polled::default() || timeout.is_zero() {
                        break;
                    }
                    timeout = until.saturating_duration_since(Instant::now());
                }
                Some(Ok(found)) => {
                    if let Some(place) = self.place(found.topic(), found.partition() as u32) {
                        let record = convert::record(self.held[place].clone(), &found);
                        let reads = &mut self.reads[place];
                        (reads.next, reads.at_end) = (Some(record.offset + 1), false);
                        out.push(record);
                    }
                    timeout = Duration::ZERO;
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    self.ended(partition);
                    timeout = Duration::ZERO;
                }
                Some(Err(error)) => match error.rdkafka_error_code() {
                    Some(
                        RDKafkaErrorCode::AllBrokersDown
                        | RDKafkaErrorCode::BrokerTransportFailure
                        | RDKafkaErrorCode::Resolve
                        | RDKafkaErrorCode::OperationTimedOut,
                    ) if !matches!(error, KafkaError::MessageConsumptionFatal(_)) => {
                        tracing::debug!(%error, "reading goes on when the broker is back");
                        timeout = until.saturating_duration_since(Instant::now());
                    }
                    _ => return Err(failed(error)),
                },
            }
        }
        self.take_ends();
        Ok(polled)
    }

    fn is_joined(&self) -> bool {
        self.joined
    }

    fn assignment(&self) -> &[TopicPartition] {
        &self.held
    }

    fn at_end(&self, at: &TopicPartition) -> bool {
        self.held
            .binary_search(at)
            .is_ok_and(|place| self.reads[place].at_end)
    }

    fn committed(&mut self, at: &TopicPartition) -> Result<Option<u64>, LogError> {
        let asked = self
            .consumer
            .committed_offsets(as_list(std::slice::from_ref(at)), ASK);
        if asked
            .as_ref()
            .is_err_and(|e| e.rdkafka_error_code() == Some(RDKafkaErrorCode::OperationTimedOut))
            && let Some(group) = self.consumer.group_metadata()
        {
            tracing::warn!(partition = %at, "a transaction hides the committed position; what this worker may have left open is ended");
            self.writer.release(at, group)?;
        }
        let list = asked.map_err(failed)?;
        let found = list.find_partition(&at.topic, at.partition as i32);
        let found =
            found.ok_or_else(|| LogError::new(LogErrorKind::Unavailable, "no committed position told"))?;
        found.error().map_err(failed)?;
        Ok(found
            .offset()
            .to_raw()
            .and_then(|offset| u64::try_from(offset).ok()))
    }

    fn seek(&mut self, at: &TopicPartition, position: u64) -> Result<(), LogError> {
        let until = Instant::now() + ASK;
        let (partition, offset) = (at.partition as i32, Offset::Offset(position as i64));
        loop {
            match self.consumer.seek(&at.topic, partition, offset, ASK) {
                // The client is still asking where the group stands.
                Err(error)
                    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::State)
                        && Instant::now() < until =>
                {
                    std::thread::sleep(Duration::from_millis(20));
                }
                done => break done.map_err(failed)?,
            }
        }
        if let Ok(place) = self.held.binary_search(at) {
            self.reads[place] = Reads {
                next: Some(position),
                ..Reads::default()
            };
        }
        Ok(())
    }

    fn hold(&mut self, at: &TopicPartition, hold: Hold) -> Result<(), LogError> {
        let list = as_list(std::slice::from_ref(at));
        let done: KafkaResult<()> = match hold {
            Hold::Stop => self.consumer.pause(&list),
            Hold::Go => self.consumer.resume(&list),
        };
        done.map_err(failed)
    }

    fn commit(&mut self, transaction: &Transaction) -> Result<(), LogError> {
        // A commit of a member that has not joined would be accepted unfenced.
        let owner = transaction
            .positions
            .iter()
            .all(|(at, _)| self.held.binary_search(at).is_ok());
        if !owner || self.consumer.assignment_lost() {
            return Err(LogError::new(
                LogErrorKind::Fenced,
                format_args!("{} does not hold its input", self.name),
            ));
        }
        if let Some(record) = transaction
            .records
            .iter()
            .find(|record| record.bytes() > RECORD_BYTES_MAX)
        {
            let what = format_args!("{} bytes for topic {}", record.bytes(), record.topic);
            return Err(LogError::new(LogErrorKind::TooLarge, what));
        }
        self.writer.commit(transaction, || self.consumer.group_metadata())
    }

    fn leave(self: Box<Self>) {
        // Closing a static member gives nothing away before its session ends; unsubscribing does.
        self.consumer.unsubscribe();
        let until = Instant::now() + LEAVE_TIMEOUT;
        while !self.consumer.context().taken() && Instant::now() < until {
            let _ = self.consumer.poll(Duration::from_millis(20));
        }
    }
}

impl Rebalances {
    fn taken(&self) -> bool {
        let happened = self.happened.lock().unwrap_or_else(PoisonError::into_inner);
        happened
            .iter()
            .any(|happened| matches!(happened, Rebalanced::Taken(_)))
    }
}
