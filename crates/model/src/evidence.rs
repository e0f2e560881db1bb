//! Evidence: why the engine believes something, with the number that decided.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One reason. `value` is the number that was compared, in the unit that the kind names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// What sort of reason.
    pub kind: EvidenceKind,
    /// The number that decided; its unit stands with the kind.
    pub value: f64,
    /// The same in plain words, with the names involved.
    pub text: String,
}

/// The closed list of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceKind {
    /// Nothing related was live; value: alerts so far (1).
    First,
    /// The alert's own episode already runs in the incident; value: seconds since its last event.
    Episode,
    /// Near in time; value: seconds since the incident's last alert.
    Time,
    /// On the same entity; value: 0 hops.
    Entity,
    /// Connected in the topology; value: hops.
    Topology,
    /// A name could mean several things and is taken for none of them; value: how many.
    Ambiguous,
    /// Share an identifying label; value: how many.
    Label,
    /// Alike in their words; value: similarity, 0 to 1.
    Text,
    /// The incident was active around the entity; value: decayed count of alerts.
    Activity,
    /// Two incidents are about as likely; value: how much likelier the first is, 0 to 1.
    Margin,
    /// Another fault began beside a live incident; value: fresh symptoms within the settlement.
    Onset,
    /// Too unlikely to belong to what is live; value: the probability that it does.
    Doubt,
    /// The alert that opened a resolved incident fires again; value: seconds since it was resolved.
    Relapse,
    /// Keeps coming alone; value: share of its episodes that came alone, 0 to 1.
    Chronic,
    /// Too little to open an incident here; value: symptoms seen together.
    Background,
    /// Changes its state too often; value: penalty.
    Flapping,
    /// Usually resolves by itself within the hold; value: probability, 0 to 1.
    Transient,
    /// Matched by a silence; value: seconds left.
    Silence,
    /// Under maintenance; value: seconds left.
    Maintenance,
    /// Explained by another alert; value: hops to it.
    Inhibition,
    /// Fewer than asked for; value: count.
    Threshold,
    /// Severity; value: level from 0 (unknown) to 5 (critical).
    Severity,
    /// Alerts that ended; value: how many.
    Resolved,
    /// Nothing happened for a while; value: seconds.
    Quiet,
    /// Who owns it; value: hops from the cause.
    Ownership,
    /// Share of the incident's evidence that a cause explains; value: 0 to 1.
    Coverage,
    /// Speaks for a probable cause; value: log-likelihood gained.
    Blame,
    /// A change on or near the entity; value: seconds before the first alert.
    Change,
    /// Came later than allowed; value: seconds late.
    Late,
    /// The sender's clock is off; value: seconds.
    Skewed,
    /// A limit was reached; value: the limit.
    Limit,
    /// A person or system said so; value: 1.
    Actor,
    /// How often this was seen before; value: times.
    Rarity,
    /// Said on arrival, before it is settled; value: seconds until it is.
    Provisional,
    /// Pages held while the engine catches up; value: seconds behind.
    CatchUp,
}

impl Evidence {
    /// One reason; a value that is no finite number becomes 0.
    pub fn new(kind: EvidenceKind, value: f64, text: impl Into<String>) -> Evidence {
        Evidence {
            kind,
            value: if value.is_finite() { value } else { 0.0 },
            text: text.into(),
        }
    }
}
