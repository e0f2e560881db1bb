//! The nouns: what goes in, what is believed, what comes out.
//!
//! Every other room speaks in these types, so they hold no behaviour beyond identity and text form. The serialised
//! field names are a contract with consumers; see `docs/records.md`.

mod change;
mod condition;
mod event;
mod evidence;
mod id;
mod identity;
mod incident;
mod input;
mod instant;
mod labels;
mod mask;
mod memo;
mod phrase;
mod recovery;
mod severity;
mod time;
mod topology;
mod weekday;

pub use change::{Actor, Change, ChangeKind};
pub use condition::{condition, state_said, strip_status_prefix};
pub use event::{Event, EventKind, Link, Origin, Status};
pub use evidence::{Evidence, EvidenceKind};
pub use id::{AlertId, AlertIds, Bits128, Domain, DomainTag, Hash128, IdError, IncidentId};
pub use identity::{
    KEY_BYTES_MAX, Keys, Titles, dedup_key, event_id, is_about_the_same, is_derived, template,
};
pub use incident::{
    Cause, CauseKind, Context, ContextClass, Counts, EngineVersion, Incident, IncidentStatus, Membership,
    Owner, Page, PageMode, PageState, RunnerUp, Similar, SuppressedAlert,
};
pub use input::{Input, Progress, TopologyPart};
pub use labels::Labels;
pub use mask::mask;
pub use recovery::ends_by_words;
pub use severity::Severity;
pub use time::{Span, Time, TimeError};
pub use topology::{Edge, Node, Tier, TopologyChange, TopologyDocument};
pub use weekday::weekday;

/// Short text. Up to 24 bytes are stored in place, which is most names, keys and label values.
pub type Text = compact_str::CompactString;
