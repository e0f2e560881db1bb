//! Finds out what the cluster refuses us, by doing it in transactions that are given up.
//!
//! Nobody who reads committed records sees any of it; the positions that it took stay free.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::OAuthToken;
use rdkafka::consumer::base_consumer::BaseConsumer;
use rdkafka::consumer::{Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use super::token::Tokens;
use super::{ASK, Properties, failed, reader_config};
use crate::log::{LogError, LogErrorKind, Need, Refused};

/// How long a single attempt may take.
const TRY: Duration = Duration::from_secs(5);
/// Key of the records that nobody sees; topics that are compacted want one.
const KEY: &str = "!rights";

/// The needs that are not met.
pub(super) fn refused(properties: &Properties, needs: &[Need]) -> Result<Vec<Refused>, LogError> {
    let mut refused = Vec::new();
    let mut producer = None;
    let transacts = |need: &&Need| matches!(need, Need::Transact(_));
    // First of all, because the others are tried in a transaction.
    for need in needs
        .iter()
        .filter(transacts)
        .chain(needs.iter().filter(|need| !transacts(need)))
    {
        let answer = match need {
            Need::Transact(prefix) => begin(properties, prefix).map(|one| producer = Some(one)),
            Need::Read(topic) => read(properties, topic),
            Need::Write(topic) => match &producer {
                Some(producer) => write(producer, topic),
                None => continue,
            },
            Need::Join(group, topic) => match &producer {
                Some(producer) => join(properties, producer, group, topic),
                None => continue,
            },
        };
        match answer {
            Ok(()) => {}
            Err(error) if is_refusal(&error) => refused.push(Refused {
                need: need.clone(),
                reason: error.to_string(),
            }),
            Err(error) => return Err(failed(error)),
        }
    }
    if producer.is_none() && refused.is_empty() {
        return Err(LogError::new(LogErrorKind::Unavailable, "nothing could be tried"));
    }
    Ok(refused)
}

fn is_refusal(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::TopicAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::ClusterAuthorizationFailed
                | Code::TransactionalIdAuthorizationFailed
        )
    )
}

/// The first refusal that the client library spoke of, else the first thing that went wrong.
struct Heard {
    first: Mutex<Option<KafkaError>>,
    tokens: Tokens,
}

impl Heard {
    fn new(properties: &Properties) -> Heard {
        Heard {
            first: Mutex::default(),
            tokens: properties.tokens(),
        }
    }
    fn hear(&self, error: KafkaError) {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        if first.as_ref().is_none_or(|first| !is_refusal(first)) {
            *first = Some(error);
        }
    }
    fn take(&self) -> Option<KafkaError> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ClientContext for Heard {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;
    fn generate_oauth_token(&self, _config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.tokens.token()
    }
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "rights");
        self.hear(error);
    }
}

impl ConsumerContext for Heard {}

impl ProducerContext for Heard {
    type DeliveryOpaque = ();
    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.hear(error.clone());
        }
    }
}

fn begin(properties: &Properties, prefix: &str) -> Result<BaseProducer<Heard>, KafkaError> {
    let mut config = properties.config();
    config
        .set(
            "transactional.id",
            format!("{prefix}rights-{}", std::process::id()),
        )
        .set("transaction.timeout.ms", "10000")
        .set("retry.backoff.ms", "10");
    let producer: BaseProducer<Heard> = config.create_with_context(Heard::new(properties))?;
    // A token, where there is one, is asked for by an event.
    producer.poll(Duration::ZERO);
    producer.init_transactions(ASK)?;
    Ok(producer)
}

fn write(producer: &BaseProducer<Heard>, topic: &str) -> Result<(), KafkaError> {
    producer.begin_transaction()?;
    producer.context().take();
    let record = BaseRecord::to(topic).partition(0).key(KEY).payload("");
    let sent = producer.send(record).map_err(|(error, _)| error);
    let until = Instant::now() + TRY;
    while producer.in_flight_count() > 0 && Instant::now() < until {
        producer.poll(Duration::from_millis(1));
    }
    let heard = producer.context().take();
    // A transaction that has failed cannot be committed any more, and says why when it is asked to.
    let why = heard
        .is_some()
        .then(|| producer.commit_transaction(ASK))
        .transpose();
    producer.abort_transaction(ASK)?;
    match (why, heard) {
        (Err(error), _) if is_refusal(&error) => Err(error),
        (_, Some(error)) => Err(error),
        _ => sent,
    }
}

fn join(
    properties: &Properties,
    producer: &BaseProducer<Heard>,
    group: &str,
    topic: &str,
) -> Result<(), KafkaError> {
    let mut config = reader_config(properties);
    config.set("group.id", group);
    let consumer: BaseConsumer<Heard> = config.create_with_context(Heard::new(properties))?;
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Offset(0))?;
    let member = consumer.group_metadata().expect("it was given a group");
    producer.begin_transaction()?;
    let sent = producer.send_offsets_to_transaction(&list, &member, ASK);
    producer.abort_transaction(ASK)?;
    producer.context().take();
    match sent {
        // The topic is another need.
        Err(error) if error.rdkafka_error_code() == Some(Code::TopicAuthorizationFailed) => Ok(()),
        sent => sent,
    }
}

/// Reads from the end of the first partition until it is told that this is the end.
fn read(properties: &Properties, topic: &str) -> Result<(), KafkaError> {
    let consumer: BaseConsumer<Heard> =
        reader_config(properties).create_with_context(Heard::new(properties))?;
    drop(consumer.poll(Duration::ZERO));
    consumer.fetch_metadata(Some(topic), ASK)?;
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::End)?;
    consumer.assign(&list)?;
    let until = Instant::now() + TRY;
    while Instant::now() < until {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Err(KafkaError::PartitionEOF(_)) | Ok(_)) => return Ok(()),
            // Of the group that no reader joins.
            Some(Err(error)) if error.rdkafka_error_code() == Some(Code::GroupAuthorizationFailed) => {}
            Some(Err(error)) if is_refusal(&error) => return Err(error),
            Some(Err(_)) | None => {}
        }
    }
    Err(KafkaError::MessageConsumption(Code::OperationTimedOut))
}
