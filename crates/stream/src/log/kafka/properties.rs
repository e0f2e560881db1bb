//! Client properties as a user gives them: everything that librdkafka knows, but for what the engine owns.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rdkafka::ClientConfig;

use super::token::Tokens;

/// Properties on which exactly once rests; a value of the user's would break it.
const OWNED: [&str; 21] = [
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "group.remote.assignor",
    "isolation.level",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "partition.assignment.strategy",
    "partitioner",
    "request.required.acks",
    "statistics.interval.ms",
    "transaction.timeout.ms",
    "transactional.id",
    "acks",
];

/// Checked client properties.
#[derive(Clone, Debug)]
pub struct Properties {
    given: BTreeMap<String, String>,
    tokens: Tokens,
}

/// A property that may not be set, or one that must be and is not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PropertyError {
    /// The engine owns it.
    #[error("kafka property {0} is set by stormfold itself, because exactly once rests on it; remove it")]
    Owned(String),
    /// Nothing says where the brokers are.
    #[error("kafka property bootstrap.servers is missing")]
    NoServers,
}

impl Properties {
    /// Checks what a user gave.
    pub fn new(given: impl IntoIterator<Item = (String, String)>) -> Result<Properties, PropertyError> {
        let given: BTreeMap<String, String> = given.into_iter().collect();
        if let Some(name) = given.keys().find(|name| OWNED.contains(&name.as_str())) {
            return Err(PropertyError::Owned(name.clone()));
        }
        if !given.contains_key("bootstrap.servers") && !given.contains_key("metadata.broker.list") {
            return Err(PropertyError::NoServers);
        }
        Ok(Properties {
            given,
            tokens: Tokens::default(),
        })
    }

    /// The brokers at an address, and nothing else.
    pub fn servers(address: &str) -> Properties {
        Properties {
            given: BTreeMap::from([("bootstrap.servers".to_owned(), address.to_owned())]),
            tokens: Tokens::default(),
        }
    }

    /// With a file that holds the token for `sasl.mechanism=OAUTHBEARER`; read anew before the token expires.
    pub fn token_file(mut self, file: PathBuf) -> Properties {
        self.tokens = Tokens(Some(file));
        self
    }

    pub(super) fn tokens(&self) -> Tokens {
        self.tokens.clone()
    }

    pub(super) fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("client.id", "stormfold");
        for (name, value) in &self.given {
            config.set(name, value);
        }
        config
    }

    /// The value of a property, else `default`.
    pub(super) fn or<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        self.given.get(name).map_or(default, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owned_properties_are_refused_and_others_pass() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let servers = pair("bootstrap.servers", "b:9092");
        let owned = Properties::new([servers.clone(), pair("isolation.level", "read_uncommitted")]);
        assert_eq!(
            owned.unwrap_err(),
            PropertyError::Owned("isolation.level".to_owned())
        );
        assert_eq!(
            Properties::new([pair("client.rack", "a")]).unwrap_err(),
            PropertyError::NoServers
        );
        let passed = Properties::new([servers, pair("security.protocol", "ssl")]).unwrap();
        assert_eq!(passed.config().get("security.protocol"), Some("ssl"));
    }
}
