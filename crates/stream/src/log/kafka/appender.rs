//! Writing single records: idempotent, outside of transactions. Many callers may wait at once and share batches.

use std::error::Error;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::client::OAuthToken;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{ProducerContext, ThreadedProducer};

use super::asker::Asker;
use super::token::Tokens;
use super::{ASK, Properties, READER_GROUP, convert, failed};
use crate::log::{Appender, LogError, LogErrorKind, Outgoing};

pub(super) struct KafkaAppender {
    producer: ThreadedProducer<Acks>,
    asker: Asker,
}

/// Counts what is still on its way of one call.
#[derive(Default)]
struct Pending {
    state: Mutex<(usize, Option<KafkaError>)>,
    done: Condvar,
}

struct Acks {
    tokens: Tokens,
}

impl ClientContext for Acks {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;
    fn generate_oauth_token(&self, _config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.tokens.token()
    }
    // Whoever asks is told what failed; a broker that is away would be named each second.
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "appender");
    }
}

impl ProducerContext for Acks {
    type DeliveryOpaque = Arc<Pending>;

    fn delivery(&self, result: &DeliveryResult<'_>, pending: Arc<Pending>) {
        let mut state = pending.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 -= 1;
        if let Err((error, _)) = result {
            state.1.get_or_insert_with(|| error.clone());
        }
        if state.0 == 0 {
            pending.done.notify_all();
        }
    }
}

impl KafkaAppender {
    pub(super) fn new(properties: &Properties) -> Result<KafkaAppender, LogError> {
        let asker = Asker::new(properties, READER_GROUP)?;
        let mut config = properties.config();
        config
            .set("enable.idempotence", "true")
            .set("partitioner", "murmur2_random")
            .set("linger.ms", properties.or("linger.ms", "5"))
            .set("compression.type", properties.or("compression.type", "lz4"))
            .set("message.timeout.ms", properties.or("message.timeout.ms", "30000"));
        let producer = config
            .create_with_context(Acks {
                tokens: properties.tokens(),
            })
            .map_err(failed)?;
        Ok(KafkaAppender { producer, asker })
    }
}

impl Appender for KafkaAppender {
    fn append(&self, records: Vec<Outgoing>) -> Result<(), LogError> {
        let pending = Arc::new(Pending::default());
        pending.state.lock().unwrap_or_else(PoisonError::into_inner).0 = records.len();
        let mut failure = None;
        let mut sent = 0;
        'records: for record in &records {
            loop {
                match self.producer.send(convert::outgoing(record, pending.clone())) {
                    Ok(()) => break,
                    Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    Err((error, _)) => {
                        failure = Some(failed(error));
                        break 'records;
                    }
                }
            }
            sent += 1;
        }
        let mut state = pending.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 -= records.len() - sent;
        while state.0 > 0 {
            state = pending.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        match (failure, state.1.take()) {
            (Some(failure), _) => Err(failure),
            (None, Some(error)) => Err(self.explain(error, &records)),
            (None, None) => Ok(()),
        }
    }
}

impl KafkaAppender {
    /// A record for a topic that does not exist times out without saying so.
    fn explain(&self, error: KafkaError, records: &[Outgoing]) -> LogError {
        let topic = records.first().map(|record| record.topic.clone());
        let metadata = topic.as_deref().and_then(|topic| {
            self.asker
                .ask(|asker| asker.fetch_metadata(Some(topic), ASK))
                .ok()
        });
        let missing = metadata.is_some_and(|m| m.topics().iter().any(|t| t.partitions().is_empty()));
        match topic {
            Some(topic) if missing => {
                LogError::new(LogErrorKind::Setup, format_args!("topic {topic} is missing"))
            }
            _ => failed(error),
        }
    }
}
