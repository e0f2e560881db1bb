//! The log on Apache Kafka, over librdkafka.
//!
//! One worker is one OS thread with one `BaseConsumer` and one transactional `BaseProducer`, created together and dropped
//! together. The settings below were measured against a real broker; each that is not a default says why it is so.
//! librdkafka does not speak transactions v2 (KIP-890), so after any transactional request that failed or timed out the
//! producer is destroyed and what it wrote for is restored from what is committed.

mod appender;
mod asker;
mod convert;
mod ends;
mod properties;
mod reader;
mod rights;
mod token;
mod worker;
mod writer;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};

use super::{
    Appender, Bounds, Log, LogError, LogErrorKind, Member, Need, Reader, Refused, TopicName, TopicPartition,
    TopicSpec, Worker,
};
use asker::Asker;
pub use properties::{Properties, PropertyError};
use token::Tokens;

/// How long a question about the brokers or a topic may take.
const ASK: Duration = Duration::from_secs(10);
/// How often one asks again for a partition that the client has not heard of, and after how long.
const UNHEARD_MAX: u32 = 40;
const UNHEARD: [RDKafkaErrorCode; 3] = [
    RDKafkaErrorCode::UnknownPartition,
    RDKafkaErrorCode::NotLeaderForPartition,
    RDKafkaErrorCode::LeaderNotAvailable,
];
const UNHEARD_PAUSE: Duration = Duration::from_millis(50);
/// How long one waits for the end of a transaction: one of a dead worker lasts for ten seconds at most, and brokers look for
/// such every ten.
const DECIDED: Duration = Duration::from_secs(30);
/// Between two looks at whether it has ended, which takes some milliseconds as a rule.
const UNDECIDED_PAUSE: Duration = Duration::from_millis(5);

/// A Kafka deployment, by the client properties that lead to it.
pub struct KafkaLog {
    properties: Properties,
    asker: Asker,
    /// Those who ask about a group from beside it.
    beside: Mutex<BTreeMap<String, Arc<Asker>>>,
}

impl KafkaLog {
    /// Prepares to connect; nothing is sent yet.
    pub fn new(properties: Properties) -> Result<KafkaLog, LogError> {
        let asker = Asker::new(&properties, READER_GROUP)?;
        Ok(KafkaLog {
            properties,
            asker,
            beside: Mutex::default(),
        })
    }
}

/// The group of readers outside of any group; the client library wants a name and asks for its coordinator.
pub const READER_GROUP: &str = "stormfold-reader";

fn reader_config(properties: &Properties) -> ClientConfig {
    let mut config = properties.config();
    config
        // Needed by `assign`; nothing is subscribed or committed, so the group never exists.
        .set("group.id", READER_GROUP)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("isolation.level", "read_committed")
        .set("auto.offset.reset", "earliest")
        .set("enable.partition.eof", "true")
        // Smaller values cost an idle broker a fifth of a core and gain nothing: data is sent as soon as it is there.
        .set("fetch.wait.max.ms", "100")
        .set("fetch.min.bytes", "1")
        // The default of a second is seen whenever the queue of fetched records was full.
        .set("fetch.queue.backoff.ms", "10");
    config
}

/// An error of librdkafka in our terms.
fn failed(error: KafkaError) -> LogError {
    use RDKafkaErrorCode as Code;
    let code = error.rdkafka_error_code();
    let kind = match (&error, code) {
        (KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_), _) => LogErrorKind::Setup,
        (
            _,
            Some(
                Code::UnknownTopicOrPartition
                | Code::UnknownTopic
                | Code::UnknownPartition
                | Code::TopicAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::ClusterAuthorizationFailed
                | Code::TransactionalIdAuthorizationFailed
                | Code::SaslAuthenticationFailed
                | Code::Authentication
                | Code::SSL,
            ),
        ) => LogErrorKind::Setup,
        (
            _,
            Some(
                Code::Fenced
                | Code::ProducerFenced
                | Code::InvalidProducerEpoch
                | Code::FencedInstanceId
                | Code::IllegalGeneration
                | Code::UnknownMemberId
                | Code::RebalanceInProgress
                | Code::AssignmentLost,
            ),
        ) => LogErrorKind::Fenced,
        (_, Some(Code::MessageSizeTooLarge)) => LogErrorKind::TooLarge,
        (KafkaError::Transaction(inner), _) if inner.txn_requires_abort() => LogErrorKind::Aborted,
        (KafkaError::Transaction(_), _) => LogErrorKind::Unknown,
        _ => LogErrorKind::Unavailable,
    };
    LogError::new(kind, error)
}

impl KafkaLog {
    fn admin(&self) -> Result<AdminClient<Tokens>, LogError> {
        let (config, tokens) = (self.properties.config(), self.properties.tokens());
        config.create_with_context(tokens).map_err(failed)
    }

    /// Who asks about a group, and about what is not decided yet.
    fn beside(&self, group: &str) -> Result<Arc<Asker>, LogError> {
        let mut beside = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asker) = beside.get(group) {
            return Ok(asker.clone());
        }
        let asker = Arc::new(Asker::beside(&self.properties, group)?);
        beside.insert(group.to_owned(), asker.clone());
        Ok(asker)
    }

    /// The topics with their numbers of partitions; all must be there.
    fn sizes(&self, topics: &[TopicName]) -> Result<Vec<(TopicName, u32)>, LogError> {
        let size = |topic: &TopicName| match self.partitions(topic)? {
            Some(partitions) => Ok((topic.clone(), partitions)),
            None => {
                let what = format_args!("topic {topic} is missing");
                Err(LogError::new(LogErrorKind::Setup, what))
            }
        };
        topics.iter().map(size).collect()
    }
}

impl Log for KafkaLog {
    fn partitions(&self, topic: &str) -> Result<Option<u32>, LogError> {
        let metadata = self.asker.ask(|asker| asker.fetch_metadata(Some(topic), ASK))?;
        let found = metadata.topics().iter().find(|t| t.name() == topic);
        match found.map(|t| (t.partitions().len() as u32, t.error().map(RDKafkaErrorCode::from))) {
            Some((count, None)) if count > 0 => Ok(Some(count)),
            None | Some((_, None | Some(RDKafkaErrorCode::UnknownTopicOrPartition))) => Ok(None),
            Some((_, Some(RDKafkaErrorCode::TopicAuthorizationFailed))) => {
                let what = format_args!("no right to see topic {topic}");
                Err(LogError::new(LogErrorKind::Refused, what))
            }
            Some((_, Some(code))) => Err(failed(KafkaError::MetadataFetch(code))),
        }
    }

    fn create_topics(&self, topics: &[TopicSpec]) -> Result<Vec<TopicName>, LogError> {
        let mut missing = Vec::new();
        for spec in topics {
            match self.partitions(&spec.name) {
                Ok(Some(_)) => {}
                Err(error) if error.kind() != LogErrorKind::Refused => return Err(error),
                Ok(None) | Err(_) => missing.push(spec),
            }
        }
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let admin = self.admin()?;
        let new = missing.iter().map(|spec| {
            let topic = NewTopic::new(
                &spec.name,
                spec.partitions.max(1) as i32,
                TopicReplication::Fixed(-1),
            );
            spec.settings
                .iter()
                .fold(topic, |topic, (name, value)| topic.set(name, value))
        });
        let new: Vec<NewTopic<'_>> = new.collect();
        let options = AdminOptions::new()
            .request_timeout(Some(ASK))
            .operation_timeout(Some(ASK));
        let results = pollster::block_on(admin.create_topics(&new, &options)).map_err(failed)?;
        let mut created = BTreeSet::new();
        for result in results {
            match result {
                Ok(name) => created.insert(name),
                Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => continue,
                Err((
                    name,
                    RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::ClusterAuthorizationFailed,
                )) => {
                    let what = format_args!("no right to create topic {name}");
                    return Err(LogError::new(LogErrorKind::Refused, what));
                }
                Err((name, code)) => {
                    let what = format_args!("topic {name} could not be created: {code}");
                    return Err(LogError::new(LogErrorKind::Setup, what));
                }
            };
        }
        Ok(missing
            .iter()
            .filter(|spec| created.contains(&*spec.name))
            .map(|spec| spec.name.clone())
            .collect())
    }

    fn bounds(&self, at: &TopicPartition) -> Result<Bounds, LogError> {
        let (start, end) = self
            .asker
            .ask(|asker| heard(|| asker.fetch_watermarks(&at.topic, at.partition as i32, ASK)))?;
        Ok(Bounds {
            start: start.max(0) as u64,
            end: end.max(0) as u64,
        })
    }

    fn decided(&self, at: &TopicPartition) -> Result<Bounds, LogError> {
        // Whatever is written later begins behind it, and belongs to nobody's past.
        let (_, written) = self
            .beside(READER_GROUP)?
            .ask(|asker| heard(|| asker.fetch_watermarks(&at.topic, at.partition as i32, ASK)))?;
        let until = Instant::now() + DECIDED;
        loop {
            let bounds = self.bounds(at)?;
            if bounds.end as i64 >= written {
                return Ok(bounds);
            }
            if Instant::now() >= until {
                let what = format_args!(
                    "a transaction in {at} from {} on has been undecided for {DECIDED:?}; kafka-transactions.sh find-hanging says whose it is",
                    bounds.end
                );
                return Err(LogError::new(LogErrorKind::Unavailable, what));
            }
            thread::sleep(UNDECIDED_PAUSE);
        }
    }

    fn join(&self, member: &Member) -> Result<Box<dyn Worker>, LogError> {
        let sizes = self.sizes(&member.topics)?;
        Ok(Box::new(worker::KafkaWorker::join(
            &self.properties,
            member,
            &sizes,
        )?))
    }

    fn reader(&self) -> Result<Box<dyn Reader>, LogError> {
        Ok(Box::new(reader::KafkaReader::new(&self.properties)?))
    }

    fn appender(&self) -> Result<Box<dyn Appender>, LogError> {
        Ok(Box::new(appender::KafkaAppender::new(&self.properties)?))
    }

    fn settings(&self, topic: &str) -> Result<Option<BTreeMap<String, String>>, LogError> {
        let options = AdminOptions::new().request_timeout(Some(ASK));
        let of = [ResourceSpecifier::Topic(topic)];
        let results = pollster::block_on(self.admin()?.describe_configs(&of, &options)).map_err(failed)?;
        let mut settings = BTreeMap::new();
        for result in results {
            let resource = result.map_err(|code| match code {
                RDKafkaErrorCode::TopicAuthorizationFailed => {
                    let what =
                        format_args!("no right to read the settings of topic {topic} (DescribeConfigs)");
                    LogError::new(LogErrorKind::Refused, what)
                }
                code => failed(KafkaError::AdminOp(code)),
            })?;
            let valued = resource.entries.into_iter();
            settings.extend(valued.filter_map(|entry| Some((entry.name, entry.value?))));
        }
        // Kafka does not count it as a setting.
        let metadata = self.asker.ask(|asker| asker.fetch_metadata(Some(topic), ASK))?;
        let copies = metadata.topics().iter().flat_map(|topic| topic.partitions());
        if let Some(copies) = copies.map(|partition| partition.replicas().len()).min() {
            settings.insert("replication.factor".to_owned(), copies.to_string());
        }
        Ok(Some(settings))
    }

    fn positions(&self, group: &str, of: &[TopicPartition]) -> Result<Vec<Option<u64>>, LogError> {
        self.beside(group)?.positions(of)
    }

    fn refused(&self, needs: &[Need]) -> Result<Vec<Refused>, LogError> {
        rights::refused(&self.properties, needs)
    }
}

/// Asks until client and broker have heard of the partition, for two seconds at most: a client that just learned of a topic
/// may not know its partitions yet, and says so instead of waiting for them (confluentinc/librdkafka#1373), and a broker that
/// was just given a partition does not lead it at once.
fn heard<T>(ask: impl Fn() -> KafkaResult<T>) -> KafkaResult<T> {
    for _ in 0..UNHEARD_MAX {
        match ask() {
            Err(error)
                if error
                    .rdkafka_error_code()
                    .is_some_and(|code| UNHEARD.contains(&code)) =>
            {
                tracing::debug!(%error, "asking again");
                thread::sleep(UNHEARD_PAUSE);
            }
            answer => return answer,
        }
    }
    ask()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_partition_that_is_not_heard_of_yet_is_asked_for_again() {
        let asked = Cell::new(0);
        let answer = |unheard: u32, code| {
            asked.set(0);
            heard(|| {
                asked.set(asked.get() + 1);
                match asked.get() {
                    n if n <= unheard => Err(KafkaError::MetadataFetch(code)),
                    n => Ok(n),
                }
            })
        };
        for code in UNHEARD {
            assert_eq!(answer(2, code).ok(), Some(3), "{code}");
        }
        assert!(answer(1, RDKafkaErrorCode::TopicAuthorizationFailed).is_err());
        assert_eq!(asked.get(), 1, "what is refused is not asked for again");
        assert!(
            answer(u32::MAX, RDKafkaErrorCode::UnknownPartition).is_err(),
            "there is none"
        );
    }
}
