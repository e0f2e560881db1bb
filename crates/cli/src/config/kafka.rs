//! The way to Kafka: brokers, encryption, who we are; and the properties of the client that are ours to set.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The log on Kafka.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Kafka {
    /// Brokers to start from, `host:port`, several separated by commas.
    pub(crate) brokers: String,
    /// Encryption of the connections, and a certificate of our own; see docs/kafka.md.
    pub(crate) tls: Tls,
    /// Who we are, by a password or a token; see docs/kafka.md.
    pub(crate) sasl: Sasl,
    /// Any property of librdkafka (<https://docs.confluent.io/platform/current/clients/librdkafka/html/md_CONFIGURATION.html>)
    /// that no field here stands for, e.g. `client.rack`; a name with `_file` behind it takes its value from that file.
    /// Properties on which exactly-once rests are refused.
    pub(crate) properties: BTreeMap<String, String>,
}

/// Encryption of the connections to Kafka.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Tls {
    /// Whether connections are encrypted.
    pub(crate) enabled: bool,
    /// PEM file with the authorities that may vouch for brokers. Absent: those of the system.
    pub(crate) ca_file: Option<String>,
    /// PEM file with a certificate of our own, for brokers that ask for one (mTLS).
    pub(crate) certificate_file: Option<String>,
    /// PEM file with the key of our certificate.
    pub(crate) key_file: Option<String>,
    /// Password of the key. Better kept in a file: `key_password_file`.
    pub(crate) key_password: Option<String>,
    /// A file that holds the password of the key.
    pub(crate) key_password_file: Option<String>,
    /// Whether the name in a broker's certificate must be that by which we reached it.
    pub(crate) verify_host: bool,
}

/// Who we are to Kafka.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Sasl {
    /// How we prove it. Absent: not by SASL.
    pub(crate) mechanism: Option<Mechanism>,
    /// Our name, for a password.
    pub(crate) username: Option<String>,
    /// The password. Better kept in a file: `password_file`.
    pub(crate) password: Option<String>,
    /// A file that holds the password.
    pub(crate) password_file: Option<String>,
    /// A file that holds a token (JWT) for `oauthbearer`, kept fresh by somebody else, e.g. a projected service account
    /// token. Read again before the token expires.
    pub(crate) token_file: Option<String>,
    /// Send the password or token over connections that are not encrypted.
    pub(crate) in_the_clear: bool,
}

/// How we prove who we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mechanism {
    /// The password itself is sent.
    Plain,
    /// A challenge is answered (RFC 5802), with SHA-256.
    ScramSha256,
    /// The same with SHA-512.
    ScramSha512,
    /// A token is sent (RFC 7628).
    Oauthbearer,
}

impl Default for Kafka {
    fn default() -> Kafka {
        Kafka {
            brokers: "127.0.0.1:9092".to_owned(),
            tls: Tls::default(),
            sasl: Sasl::default(),
            properties: BTreeMap::new(),
        }
    }
}

impl Default for Tls {
    fn default() -> Tls {
        Tls {
            enabled: false,
            ca_file: None,
            certificate_file: None,
            key_file: None,
            key_password: None,
            key_password_file: None,
            verify_host: true,
        }
    }
}

/// Properties for which there are fields, so that one thing is not said in two ways.
const FIELDS: &[(&str, &str)] = &[
    ("security.protocol", "kafka.tls.enabled and kafka.sasl.mechanism"),
    ("ssl.ca.location", "kafka.tls.ca_file"),
    ("ssl.certificate.location", "kafka.tls.certificate_file"),
    ("ssl.key.location", "kafka.tls.key_file"),
    ("ssl.key.password", "kafka.tls.key_password_file"),
    ("ssl.endpoint.identification.algorithm", "kafka.tls.verify_host"),
    ("sasl.mechanism", "kafka.sasl.mechanism"),
    ("sasl.mechanisms", "kafka.sasl.mechanism"),
    ("sasl.username", "kafka.sasl.username"),
    ("sasl.password", "kafka.sasl.password_file"),
];

impl Kafka {
    /// Whether any of the fields of `tls` and `sasl` says something.
    fn by_fields(&self) -> bool {
        self.tls != Tls::default() || self.sasl != Sasl::default()
    }

    /// What is wrong, and the field that is to be changed.
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        let wrong = |field: &str, what: &str| Err((format!("kafka.{field}"), what.to_owned()));
        for name in self.properties.keys() {
            if let Some(reason) = refusal(name) {
                return wrong(&format!("properties.{name}"), &reason);
            }
            let bare = name.strip_suffix("_file").unwrap_or(name);
            if let Some((_, field)) = FIELDS.iter().find(|(one, _)| *one == bare)
                && self.by_fields()
            {
                return wrong(
                    &format!("properties.{name}"),
                    &format!("stands beside fields that say the same; use {field} instead"),
                );
            }
        }
        if self.brokers.trim().is_empty() {
            return wrong("brokers", "names no broker");
        }
        if let Some(broker) = self.brokers.split(',').find(|broker| !is_address(broker.trim())) {
            return wrong(
                "brokers",
                &format!(
                    "`{}` is not host:port, e.g. kafka-1.example.org:9092",
                    broker.trim()
                ),
            );
        }
        let (tls, sasl) = (&self.tls, &self.sasl);
        if !tls.enabled && *tls != Tls::default() {
            return wrong(
                "tls.enabled",
                "is false, so nothing else in kafka.tls has an effect; set it to true",
            );
        }
        match (&tls.certificate_file, &tls.key_file) {
            (Some(_), None) => return wrong("tls.key_file", "is missing; the certificate needs its key"),
            (None, Some(_)) => {
                return wrong(
                    "tls.certificate_file",
                    "is missing; the key needs its certificate",
                );
            }
            _ => {}
        }
        for (field, file) in [
            ("tls.ca_file", &tls.ca_file),
            ("tls.certificate_file", &tls.certificate_file),
            ("tls.key_file", &tls.key_file),
            ("sasl.token_file", &sasl.token_file),
        ] {
            let Some(file) = file else { continue };
            match std::fs::read_to_string(file) {
                Err(e) => return wrong(field, &format!("{file}: {e}")),
                Ok(text) if field.starts_with("tls.") && !text.contains("-----BEGIN ") => {
                    let make = "openssl pkcs12 -in store.p12 -nodes turns a PKCS#12 store into one";
                    return wrong(field, &format!("{file} is not a PEM file; {make}"));
                }
                Ok(_) => {}
            }
        }
        let Some(mechanism) = sasl.mechanism else {
            if *sasl != Sasl::default() {
                let what = "is missing; choose one of plain, scram_sha256, scram_sha512, oauthbearer";
                return wrong("sasl.mechanism", what);
            }
            return Ok(());
        };
        if !tls.enabled && !sasl.in_the_clear {
            return wrong(
                "sasl.in_the_clear",
                "is false, and without kafka.tls.enabled the connection is not encrypted; enable TLS, or set it to true",
            );
        }
        match mechanism {
            Mechanism::Oauthbearer if sasl.token_file.is_none() => wrong(
                "sasl.token_file",
                "is missing; oauthbearer needs a file with a token",
            ),
            Mechanism::Oauthbearer => Ok(()),
            _ if sasl.username.as_deref().unwrap_or_default().is_empty() => {
                wrong("sasl.username", "is missing; a password needs a name")
            }
            _ if sasl.password.as_deref().unwrap_or_default().is_empty() => wrong(
                "sasl.password_file",
                "is missing or empty; the mechanism needs a password",
            ),
            _ => Ok(()),
        }
    }

    /// What the client library is given.
    pub(crate) fn client(&self) -> BTreeMap<String, String> {
        let mut given = self.properties.clone();
        let mut set = |name: &str, value: &str| drop(given.insert(name.to_owned(), value.to_owned()));
        set("bootstrap.servers", &self.brokers);
        if !self.by_fields() {
            return given;
        }
        let protocol = match (self.tls.enabled, self.sasl.mechanism.is_some()) {
            (false, false) => "plaintext",
            (true, false) => "ssl",
            (false, true) => "sasl_plaintext",
            (true, true) => "sasl_ssl",
        };
        set("security.protocol", protocol);
        if self.tls.enabled {
            let algorithm = if self.tls.verify_host { "https" } else { "none" };
            set("ssl.endpoint.identification.algorithm", algorithm);
        }
        let mechanism = self.sasl.mechanism.map(|mechanism| match mechanism {
            Mechanism::Plain => "PLAIN",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha512 => "SCRAM-SHA-512",
            Mechanism::Oauthbearer => "OAUTHBEARER",
        });
        for (name, value) in [
            ("ssl.ca.location", self.tls.ca_file.as_deref()),
            ("ssl.certificate.location", self.tls.certificate_file.as_deref()),
            ("ssl.key.location", self.tls.key_file.as_deref()),
            ("ssl.key.password", self.tls.key_password.as_deref()),
            ("sasl.mechanism", mechanism),
            ("sasl.username", self.sasl.username.as_deref()),
            ("sasl.password", self.sasl.password.as_deref()),
        ] {
            if let Some(value) = value {
                set(name, value);
            }
        }
        given
    }
}

/// `host:port`, also `[::1]:9092`.
fn is_address(text: &str) -> bool {
    text.rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// Name, and why it is refused.
const OWNED: &[(&str, &str)] = &[
    ("bootstrap.servers", "set kafka.brokers instead"),
    ("metadata.broker.list", "set kafka.brokers instead"),
    (
        "enable.auto.commit",
        "positions are committed with the outputs, in one transaction",
    ),
    (
        "auto.commit.interval.ms",
        "positions are committed with the outputs, in one transaction",
    ),
    (
        "enable.auto.offset.store",
        "positions are committed with the outputs, in one transaction",
    ),
    ("isolation.level", "only committed records may be read"),
    ("enable.idempotence", "exactly-once rests on it"),
    (
        "transactional.id",
        "it fences a worker that was replaced; it follows from pipeline.instance",
    ),
    ("transaction.timeout.ms", "the commit rests on its value"),
    (
        "acks",
        "exactly-once needs acknowledgement by all in-sync replicas",
    ),
    (
        "request.required.acks",
        "exactly-once needs acknowledgement by all in-sync replicas",
    ),
    ("max.in.flight", "order within a partition rests on it"),
    (
        "max.in.flight.requests.per.connection",
        "order within a partition rests on it",
    ),
    ("group.id", "it follows from topics.prefix"),
    ("group.instance.id", "set pipeline.instance instead"),
    ("group.protocol", "static members need the classic protocol"),
    (
        "partition.assignment.strategy",
        "all workers of a group must agree on it",
    ),
    (
        "auto.offset.reset",
        "a worker decides by itself where to begin, and says so",
    ),
    ("partitioner", "the partition of a record is chosen explicitly"),
    (
        "statistics.interval.ms",
        "the statistics tell which of several topics are read to their end",
    ),
    ("plugin.*", "code is not loaded by configuration"),
];

/// Why this property is refused, or `None` when it is passed on.
pub(super) fn refusal(name: &str) -> Option<String> {
    let name = name.strip_suffix("_file").unwrap_or(name);
    let name = name.to_ascii_lowercase();
    let is_of = |owned: &str| match owned.strip_suffix('*') {
        Some(family) => name.starts_with(family),
        None => name == owned,
    };
    let (_, why) = OWNED.iter().find(|(owned, _)| is_of(owned))?;
    Some(format!("is not to be set: {why}"))
}

/// The table, for the reference.
pub(super) fn owned() -> &'static [(&'static str, &'static str)] {
    OWNED
}
