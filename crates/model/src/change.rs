//! The change record (`stormfold.change/1`): complete and ordered per domain.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AlertId, Domain, EngineVersion, Evidence, IncidentId, PageMode, Text, Time};

/// One change of one incident. `seq` rises by one within a domain, `revision` by one within an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Position among the changes of the domain, from 1, without gaps.
    pub seq: u64,
    /// Stream time at which it was decided; for a timer its deadline.
    pub at: Time,
    /// The domain.
    pub domain: Domain,
    /// The incident.
    pub incident_id: IncidentId,
    /// Revision of the incident that this change makes.
    pub revision: u64,
    /// What changed.
    pub change: ChangeKind,
    /// The alert concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_id: Option<AlertId>,
    /// The event that brought it about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub event_id: Option<Text>,
    /// What was: an incident id, a severity, a team, …, in the words of the record field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub from: Option<Text>,
    /// What is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub to: Option<Text>,
    /// Of `page_due` and `page_closed`: whether anybody is really to be woken, or told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<PageMode>,
    /// Who did it.
    pub actor: Actor,
    /// Why.
    pub because: Vec<Evidence>,
    /// A late event changed what had been final.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub amends: bool,
    /// What decided.
    pub engine: EngineVersion,
}

/// Who brought a change about: the engine, or a person or system by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Actor(#[schemars(with = "String")] pub Text);

impl Actor {
    /// The fold itself.
    pub const ENGINE: Actor = Actor(Text::const_new("engine"));
}

/// What can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// An incident begins with an alert.
    Opened,
    /// An alert joins.
    Joined,
    /// An alert leaves, without a new place.
    Left,
    /// An alert moves here from another incident (`from`), or away to one (`to`).
    Moved,
    /// The incident became part of another (`to`), or took one in (`from`).
    Merged,
    /// The incident was parted.
    Split,
    /// Severity rose.
    Escalated,
    /// Severity fell.
    Deescalated,
    /// Somebody took it.
    Acknowledged,
    /// Somebody put it off.
    Snoozed,
    /// It ended.
    Resolved,
    /// It began again.
    Reopened,
    /// The first-ranked cause changed.
    CauseChanged,
    /// The context class changed.
    ClassChanged,
    /// The owner changed.
    OwnerChanged,
    /// Somebody is to be paged.
    PageDue,
    /// A page is no longer needed.
    PageClosed,
    /// An alert was suppressed.
    Suppressed,
    /// An alert is no longer suppressed.
    Released,
    /// An alert began or stopped to flap.
    Flapping,
    /// Storm mode began or ended.
    Storm,
    /// An action is offered.
    ActionSuggested,
    /// An action ended.
    ActionResult,
    /// Something worth saying that changes nothing else.
    Note,
}
