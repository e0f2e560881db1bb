//! Where hardly anything ever begins, what begins together belongs together, though nothing says so.
//!
//! A name that no topology knows, and of which its sender says nothing, is a system of its own. Time joins within a system
//! only, for in a busy domain something always begins somewhere. How busy a domain is can be counted: two that begin within the
//! settlement are one where chance would bring that about only seldom. Each time anew; nobody is kin of anybody by it.

use model::{EvidenceKind, IncidentId, Time};

use crate::{
    engine::Engine,
    fold::Fold,
    grouping::{
        behind::USUAL_DECAY_S,
        pending::Pending,
        verdict::{Placement, Verdict},
    },
    state::{alert::Alert, incident::State},
};

/// How quiet a domain is, is not known before it was watched for so long.
const WATCHED_MIN_S: f64 = 3600.0;
/// The chance up to which two that begin together are taken for one.
const CHANCE_MAX: f64 = 0.1;
/// Clocks of tools differ by so much.
const LEAST_GAP_S: f64 = 1.0;
/// Incidents that began last, among which company is looked for.
pub(crate) const BEGUN_MAX: usize = 16;

impl Engine {
    /// It joins what burns elsewhere, if hardly anything ever does.
    pub(crate) fn judge_quiet(&self, p: &Pending, alert: &Alert, fold: &Fold<'_>) -> Option<Verdict> {
        if !p.fresh || alert.spot.entity.is_empty() {
            return None;
        }
        let strange = !alert.spot.known && alert.spot.is_alone();
        let rate = self.begin_rate(p.t)?;
        let together_s = fold.settings.grouping.settle_s;
        let mut best: Option<(f64, IncidentId)> = None;
        for (_, id) in &self.meta.begun {
            let id = self.follow(*id);
            let Some(state) = self.incidents.get(&id) else {
                continue;
            };
            let gap_s = libm::fabs(p.t.since(state.newest()).as_secs_f64()).max(LEAST_GAP_S);
            let joins = (strange || is_strange(state))
                && state.is_open()
                && !state.background
                && gap_s < together_s
                && rate * gap_s <= CHANCE_MAX
                && self.kept_apart(id, state, alert, fold).is_none();
            if joins && best.is_none_or(|(gap, _)| gap_s < gap) {
                best = Some((gap_s, id));
            }
        }
        let (gap_s, incident) = best?;
        let text = format!(
            "{gap_s:.0} s after its last alert, where an incident begins every {:.0} s",
            1.0 / rate
        );
        let place = Placement::Across(incident);
        Some(Verdict::new(
            place,
            1.0 - rate * gap_s,
            EvidenceKind::Time,
            gap_s,
            text,
        ))
    }

    /// Incidents that begin in the domain each second, by those of late and one more; `None` while too little was seen of it.
    fn begin_rate(&self, t: Time) -> Option<f64> {
        let watched_s = t.since(self.meta.since?).as_secs_f64();
        let seen_s = USUAL_DECAY_S * (1.0 - libm::exp(-watched_s / USUAL_DECAY_S));
        (watched_s >= WATCHED_MIN_S).then(|| (self.meta.begins.left(t, USUAL_DECAY_S) + 1.0) / seen_s)
    }
}

/// Whether nothing is known of anything in an incident.
fn is_strange(state: &State) -> bool {
    state.system.starts_with(crate::state::spot::ALONE)
        && state.places.iter().all(|place| place.node.is_none())
}
