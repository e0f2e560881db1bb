//! The incident record (`stormfold.incident/1`): the present truth about one incident.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AlertId, Domain, Evidence, IncidentId, Severity, Status, Text, Time};

/// The present truth about one incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Incident {
    /// Identity.
    pub incident_id: IncidentId,
    /// Rises with every change; a consumer drops what is not greater than the last it saw.
    pub revision: u64,
    /// Where it stands.
    pub status: IncidentStatus,
    /// Words that qualify the status: `flapping`, `storm`, `late`, `reopened`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<String>")]
    pub flags: Vec<Text>,
    /// The worst severity of its firing alerts; of all of them once it is resolved.
    pub severity: Severity,
    /// One line; stable unless the probable cause changes.
    pub title: String,
    /// What, where, since when, why, in plain words.
    pub summary: String,
    /// When it was opened, in stream time.
    pub opened_at: Time,
    /// When it last changed, in stream time.
    pub updated_at: Time,
    /// When it was resolved or became part of another, in stream time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Time>,
    /// `ts` of its earliest event.
    pub first_event_at: Time,
    /// `ts` of its latest event.
    pub last_event_at: Time,
    /// How much there is, also when `alerts` is cut.
    pub counts: Counts,
    /// Services affected, by name, sorted.
    #[schemars(with = "Vec<String>")]
    pub services: Vec<Text>,
    /// Entities affected, as resolved, sorted.
    #[schemars(with = "Vec<String>")]
    pub entities: Vec<Text>,
    /// The domain.
    pub domain: Domain,
    /// One service, a cascade, a systemic failure, a third party's.
    pub context: Context,
    /// Probable causes, best first.
    pub causes: Vec<Cause>,
    /// Whom to page.
    pub owner: Owner,
    /// Teams to tell, not to wake; sorted.
    #[schemars(with = "Vec<String>")]
    pub also_notify: Vec<Text>,
    /// What is owed to the owner.
    pub page: Page,
    /// Representatives of its alerts.
    pub alerts: Vec<Membership>,
    /// `alerts` does not hold all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alerts_truncated: bool,
    /// Alerts that would be here but for a suppression; bounded, counted in full.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressed: Vec<SuppressedAlert>,
    /// Changes (deploys, configuration) near its entities before it began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Cause>,
    /// Past incidents that look like it, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub similar: Vec<Similar>,
    /// `never_seen`, `rare` or `frequent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub rarity: Option<Text>,
    /// Where to read on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<crate::Link>,
    /// The incident that this one became part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<IncidentId>,
    /// Incidents that became part of this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged_from: Vec<IncidentId>,
    /// The incident that this one was parted from, or succeeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split_from: Option<IncidentId>,
    /// Incidents that its first alert could as well have joined, with how likely that was; the alert was not placed
    /// because they were too close to tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<RunnerUp>,
    /// Why it exists.
    pub because: Vec<Evidence>,
    /// What decided.
    pub engine: EngineVersion,
}

fn is_none(count: &u64) -> bool {
    *count == 0
}

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IncidentStatus {
    /// Nobody has it yet.
    Open,
    /// Somebody has it.
    Acknowledged,
    /// Somebody put it off.
    Snoozed,
    /// Over.
    Resolved,
    /// Part of another.
    Merged,
}

/// How much there is in an incident. Redeliveries are in none of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// Alerts.
    pub alerts: u64,
    /// Alerts that fire.
    pub firing: u64,
    /// Alerts that went silent without a recovery.
    #[serde(default, skip_serializing_if = "is_none")]
    pub stale: u64,
    /// Alerts that ended.
    pub resolved: u64,
    /// Events, repeats included.
    pub events: u64,
    /// Suppressed alerts that would be here.
    pub suppressed: u64,
}

/// What kind of incident it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Context {
    /// The class.
    pub class: ContextClass,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// Why.
    pub because: Vec<Evidence>,
}

/// The context classes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ContextClass {
    /// One service.
    Isolated,
    /// Spreads along dependencies from one root.
    Cascading,
    /// Many things share a broken ground: node, zone, version, certificate, DNS.
    Systemic,
    /// Somebody else's failure.
    ThirdParty,
    /// Not clear, and says so.
    #[default]
    Unclear,
}

/// A probable cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    /// Id of a topology node, name of an unknown entity, or event id of a change.
    #[schemars(with = "String")]
    pub entity: Text,
    /// What sort of thing.
    pub kind: CauseKind,
    /// Probability among the candidates, 0 to 1.
    pub score: f64,
    /// From 1.
    pub rank: u32,
    /// Why.
    pub because: Vec<Evidence>,
}

/// What sort of thing a cause is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// An entity that alerts.
    Alerting,
    /// An entity that raises no alert of its own.
    Silent,
    /// A change event.
    Change,
}

/// Whom to page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Owner {
    /// The team; the default route where nobody owns it.
    #[schemars(with = "String")]
    pub team: Text,
    /// The entity whose owner that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub entity: Option<Text>,
    /// Why.
    pub because: Vec<Evidence>,
}

/// What is owed to the owner; cumulative, so the latest record says it all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Page {
    /// Where the page stands.
    pub state: PageState,
    /// Whether anybody is really woken.
    pub mode: PageMode,
    /// Rises with each `page_due`; 0 while there was none.
    pub seq: u32,
    /// When the first page was due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_due_at: Option<Time>,
    /// Why, in plain words.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    #[schemars(with = "String")]
    pub reason: Text,
}

impl Page {
    /// Nothing is owed yet.
    pub fn none(mode: PageMode) -> Page {
        Page {
            state: PageState::None,
            mode,
            seq: 0,
            first_due_at: None,
            reason: Text::default(),
        }
    }
}

/// Where a page stands.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum PageState {
    /// Nothing is owed.
    #[default]
    None,
    /// Would be due, but is held back for a reason.
    Held,
    /// The owner is to be paged.
    Due,
    /// It was due and is over.
    Closed,
}

/// Whether anybody is really woken.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum PageMode {
    /// Decisions are made and recorded; nobody is to be woken.
    #[default]
    Observe,
    /// Page for real.
    Live,
}

/// One alert in an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Membership {
    /// Identity of the alert.
    pub alert_id: AlertId,
    /// Its dedup key.
    #[schemars(with = "String")]
    pub dedup_key: Text,
    /// Its title.
    #[schemars(with = "String")]
    pub title: Text,
    /// Its text, where repeats are merged in it.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    #[schemars(with = "String")]
    pub text: Text,
    /// Those of its labels in which repeats are merged.
    #[serde(default, skip_serializing_if = "crate::Labels::is_empty")]
    pub labels: crate::Labels,
    /// Its service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub service: Option<Text>,
    /// Its host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub host: Option<Text>,
    /// Its severity.
    pub severity: Severity,
    /// Firing or resolved.
    pub status: Status,
    /// It fired last, but its sender, who used to repeat it, has gone silent of it. Not a recovery.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stale: bool,
    /// How often its like came in the last weeks: `never_seen`, `rare` (at most once a week) or `frequent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub rarity: Option<Text>,
    /// Share of the earlier times, 0 to 1, that came in this hour of the week or one beside it, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub season: Option<f64>,
    /// `ts` of its first event here.
    pub first_at: Time,
    /// `ts` of its last event here.
    pub last_at: Time,
    /// Events here.
    pub count: u64,
    /// Events a minute from the first to the last; absent where there is one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Stream time at which it joined.
    pub joined_at: Time,
    /// The alert it hangs on most: the nearest earlier member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<AlertId>,
    /// Probability that it belongs here, 0 to 1.
    pub probability: f64,
    /// Why it is here.
    pub because: Vec<Evidence>,
    /// The next best incident, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_up: Option<RunnerUp>,
}

/// Another incident that an alert could have joined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunnerUp {
    /// The incident.
    pub incident_id: IncidentId,
    /// Probability that it belongs there, 0 to 1.
    pub probability: f64,
    /// How much surer the incident is that it is in, 0 to 1.
    #[serde(default)]
    pub margin: f64,
}

/// An alert kept from counting, and what keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuppressedAlert {
    /// The alert.
    pub alert_id: AlertId,
    /// Its dedup key.
    #[serde(default)]
    #[schemars(with = "String")]
    pub dedup_key: Text,
    /// Its title.
    #[serde(default)]
    #[schemars(with = "String")]
    pub title: Text,
    /// Its severity.
    #[serde(default)]
    pub severity: Severity,
    /// What keeps it: a silence, a maintenance window, an inhibiting alert, a habit.
    #[schemars(with = "String")]
    pub by: Text,
    /// Since when, in stream time.
    pub since: Time,
    /// Until when, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// In plain words.
    pub reason: String,
}

/// A past incident that looks like this one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Similar {
    /// The past incident.
    pub incident_id: IncidentId,
    /// Weighted Jaccard similarity of what happened, 0 to 1.
    pub similarity: f64,
    /// When it was opened.
    pub opened_at: Time,
    /// Its first-ranked or confirmed cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub cause: Option<Text>,
}

/// What decided: versions of the fold and of what steers it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EngineVersion {
    /// Version of the fold.
    pub version: u32,
    /// Version of the rules; 0 means the defaults.
    pub rules: u32,
    /// Version of the weights; 0 means the shipped ones.
    pub weights: u32,
    /// Short hash of the topology in force; empty means none.
    #[schemars(with = "String")]
    pub topology: Text,
}
