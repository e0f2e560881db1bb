//! The event: one record from a source, in our words (`stormfold.event/1`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Domain, Labels, Severity, Text, Time};

/// One record from a source.
///
/// What the four times mean stands in `docs/time-order-identity.md`: `ts` orders the states of one key, `starts_at`
/// and `ends_at` bound the condition, `received_at` alone moves stream time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// The sender's id, else the identity hash. Seen again within the lateness it is a redelivery.
    #[schemars(with = "String")]
    pub event_id: Text,
    /// Where it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What it says something about.
    #[serde(default)]
    pub kind: EventKind,
    /// The tool it came from: `alertmanager`, `cloudwatch`, ….
    #[schemars(with = "String")]
    pub source: Text,
    /// Identity of the alert, at most 255 bytes.
    #[schemars(with = "String")]
    pub dedup_key: Text,
    /// Firing, resolved, or neither.
    pub status: Status,
    /// Our level.
    #[serde(default)]
    pub severity: Severity,
    /// The sender's word for the severity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub severity_original: Option<Text>,
    /// One line.
    #[schemars(with = "String")]
    pub title: Text,
    /// The rest, possibly empty.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    #[schemars(with = "String")]
    pub text: Text,
    /// When the sender says this state was observed; `received_at` when it does not say.
    pub ts: Time,
    /// When the sender says the condition began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Time>,
    /// When the sender says the condition ended, or until when its word holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Time>,
    /// When the record entered a log.
    pub received_at: Time,
    /// The service, as the sender names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub service: Option<Text>,
    /// The host, as the sender names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub host: Option<Text>,
    /// Other things it names, by kind: pod, node, namespace, cluster, region, account, zone, caller, callee, ….
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub entities: Labels,
    /// Environment, for the domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub environment: Option<Text>,
    /// Tenant, for the domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub tenant: Option<Text>,
    /// Everything else.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Where to read on; http and https only, never fetched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// What to do about it; a link or a name, never executed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub runbook: Option<Text>,
    /// A time of the sender was impossible and was replaced or cut.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skewed: bool,
}

impl Event {
    /// An alert in this state, observed and received at this time, of which nothing else is known yet: the source, the
    /// identity and the title are empty, the severity is unknown.
    pub fn bare(status: Status, at: Time) -> Event {
        Event {
            event_id: Text::default(),
            origin: None,
            kind: EventKind::Alert,
            source: Text::default(),
            dedup_key: Text::default(),
            status,
            severity: Severity::Unknown,
            severity_original: None,
            title: Text::default(),
            text: Text::default(),
            ts: at,
            starts_at: None,
            ends_at: None,
            received_at: at,
            service: None,
            host: None,
            entities: Labels::new(),
            environment: None,
            tenant: None,
            labels: Labels::new(),
            links: Vec::new(),
            runbook: None,
            skewed: false,
        }
    }
}

/// What an event says something about.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A condition that fires or resolves.
    #[default]
    Alert,
    /// A deploy, a configuration change, a feature flag: a candidate cause.
    Change,
    /// The topology changed.
    Topology,
    /// Somebody took an incident or an alert.
    Ack,
    /// Somebody confirmed or refuted what the engine believed.
    Feedback,
    /// Somebody asked for quiet.
    Silence,
    /// Planned work on an entity.
    Maintenance,
    /// The sender lives.
    Heartbeat,
}

/// What the sender says of the condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It holds.
    Firing,
    /// It ended.
    Resolved,
    /// Neither; for reading.
    Info,
}

/// Where a record came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Origin {
    /// A record of a Kafka (or embedded) topic; `index` counts within the record.
    Log {
        /// Topic.
        #[schemars(with = "String")]
        topic: Text,
        /// Partition.
        partition: u32,
        /// Offset.
        offset: u64,
        /// Position within a record that holds several events, from 0.
        index: u32,
    },
    /// A line of a file; `index` counts within the line.
    File {
        /// Path as given.
        #[schemars(with = "String")]
        file: Text,
        /// Line, from 1.
        line: u64,
        /// Position within a line that holds several events, from 0.
        index: u32,
    },
}

/// Where to read on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    /// An http or https address.
    #[schemars(with = "String")]
    pub href: Text,
    /// Words for it.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    #[schemars(with = "String")]
    pub text: Text,
}

impl Event {
    /// The domain it belongs to.
    pub fn domain(&self) -> Domain {
        Domain::new(self.tenant.as_deref(), self.environment.as_deref())
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let index = match self {
            Origin::Log {
                topic,
                partition,
                offset,
                index,
            } => {
                write!(f, "{topic}[{partition}]@{offset}")?;
                *index
            }
            Origin::File { file, line, index } => {
                write!(f, "{file}:{line}")?;
                *index
            }
        };
        if index > 0 { write!(f, "#{index}") } else { Ok(()) }
    }
}
