//! What a chronic alert may do: nothing of its own. It follows what burns around it, or it is kept out.

use model::{EvidenceKind, IncidentId};
use topology::NodeId;

use crate::{
    engine::Engine,
    fold::Fold,
    grouping::{
        onset::SEVERAL,
        pending::{Look, Pending},
        verdict::{Placement, Verdict},
    },
    lineage::callee,
    noise::{
        answers::answering,
        habit::{COMPANY_S, Chronic},
    },
    settings::secs,
    state::alert::Alert,
};

/// Company beside which a chronic alert is heard after all: more than this many symptoms that are not chronic.
const LIFT: usize = 6;
const LIFT_HIGH: usize = 2;
/// Company beside which a chronic warning follows a live incident when its tool has looked once more.
const SEVERAL_LATER: usize = 3;

impl Engine {
    /// A chronic alert: a passive member where it may be one, else nothing, unless its company lifts it.
    pub(crate) fn judge_chronic(
        &self,
        p: &Pending,
        chronic: Chronic,
        live: &[IncidentId],
        fold: &Fold<'_>,
    ) -> Option<Verdict> {
        let alert = self.waiting(p.alert);
        let habit = &alert.habit;
        let before_s = COMPANY_S + self.interval_s(p.alert);
        let until = self.until(p, fold);
        let company = self.company(p.alert, p.t - secs(before_s), until, p.t, fold);
        let strangers = if p.weight == 0 && self.bare(p.alert) {
            company.strangers
        } else {
            company.all()
        };
        let (habit, who) = match self.answers(alert).filter(|_| chronic == Chronic::Thing) {
            Some(answers) => {
                let kind = answering(alert).unwrap_or(alert.kind);
                (answers, format!("{} by any rule ", kind.as_str()))
            }
            None => (habit, String::new()),
        };
        let share = habit.share();
        let text = format!(
            "{who}came alone {} of {} times; company now: {strangers}",
            habit.alone, habit.episodes
        );
        // By the second look most of what it belongs with has come, so fewer suffice; and then one is enough that blames
        // the very thing that this one blames, too.
        let again = p.look == Look::After;
        let one_thing = self.is_one_thing(p.alert, fold);
        let several = match again {
            _ if one_thing => 1,
            true => SEVERAL_LATER,
            false => SEVERAL,
        };
        let blamed = again && strangers > 0 && alert.firing() && self.blames_the_same(alert, live, fold);
        // An episode is placed once: what was there before the others came was not brought by what brought them.
        let was_there = !p.fresh && alert.incident.is_none();
        let in_company = (strangers >= several || blamed) && !was_there;
        // What is kept out for what other rules said of its thing was hardly ever alone itself.
        let beside = again && strangers > 0 && self.burns_beside(alert, live, fold);
        let by_others = chronic == Chronic::Thing && beside && !was_there;
        // Two habits that never met before and meet while something burns were brought by that, where a topology says that they
        // are near each other. Without one all that comes at that time would do.
        let never_met = p.weight > 0 && alert.spot.node.is_some() && company.new_to && !was_there;
        let may_follow = never_met
            || chronic == Chronic::Elsewhere
            || (p.weight == 2 && (!again || beside))
            || (p.weight == 1 && (in_company || by_others));
        if may_follow && !live.is_empty() {
            let (incident, _, _) = self.best(p, live, fold);
            let place = Placement::Join {
                incident,
                passive: true,
            };
            return Some(Verdict::new(place, 0.5, EvidenceKind::Chronic, share, text));
        }
        let lift = match p.weight {
            _ if one_thing => 0,
            2 => LIFT_HIGH,
            _ => LIFT,
        };
        (strangers <= lift || was_there).then(|| {
            let reason = compact_str::format_compact!("chronic: {text}");
            Verdict::new(Placement::Muted(reason), 0.0, EvidenceKind::Chronic, share, text)
        })
    }

    /// Whether a live incident is at the thing of an alert or a step from it, as far as the topology knows: a fault that
    /// shows a look later spreads to the next thing first.
    fn burns_beside(&self, alert: &Alert, live: &[IncidentId], fold: &Fold<'_>) -> bool {
        let Some(node) = alert.spot.node.map(NodeId) else {
            return true;
        };
        let beside = |place: u32| {
            let place = NodeId(place);
            place == node || fold.graph.neighbours(node).binary_search(&place).is_ok()
        };
        let states = live.iter().filter_map(|id| self.incidents.get(id));
        let mut places = states.flat_map(|state| &state.places);
        places.any(|place| place.node.is_none_or(beside))
    }

    /// Whether an alert of a live incident names the same callee as this one.
    fn blames_the_same(&self, alert: &Alert, live: &[IncidentId], fold: &Fold<'_>) -> bool {
        callee(alert, fold).is_some_and(|callee| {
            let mut states = live.iter().filter_map(|id| self.incidents.get(id));
            states.any(|state| state.callees.contains_key(&callee))
        })
    }
}
