//! What cannot be placed with some certainty is not placed: it begins an incident of its own that says where else it could
//! belong. A wrong merge can hide an outage, a wrong split costs a page.

use model::{EvidenceKind, RunnerUp};

use crate::{
    engine::Engine,
    fold::Fold,
    grouping::{
        pending::{Kind, Pending},
        verdict::{Placement, Verdict},
    },
};

impl Engine {
    /// Says how sure a verdict is, and gives another one where that is not sure enough.
    pub(crate) fn abstain(&self, p: &Pending, verdict: Verdict, fold: &Fold<'_>) -> Verdict {
        if verdict.because.iter().any(|why| why.kind == EvidenceKind::Actor) {
            return verdict; // What somebody said holds before anything is weighed.
        }
        let verdict = self.undecided(p, verdict, fold);
        self.doubt(p, self.weigh(p, verdict, fold), fold)
    }

    /// A new symptom that could as well belong to either of two incidents belongs to neither for sure: it opens one of its
    /// own that names both.
    pub(crate) fn undecided(&self, p: &Pending, verdict: Verdict, fold: &Fold<'_>) -> Verdict {
        let Placement::Join { incident, .. } = verdict.place else {
            return verdict;
        };
        let Some(next) = verdict
            .runner_up
            .clone()
            .filter(|_| p.fresh && p.kind == Kind::New)
        else {
            return verdict;
        };
        let margin = verdict.probability - next.probability;
        if margin >= fold.settings.grouping.abstain_margin {
            return verdict;
        }
        let best = RunnerUp {
            incident_id: incident,
            probability: verdict.probability,
            margin,
        };
        let text = format!(
            "{incident} ({:.0} %) and {} ({:.0} %) are too close to tell",
            100.0 * best.probability,
            next.incident_id,
            100.0 * next.probability
        );
        Verdict {
            related: vec![best, next.clone()],
            runner_up: Some(next),
            ..Verdict::new(
                Placement::Open { beside: false },
                1.0 - verdict.probability,
                EvidenceKind::Margin,
                margin,
                text,
            )
        }
    }

    /// An alert that would join an incident it hardly belongs to begins one of its own, which names the other as its next
    /// best. Not where nothing but hosts is known: there a single alert opens nothing.
    pub(crate) fn doubt(&self, p: &Pending, verdict: Verdict, fold: &Fold<'_>) -> Verdict {
        let Placement::Join {
            incident,
            passive: false,
        } = verdict.place
        else {
            return verdict;
        };
        let likely = verdict.probability;
        let known = self
            .alerts
            .get(&p.alert)
            .is_none_or(|alert| alert.showed_in(incident));
        if likely >= fold.settings.grouping.join_min || known || !p.fresh || self.bare(p.alert) {
            return verdict;
        }
        let text = format!("only {:.0} % likely to belong to {incident}", 100.0 * likely);
        let place = Placement::Open { beside: false };
        let mut own = Verdict::new(place, 1.0 - likely, EvidenceKind::Doubt, likely, text);
        own.grounds = self.grounds(p, &own);
        let other = RunnerUp {
            incident_id: incident,
            probability: likely,
            margin: 1.0 - 2.0 * likely,
        };
        own.related = vec![other.clone()];
        own.runner_up = Some(other);
        own
    }
}
