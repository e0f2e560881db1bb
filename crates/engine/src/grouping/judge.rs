//! Judges where an alert goes: what people said of it, what it does already, its habit, and what is live around it, in
//! this order.

use model::{AlertId, Evidence, EvidenceKind, IncidentId, RunnerUp, Text};
use topology::NodeId;

use crate::{
    Belief,
    engine::Engine,
    fold::Fold,
    grouping::{
        onset::LOOK_BACK_S,
        pending::{Kind, Look, Pending},
        verdict::{Placement, Verdict, name},
    },
    lineage::said_by,
    state::{alert::Alert, incident::State, system::Settled},
};

impl Engine {
    /// An alert that waits for its settlement.
    pub(crate) fn waiting(&self, id: AlertId) -> &Alert {
        self.alerts
            .get(&id)
            .expect("alerts are remembered while they wait")
    }

    /// Decides where an alert goes. Changes nothing but the counters of its system.
    pub(crate) fn judge(&mut self, p: &Pending, fold: &Fold<'_>) -> Verdict {
        let alert = self.waiting(p.alert);
        let (system, node) = (alert.spot.system.clone(), alert.spot.node);
        let t = p.t;
        let entry = self.systems.entry(&p.system, Default::default);
        match p.kind {
            Kind::Unnoticed => {}
            Kind::Again => {
                entry.again -= 1;
                entry.expected -= p.repeats;
            }
            Kind::New => {
                entry.new -= 1;
                entry.expected -= p.repeats;
            }
        }
        if entry.again == 0 && entry.new == 0 {
            // Sums of many small numbers drift; nothing waits, so nothing is expected.
            entry.expected = 0.0;
        }
        self.systems.entry(&system, Default::default);
        self.prune_live(&system, fold);
        let alert = self.waiting(p.alert);
        let reach = self.reach_s(alert, fold);
        let chronic = self.chronic(p.alert, p.weight, t, fold);
        if let Some((incident, reason)) = self.said(p.alert, fold) {
            return Verdict {
                place: Placement::Join {
                    incident,
                    passive: false,
                },
                because: vec![reason],
                probability: 1.0,
                runner_up: None,
                related: Vec::new(),
                grounds: [0.0; Belief::NAMES.len()],
            };
        }
        if !p.fresh
            && let Some(incident) = alert.incident
            && let Some(state) = self.incidents.get(&incident)
            && !state.background
            && state.is_open()
            && !(p.weight == 0 && chronic.is_some())
        {
            return Verdict::new(
                Placement::Join {
                    incident,
                    passive: chronic.is_some(),
                },
                0.99,
                EvidenceKind::Episode,
                t.since(state.last).as_secs_f64(),
                "its episode is running in it".to_owned(),
            );
        }
        if let Some(verdict) = self.judge_flapping(alert) {
            return verdict;
        }
        let near = self.near(node, fold);
        if let Some(verdict) = self.judge_running(p, &system, near.as_deref(), fold) {
            return verdict;
        }
        if chronic.is_some()
            && let Some(verdict) = self.judge_taken(alert)
        {
            return verdict;
        }
        let mut live = self.live(&system, alert, near.as_deref(), t, reach, fold);
        if fold.settings.oracle {
            self.look_everywhere(p, &live, near.as_deref(), reach, fold);
        }
        if let Some(chronic) = chronic
            && let Some(verdict) = self.judge_chronic(p, chronic, &live, fold)
        {
            return verdict;
        }
        let goes_on = self.judge_goes_on(p, &system, near.as_deref(), &live, fold);
        let entry = self.systems.get_mut(&system).expect("the entry was made above");
        while entry
            .settled
            .front()
            .is_some_and(|s| t.since(s.t).as_secs_f64() > LOOK_BACK_S)
        {
            entry.settled.pop_front();
        }
        let own = self.judge_own(p, &mut live, fold);
        let verdict = if let Some(verdict) = goes_on.or(own) {
            verdict
        } else if live.is_empty() {
            self.judge_alone(p, &system, near.as_deref(), fold)
        } else {
            match self.judge_onset(p, &system, near.as_deref(), &live, false, fold) {
                Some(onset) => onset.verdict,
                None => self.judge_joining(p, &live, fold),
            }
        };
        if p.fresh && p.look == Look::First {
            let entry = self.systems.get_mut(&system).expect("the entry was made above");
            entry.settled.push_back(Settled {
                t,
                again: p.kind == Kind::Again,
            });
        }
        verdict
    }

    /// What flaps stays where it is while that lasts, whatever comes beside it.
    fn judge_flapping(&self, alert: &Alert) -> Option<Verdict> {
        let home = alert.incident.filter(|_| alert.flap.since.is_some())?;
        let state = self.incidents.get(&home)?;
        (state.is_open() && !state.background).then(|| {
            let place = Placement::Join {
                incident: home,
                passive: false,
            };
            let text = "it flaps, and stays where it is".to_owned();
            Verdict::new(place, 0.9, EvidenceKind::Flapping, alert.flap.penalty, text)
        })
    }

    /// The open incident in which an alert fires still, because its tool calls it by the same key and never said that it
    /// is over.
    pub(crate) fn runs_in(&self, p: &Pending) -> Option<(IncidentId, &State)> {
        self.fires_in(p.alert).filter(|_| p.named_again)
    }

    /// The open incident in which an alert fires, so that hearing of it again is no news elsewhere.
    fn fires_in(&self, id: AlertId) -> Option<(IncidentId, &State)> {
        let home = self.alerts.get(&id)?.incident?;
        let state = self.incidents.get(&home)?;
        let member = state.members.get(&id)?;
        (state.is_open() && !state.background && member.firing && !member.stale).then_some((home, state))
    }

    /// What fires still goes on where it is, though hours lie between, while nothing new comes with it. It keeps nothing
    /// going there, and that so little is heard of it is no habit. What a sender says again at once of many incidents is new
    /// in none of them.
    fn judge_running(
        &self,
        p: &Pending,
        system: &Text,
        near: Option<&[NodeId]>,
        fold: &Fold<'_>,
    ) -> Option<Verdict> {
        let (home, state) = self.runs_in(p)?;
        let shows_more = |other: &AlertId| {
            let showed = |alert: &Alert| alert.showed_in(home);
            !self.alerts.get(other).is_some_and(showed) && self.fires_in(*other).is_none()
        };
        if self.ahead(p, system, near, fold).iter().any(shows_more) {
            return None;
        }
        let place = Placement::Join {
            incident: home,
            passive: true,
        };
        let text = "it fires under the same key, and nobody said that it was over".to_owned();
        let silent_s = p.t.since(state.last).as_secs_f64();
        Some(Verdict::new(place, 0.95, EvidenceKind::Episode, silent_s, text))
    }

    /// What somebody has stays where they have it, however often it comes: that a person took it says more than its habit.
    fn judge_taken(&self, alert: &Alert) -> Option<Verdict> {
        let home = alert.incident?;
        let state = self.incidents.get(&home).filter(|state| state.is_open())?;
        let who = state.acknowledged_by.as_ref()?;
        let place = Placement::Join {
            incident: home,
            passive: true,
        };
        let text = format!("it keeps coming alone, but {who} has it");
        Some(Verdict::new(place, 0.9, EvidenceKind::Actor, 1.0, text))
    }

    /// Where an operator's word puts an alert, before anything is weighed.
    pub(crate) fn said(&self, id: AlertId, fold: &Fold<'_>) -> Option<(IncidentId, Evidence)> {
        if let Some((incident, by)) = self.pinned(id) {
            return Some((incident, said_by(by, "that it belongs here")));
        }
        let (incident, bond) = self.bound(self.alerts.get(&id)?, fold)?;
        Some((incident, said_by(&bond.by, "that these always belong together")))
    }

    /// Joins the live incident that was most active around the alert.
    pub(crate) fn judge_joining(&self, p: &Pending, live: &[IncidentId], fold: &Fold<'_>) -> Verdict {
        let (incident, score, second) = self.best(p, live, fold);
        let state = self
            .incidents
            .get(&incident)
            .expect("live incidents are remembered");
        let alert = self.waiting(p.alert);
        let gap = p.t.since(state.last).as_secs_f64();
        let mut because = vec![Evidence::new(
            EvidenceKind::Time,
            gap.max(0.0),
            format!("{:.0} s after its last alert", gap.max(0.0)),
        )];
        because.extend(self.relation(alert, state, fold));
        because.push(Evidence::new(
            EvidenceKind::Activity,
            score,
            format!(
                "activity {score:.2} around {}; {} live",
                name(&alert.spot.entity),
                live.len()
            ),
        ));
        let total = score + second.map_or(0.0, |(_, s)| s) + 0.02;
        let probability = |score: f64| ((score + 0.01) / total).clamp(0.01, 0.99);
        Verdict {
            place: Placement::Join {
                incident,
                passive: false,
            },
            because,
            probability: probability(score),
            runner_up: second.map(|(incident_id, s)| RunnerUp {
                incident_id,
                probability: probability(s),
                margin: 0.0,
            }),
            related: Vec::new(),
            grounds: [0.0; Belief::NAMES.len()],
        }
    }

    /// Fresh symptoms within the settlement that could belong with this alert; itself among them.
    pub(crate) fn ahead(
        &self,
        p: &Pending,
        system: &Text,
        near: Option<&[NodeId]>,
        fold: &Fold<'_>,
    ) -> Vec<AlertId> {
        let until = self.until(p, fold);
        let inside = |node: Option<u32>| {
            near.is_none_or(|near| node.is_some_and(|n| near.binary_search(&NodeId(n)).is_ok()))
        };
        self.systems
            .get(system)
            .into_iter()
            .flat_map(|s| s.ring.iter())
            .filter(|f| p.t <= f.t && f.t < until && inside(f.node))
            .map(|f| f.alert)
            .collect()
    }

    /// Evaluation interval of the source of an alert; 0 while none is known.
    pub(crate) fn interval_s(&self, id: AlertId) -> f64 {
        let source = self
            .alerts
            .get(&id)
            .and_then(|alert| self.sources.get(&alert.source));
        source.and_then(|source| source.interval_s).unwrap_or(0.0)
    }
}
