//! The numbers of the ranking. Each was chosen for a reason and checked on public labelled incidents; nearly all of
//! them are flat, see `docs/decisions/cause.md`.

use model::Severity;
use topology::NodeKind;

use super::AlertKind;

/// Least probability that a symptom appears whatever the cause. Higher: one strange alert decides less. A symptom that
/// is in a larger share of all incidents of its system appears with that share.
pub(super) const LEAK: f64 = 0.1;
/// The most of it: even what is always there says a little.
pub(super) const LEAK_MAX: f64 = 0.9;
/// Log-odds are divided by this times the root of the incident's weight of evidence: symptoms of one incident are no
/// independent witnesses, so certainty grows with the root of their number.
pub(super) const EVIDENCE_SPREAD: f64 = 0.5;
/// The least that log-odds are divided by: evidence is never made more of than it is.
pub(super) const EVIDENCE_SPREAD_MIN: f64 = 1.0;
/// Largest weight of all symptoms of one kind at one place, in units of one rare critical symptom: the tenth saying of
/// the same is no tenth witness.
pub(super) const GROUP_WEIGHT_MAX: f64 = 3.0;
/// The most that all symptoms of one kind that runs along calls say together for a candidate, in nats: about what those of
/// one place can say at most, 3 ln 9. Flat from 4 to 8.
pub(super) const WAVE_MAX: f64 = 6.0;
/// Log-odds for a candidate per unit of weight of its own internal symptoms.
pub(super) const OWN: f64 = 1.0;
/// Log-odds against a candidate that raises no alert of its own, or only such as are there in every incident.
pub(super) const SILENT: f64 = 0.6;
/// Share of [`SILENT`] that is left when an alert names it as an end of a call, or it was changed.
pub(super) const SILENT_NAMED: f64 = 0.25;
/// Log-odds per nat of a candidate's usual presence among the suspects. A quarter: how rare its symptoms are has said most
/// of it already, and who is often suspected may often be the cause. From .1 to .3 no stream's first-ranked causes change
/// by more than one incident.
pub(super) const USUAL: f64 = 0.25;
/// Per further hop, a fault shows with this factor.
pub(super) const HOP: f64 = 0.8;
/// Hops down from a place of a symptom at which a candidate may be.
pub(super) const CANDIDATE_HOPS_DOWN: u32 = 2;
/// Hops up from a place of a symptom at which a candidate may be.
pub(super) const CANDIDATE_HOPS_UP: u32 = 1;
/// Hops over which a candidate may explain a symptom.
pub(super) const EXPLAIN_HOPS: u32 = 4;
/// Things looked at around one place in one direction.
pub(super) const RING_MAX: usize = 64;
/// Candidates that are ranked; those that explain most are kept.
pub(super) const CANDIDATES_MAX: usize = 128;
/// Alerts of an incident that are looked at, evenly drawn.
pub(super) const ALERTS_MAX: usize = 1024;
/// Distinct symptoms that are looked at.
pub(super) const SYMPTOMS_MAX: usize = 256;
/// Who was named as the cause stays so while nobody is more probable by more than this share: so little tells no two
/// apart, and each change of the cause may page another team.
pub(super) const EQUAL: f64 = 0.05;
/// Odds that an incident holds another fault as well: one in twenty does. Flat from .03 to .1.
pub(super) const SECOND: f64 = 0.05;
/// Causes given with their reasons.
pub(super) const RANKED_MAX: usize = 10;
/// Log-odds for an entity that was changed right before the first symptom; odds of four to one, since most outages
/// follow a change and most changes break nothing.
pub(super) const CHANGE: f64 = 1.4;
/// Seconds in which that is halved.
pub(super) const CHANGE_HALF_LIFE_S: f64 = 1800.0;
/// A change longer ago than this explains nothing, in seconds.
pub(super) const CHANGE_MAX_S: f64 = 4.0 * 3600.0;
/// A change may be stamped this much after the first symptom, in seconds: clocks differ, and a deploy is reported when
/// it ends.
pub(super) const CHANGE_AFTER_S: f64 = 60.0;
/// Of the probability of a changed entity, what a change right before the first symptom takes as its own.
pub(super) const CHANGE_SHARE: f64 = 0.9;

/// How much a symptom of this severity says. An unknown severity says as much as a warning.
pub(super) fn severity_weight(severity: Severity) -> f64 {
    match severity {
        Severity::Critical | Severity::Error => 1.0,
        Severity::Warning | Severity::Unknown => 0.6,
        Severity::Notice | Severity::Info => 0.4,
    }
}

/// Log-odds of a thing of this kind to be the root. Moderate on purpose: it breaks ties.
pub(super) fn kind_prior(kind: NodeKind) -> f64 {
    match kind {
        NodeKind::Client | NodeKind::Host | NodeKind::Coordination => -1.0,
        NodeKind::External => -0.5,
        NodeKind::Queue => -0.3,
        NodeKind::Database | NodeKind::Cache => -0.2,
        NodeKind::Service | NodeKind::Instance | NodeKind::Gateway | NodeKind::Lambda | NodeKind::Other => {
            0.0
        }
    }
}

/// Probability of a symptom of this kind at the root itself.
pub(super) fn at_itself(kind: AlertKind) -> f64 {
    match kind {
        AlertKind::State => 0.95,
        AlertKind::Absent | AlertKind::Log | AlertKind::Change | AlertKind::Resource => 0.9,
        AlertKind::Latency => 0.6,
        AlertKind::Error => 0.5,
        AlertKind::Other => 0.7,
        AlertKind::LogDownstream | AlertKind::Asking | AlertKind::Traffic => 0.3,
        AlertKind::ResourceLow => 0.2,
    }
}

/// Probability of a symptom of this kind one hop above the root, at what depends on it.
pub(super) fn above(kind: AlertKind) -> f64 {
    match kind {
        AlertKind::Latency | AlertKind::Asking | AlertKind::Error => 0.8,
        AlertKind::Other => 0.5,
        AlertKind::LogDownstream => 0.6,
        AlertKind::Absent => 0.3,
        AlertKind::Traffic | AlertKind::ResourceLow => 0.2,
        AlertKind::State | AlertKind::Log | AlertKind::Change | AlertKind::Resource => 0.05,
    }
}

/// Probability that a thing is brought down by what it needs where so many others that need it are, in the same words.
pub(super) const STARVED: f64 = 0.6;
pub(super) const STARVED_MIN: usize = 3;

/// Probability of a symptom of this kind one hop below the root, at what it depends on.
pub(super) fn below(kind: AlertKind) -> f64 {
    match kind {
        AlertKind::Traffic | AlertKind::ResourceLow => 0.6,
        AlertKind::State | AlertKind::Absent | AlertKind::Log | AlertKind::Change | AlertKind::Resource => {
            0.1
        }
        AlertKind::Latency
        | AlertKind::Asking
        | AlertKind::Error
        | AlertKind::LogDownstream
        | AlertKind::Other => 0.05,
    }
}

/// Probability of a symptom of this kind at something that runs on the root.
pub(super) fn on_host(kind: AlertKind) -> f64 {
    match kind {
        AlertKind::State | AlertKind::Absent => 0.8,
        k if k.is_internal() => 0.3,
        _ => 0.2,
    }
}

/// Probability of a backlog in a queue on which the root depends: a root that takes from it leaves one, one that fills it
/// does not, and the topology does not tell the two apart.
pub(super) const TAKER: f64 = 0.4;

/// Probability of trouble on a call whose callee is the root.
pub(super) const CALLEE: f64 = 0.9;
/// Probability of trouble on a call whose caller is the root.
pub(super) const CALLER: f64 = 0.15;
/// Probability that a host that is the root harms a thing that runs on it alone, where nothing is seen to be down there.
pub(super) const HOST_STRAINS: f64 = 0.25;
/// The same where the host or something on it is down.
pub(super) const HOST_BREAKS: f64 = 0.9;
