//! Where an alert goes, and why.

use model::{Evidence, EvidenceKind, IncidentId, RunnerUp, Text};

use crate::{Belief, Grounds};

/// Where an alert goes, and why.
pub(crate) struct Verdict {
    pub place: Placement,
    pub because: Vec<Evidence>,
    pub probability: f64,
    pub runner_up: Option<RunnerUp>,
    /// Incidents among which the alert could not be placed: it opens one of its own that names them.
    pub related: Vec<RunnerUp>,
    /// What the probability rests on.
    pub grounds: Grounds,
}

/// Where an alert goes.
pub(crate) enum Placement {
    /// Nowhere: it counts for nothing.
    Muted(Text),
    /// The day's list of what is too little to open an incident.
    Background,
    /// Into a live incident; passively, if it neither extends nor counts for it.
    Join { incident: IncidentId, passive: bool },
    /// Into an open incident of another system, which lives in this one from then on.
    Across(IncidentId),
    /// Into the incident that it opened before, which is over.
    Relapse(IncidentId),
    /// It opens an incident; beside the live ones, if there are any.
    Open { beside: bool },
    /// It opens an incident beside live ones that it has nothing to do with; what comes with it may be of either.
    Apart,
}

impl Verdict {
    pub(crate) fn new(
        place: Placement,
        probability: f64,
        kind: EvidenceKind,
        value: f64,
        text: String,
    ) -> Verdict {
        Verdict {
            place,
            because: vec![Evidence::new(kind, value, text)],
            probability,
            runner_up: None,
            related: Vec::new(),
            grounds: [0.0; Belief::NAMES.len()],
        }
    }
}

/// The name of an entity in a sentence.
pub(crate) fn name(entity: &str) -> &str {
    if entity.is_empty() {
        "an unnamed thing"
    } else {
        entity
    }
}
