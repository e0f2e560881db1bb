//! How sure a membership is: one probability, from what is known when an alert settles.
//!
//! The log-odds are a weighted sum of *grounds*, none of them negative, so each weight says in which direction its ground
//! pulls and the probability is monotone in every one of them. The weights are fitted offline by logistic regression
//! and scaled after Platt (`stormfold fit`); here they are only applied. How they were found and how well they hold
//! on streams they were not fitted to stands in `docs/decisions/calibration.md`.

use model::{EvidenceKind, IncidentId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    engine::Engine,
    fold::Fold,
    grouping::{
        pending::Pending,
        verdict::{Placement, Verdict},
    },
    state::alert::Alert,
};

/// What speaks for and against a membership, in the order of [`Belief::NAMES`].
pub type Grounds = [f64; Belief::NAMES.len()];

/// The one list of grounds, each with its shipped weight.
macro_rules! grounds {
    ($($(#[$doc:meta])* $name:ident = $weight:expr;)*) => {
        /// Weights of the grounds of a membership, in log-odds, and what follows from the probability.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct Belief {
            $($(#[$doc])* pub $name: f64,)*
        }

        impl Default for Belief {
            /// What `stormfold fit` gives on its simulated worlds; what stands in the background is believed by 5 %, for that list is
            /// of what nobody relates to anything.
            fn default() -> Self {
                Belief { $($name: $weight,)* }
            }
        }

        impl Belief {
            /// Names of the grounds. The first seven say how the alert was placed: one of them is 1, the others are 0.
            pub const NAMES: [&'static str; [$(stringify!($name)),*].len()] = [$(stringify!($name)),*];

            /// The weights in the order of the names.
            pub fn weights(&self) -> Grounds {
                [$(self.$name),*]
            }

            /// Weights in the order of the names.
            pub fn of(weights: &Grounds) -> Belief {
                let [$($name),*] = *weights;
                Belief { $($name),* }
            }
        }
    };
}

grounds! {
    /// It opens an incident where nothing is live.
    opens = 4.39;
    /// It opens one beside those that are live.
    beside = 2.03;
    /// It joins a live incident.
    joins = 1.21;
    /// It is chronic and follows a live incident.
    follows = 4.92;
    /// It returns to the incident that it opened or was in.
    returns = 0.52;
    /// It is listed in the day's background.
    background = -3.0;
    /// Its episode runs in the incident already.
    runs = 2.13;
    /// For each e-fold of the times that it came alone, plus one.
    habit = -1.35;
    /// For the incidents of the domain so far, as a share of the times that an alert began: where many come alone, one more does.
    lone = -1.44;
    /// When it joins: nothing but hosts is known there.
    bare = -6.74;
    /// When it joins: for each step in the topology from the nearest member, at most four.
    hops = -0.13;
    /// When it joins: for the share of the next best incident in the activity around it.
    rival = -0.45;
    /// When it joins: for each e-fold of the incident's activity around it (30 alerts at most), in hundredths of an alert, plus one.
    activity = 0.51;
    /// When it joins: for each e-fold of the incident's age in minutes, plus one.
    age = -0.67;
    /// When it joins: it was in the incident before.
    known = 1.03;
}

/// Steps in the topology that are told apart.
const HOPS_MAX: f64 = 4.0;
/// Activity that is told apart, in alerts: dozens at once say no more than a dozen.
const ACTIVITY_MAX: f64 = 30.0;
/// A domain that was not seen before is taken to have had an incident of five alerts.
const ALERTS_ASSUMED: u64 = 5;

impl Belief {
    /// The log-odds that a membership is right.
    pub fn log_odds(&self, grounds: &Grounds) -> f64 {
        self.weights().iter().zip(grounds).map(|(w, g)| w * g).sum()
    }

    /// The probability that a membership is right, from .01 to .99: nobody is surer than that on such grounds.
    pub fn probability(&self, grounds: &Grounds) -> f64 {
        let odds = libm::exp(-self.log_odds(grounds));
        (1.0 / (1.0 + odds)).clamp(0.01, 0.99)
    }
}

impl Engine {
    /// Says how sure a verdict is, and how much surer than the next best.
    pub(crate) fn weigh(&self, p: &Pending, mut verdict: Verdict, fold: &Fold<'_>) -> Verdict {
        verdict.grounds = self.grounds(p, &verdict);
        if matches!(verdict.place, Placement::Muted(_)) {
            return verdict;
        }
        // Of the activity around the alert that is not the chosen incident's, the share of the next best.
        let rest = 1.0 - verdict.probability;
        verdict.probability = fold.settings.belief.probability(&verdict.grounds);
        if let Some(other) = &mut verdict.runner_up {
            let share = if rest > 0.0 {
                (other.probability / rest).min(1.0)
            } else {
                0.0
            };
            other.probability = ((1.0 - verdict.probability) * share).min(verdict.probability);
            other.margin = verdict.probability - other.probability;
        }
        verdict
    }

    /// What speaks for and against a placement.
    pub(crate) fn grounds(&self, p: &Pending, verdict: &Verdict) -> Grounds {
        let mut grounds = Belief::of(&[0.0; Belief::NAMES.len()]);
        let Some(alert) = self.alerts.get(&p.alert) else {
            return grounds.weights();
        };
        let joined = match &verdict.place {
            Placement::Muted(_) => None,
            Placement::Background => {
                grounds.background = 1.0;
                None
            }
            Placement::Apart => {
                grounds.beside = 1.0;
                None
            }
            Placement::Open { beside } => {
                *if *beside {
                    &mut grounds.beside
                } else {
                    &mut grounds.opens
                } = 1.0;
                None
            }
            Placement::Relapse(_) => {
                grounds.returns = 1.0;
                None
            }
            Placement::Join { .. } if verdict.because.iter().any(|e| e.kind == EvidenceKind::Episode) => {
                grounds.runs = 1.0;
                None
            }
            Placement::Join { incident, passive } => {
                *if *passive {
                    &mut grounds.follows
                } else {
                    &mut grounds.joins
                } = 1.0;
                Some(*incident)
            }
            Placement::Across(incident) => {
                grounds.joins = 1.0;
                Some(*incident)
            }
        };
        grounds.habit = e_folds(f64::from(alert.habit.alone));
        let books = &self.meta.books;
        let alerts = books.new + self.meta.anew;
        grounds.lone = (books.incidents + 1) as f64 / (alerts + ALERTS_ASSUMED) as f64;
        if let Some(incident) = joined {
            self.grounds_of_joining(p, incident, alert, verdict, &mut grounds);
        }
        grounds.weights()
    }

    fn grounds_of_joining(
        &self,
        p: &Pending,
        incident: IncidentId,
        alert: &Alert,
        verdict: &Verdict,
        grounds: &mut Belief,
    ) {
        let Some(state) = self.incidents.get(&incident) else {
            return;
        };
        let value = |kind| {
            let evidence = verdict.because.iter().find(|e| e.kind == kind);
            evidence.map_or(0.0, |e| e.value)
        };
        grounds.bare = f64::from(u8::from(self.bare(p.alert)));
        grounds.hops = value(EvidenceKind::Topology).min(HOPS_MAX);
        grounds.activity = e_folds(100.0 * value(EvidenceKind::Activity).min(ACTIVITY_MAX));
        grounds.age = e_folds(p.t.since(state.begun).as_secs_f64() / 60.0);
        grounds.known = f64::from(u8::from(alert.showed_in(incident)));
        if let Some(other) = &verdict.runner_up {
            grounds.rival = other.probability / (other.probability + verdict.probability);
        }
    }
}

/// ln(1 + n), and 0 for what is negative.
fn e_folds(n: f64) -> f64 {
    libm::log(1.0 + n.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_and_names_are_in_one_order() {
        let mut weights = [0.0; Belief::NAMES.len()];
        for (i, weight) in weights.iter_mut().enumerate() {
            *weight = i as f64;
        }
        let belief = Belief::of(&weights);
        assert_eq!(belief.weights(), weights);
        let fields = serde_json::to_value(&belief).unwrap();
        for (i, name) in Belief::NAMES.iter().enumerate() {
            assert_eq!(fields[name], i as f64, "{name}");
        }
    }

    #[test]
    fn a_probability_goes_one_way_with_every_ground() {
        let belief = Belief::default();
        for (i, weight) in belief.weights().into_iter().enumerate() {
            let mut before = None;
            for step in 0..5 {
                let mut grounds = [0.0; Belief::NAMES.len()];
                grounds[i] = f64::from(step) / 2.0;
                let p = belief.probability(&grounds);
                assert!((0.01..=0.99).contains(&p));
                if let Some(before) = before {
                    let up = p - before;
                    assert!(up * weight >= 0.0, "{}: {up}", Belief::NAMES[i]);
                }
                before = Some(p);
            }
        }
    }
}
