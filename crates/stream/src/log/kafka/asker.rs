//! Asks brokers, and remembers what the client library said of why they do not answer.
//!
//! A call that fails because of a wrong password or an unknown certificate says only that it timed out; the reason comes
//! beside it, as an event. Without the reason nobody can mend anything.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::OAuthToken;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code};
use rdkafka::{ClientContext, TopicPartitionList};

use super::token::Tokens;
use super::{ASK, Properties, failed, reader_config};
use crate::log::{LogError, LogErrorKind, TopicPartition};

/// So many events are heard at once, at most; most of them are lines of the client's log.
const EVENTS_MAX: usize = 1_000;

/// A client that is only asked.
pub(super) struct Asker {
    consumer: BaseConsumer<Said>,
}

/// The last word of the client library.
pub(super) struct Said {
    word: Mutex<Option<(Option<Code>, String)>>,
    tokens: Tokens,
}

impl ClientContext for Said {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;
    fn generate_oauth_token(&self, _config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.tokens.token()
    }
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "asker");
        let code = error.rdkafka_error_code();
        let mut said = self.word.lock().unwrap_or_else(PoisonError::into_inner);
        // That all brokers are down follows from what was said of each, and says less.
        if code != Some(Code::AllBrokersDown) || said.is_none() {
            *said = Some((code, reason.to_owned()));
        }
    }
}

impl ConsumerContext for Said {}

impl Asker {
    /// Asks about what is committed for good.
    pub(super) fn new(properties: &Properties, group: &str) -> Result<Asker, LogError> {
        Asker::with(properties, group, "read_committed")
    }

    /// Asks about a group from beside it, and waits for no transaction.
    pub(super) fn beside(properties: &Properties, group: &str) -> Result<Asker, LogError> {
        Asker::with(properties, group, "read_uncommitted")
    }

    fn with(properties: &Properties, group: &str, isolation: &str) -> Result<Asker, LogError> {
        let mut config = reader_config(properties);
        config.set("group.id", group).set("isolation.level", isolation);
        let said = Said {
            word: Mutex::default(),
            tokens: properties.tokens(),
        };
        let consumer = config.create_with_context(said).map_err(failed)?;
        Ok(Asker { consumer })
    }

    /// One question. Its error carries the reason, if one was given.
    pub(super) fn ask<T>(
        &self,
        question: impl FnOnce(&BaseConsumer<Said>) -> KafkaResult<T>,
    ) -> Result<T, LogError> {
        self.listen();
        question(&self.consumer).map_err(|error| self.explained(error))
    }

    /// Events are told to whoever polls, and a token is asked for by one.
    fn listen(&self) {
        for _ in 0..EVENTS_MAX {
            drop(self.consumer.poll(Duration::ZERO));
        }
    }

    fn explained(&self, error: KafkaError) -> LogError {
        self.listen();
        let said = self
            .consumer
            .context()
            .word
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let silent = matches!(
            error.rdkafka_error_code(),
            Some(
                Code::BrokerTransportFailure
                    | Code::OperationTimedOut
                    | Code::AllBrokersDown
                    | Code::TimedOutQueue
            )
        );
        match said {
            Some((code, reason)) if silent => LogError::new(kind(code, &reason), reason),
            _ => failed(error),
        }
    }

    /// What its group has committed.
    pub(super) fn positions(&self, of: &[TopicPartition]) -> Result<Vec<Option<u64>>, LogError> {
        let mut list = TopicPartitionList::with_capacity(of.len());
        for at in of {
            list.add_partition(&at.topic, at.partition as i32);
        }
        let found = self.ask(|asker| asker.committed_offsets(list, ASK))?;
        let position = |at: &TopicPartition| {
            let found = found.find_partition(&at.topic, at.partition as i32)?;
            found
                .offset()
                .to_raw()
                .and_then(|offset| u64::try_from(offset).ok())
        };
        Ok(of.iter().map(position).collect())
    }
}

/// Whether a person has to act, by what the client library says of a connection.
fn kind(code: Option<Code>, reason: &str) -> LogErrorKind {
    match code {
        Some(Code::Authentication | Code::SaslAuthenticationFailed | Code::SSL) => LogErrorKind::Setup,
        // A listener with TLS answers one without, and the other way round, with nothing that can be read.
        _ if reason.contains("SSL") || reason.contains("security.protocol") => LogErrorKind::Setup,
        _ => LogErrorKind::Unavailable,
    }
}
