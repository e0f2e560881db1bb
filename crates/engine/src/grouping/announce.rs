//! What is said of an alert on arrival: where it will probably be placed, ten seconds before that is settled.
//!
//! An announcement is a change record like any other (`opened`, `joined`) and the assignment of the event; it decides
//! nothing. Settlement does not know of it, so what is settled is the same with and without it. Where settlement agrees
//! nothing more is said, where it does not the alert is `moved`, or has `left` when it is placed nowhere. Nothing is
//! announced of what is probably too little, or begins again what is over: that is worth the ten seconds.

use model::{ChangeKind, Evidence, EvidenceKind, IncidentId, Severity, Text, Time};
use serde::{Deserialize, Serialize};

use crate::{
    engine::{Engine, What},
    fold::Fold,
    grouping::{
        onset::{LOOK_BACK_S, Onset},
        pending::{Kind, Pending},
        verdict::{Placement, Verdict},
    },
    settings::secs,
    state::spot::ambiguity,
};

/// An incident that was announced and is not settled yet. It takes in announcements, and no page is due for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Tentative {
    pub system: Text,
    pub node: Option<u32>,
    /// Stream time of the announcement.
    pub at: Time,
    /// `ts` of the alert that it was announced for.
    pub t: Time,
    pub revision: u64,
    /// Announced alerts that are not settled yet.
    pub waiting: u32,
}

/// Incidents of a system that are announced at one time; one fault after another opens, so a few are many.
const TENTATIVE_MAX: usize = 8;

/// An announcement that is taken back costs twice what ten seconds of silence do, so so likely it has to be.
const SURE: f64 = 2.0 / 3.0;

/// What is expected of an alert.
enum Guess {
    Join(IncidentId, Vec<Evidence>),
    Open(Evidence),
    /// Nowhere: it is chronic.
    Muted(Text),
    Nothing,
}

impl Engine {
    /// Says where an alert that has just come will probably be placed.
    pub(crate) fn announce(&mut self, p: &mut Pending, fold: &mut Fold<'_>) {
        let (id, kind, mut because) = match self.guess(p, fold) {
            Guess::Nothing => return,
            Guess::Muted(reason) => return self.say_episode(p.episode, None, Some(&reason), None, fold),
            Guess::Join(id, because) => (id, ChangeKind::Joined, because),
            Guess::Open(because) => {
                let id = self.mint(p.alert);
                let alert = self.alerts.get(&p.alert).expect("made on arrival");
                let tentative = Tentative {
                    system: alert.spot.system.clone(),
                    node: alert.spot.node,
                    at: fold.time,
                    t: p.t,
                    revision: 0,
                    waiting: 0,
                };
                let system = self.systems.entry(&tentative.system, Default::default);
                system.tentative.push(id);
                self.tentative.insert(id, tentative);
                (id, ChangeKind::Opened, vec![because])
            }
        };
        let alert = self.alerts.get(&p.alert).expect("made on arrival");
        let quieted = alert.quieted.as_ref().map(|q| q.reason.clone());
        let stays = alert.incident == Some(id);
        self.say_episode(p.episode, Some(id), quieted.as_deref(), None, fold);
        if stays {
            return;
        }
        p.announced = Some(id);
        if let Some(tentative) = self.tentative.get_mut(&id) {
            tentative.waiting += 1;
        }
        because.extend(
            self.alerts
                .get(&p.alert)
                .and_then(|alert| ambiguity(alert, fold.graph)),
        );
        let settle_s = fold.settings.grouping.settle_s;
        because.push(Evidence::new(
            EvidenceKind::Provisional,
            settle_s,
            format!("announced; it is settled within {settle_s} s"),
        ));
        let mut what = What::new(kind).alert(p.alert).event(&p.event_id);
        what.ahead = true;
        self.change(id, what, because, fold);
    }

    /// What settlement will probably decide, by what is known on arrival.
    fn guess(&self, p: &Pending, fold: &Fold<'_>) -> Guess {
        let alert = self.alerts.get(&p.alert).expect("made on arrival");
        let chronic = self.chronic(p.alert, p.weight, p.t, fold);
        if let Some((incident, reason)) = self.said(p.alert, fold) {
            return Guess::Join(incident, vec![reason]);
        }
        if !p.fresh
            && let Some(incident) = alert.incident
            && self
                .incidents
                .get(&incident)
                .is_some_and(|state| state.is_open() && !state.background)
            && !(p.weight == 0 && chronic.is_some())
        {
            return Guess::Join(incident, Vec::new());
        }
        if let Some((incident, _)) = self.runs_in(p) {
            return Guess::Join(incident, Vec::new());
        }
        let system = &alert.spot.system;
        let reach = self.reach_s(alert, fold);
        let near = self.near(alert.spot.node, fold);
        let mut live = self.live(system, alert, near.as_deref(), p.t, reach, fold);
        if let Some(chronic) = chronic
            && let Some(verdict) = self.judge_chronic(p, chronic, &live, fold)
        {
            return match verdict.place {
                Placement::Muted(reason) => Guess::Muted(reason),
                Placement::Join { incident, .. } => Guess::Join(incident, verdict.because),
                _ => Guess::Nothing,
            };
        }
        if let Some((id, tentative)) = self.tentative_near(p, system, near.as_deref(), fold) {
            let gap = p.t.since(tentative.t).as_secs_f64().max(0.0);
            let because = Evidence::new(
                EvidenceKind::Time,
                gap,
                format!("{gap:.0} s after it was announced"),
            );
            return Guess::Join(id, vec![because]);
        }
        if live.is_empty() {
            let verdict = self.judge_alone(p, system, near.as_deref(), fold);
            return match verdict.place {
                Placement::Relapse(id) if self.incidents.get(&id).is_some_and(|s| s.is_open()) => {
                    Guess::Join(id, verdict.because)
                }
                Placement::Across(id) => Guess::Join(id, verdict.because),
                Placement::Open { .. } if self.room_for_tentative(system, fold) => Guess::Open(
                    verdict
                        .because
                        .into_iter()
                        .next()
                        .expect("every verdict has a reason"),
                ),
                _ => Guess::Nothing,
            };
        }
        // What fails of itself may have to do with what is announced and not settled yet.
        if self.judge_own(p, &mut live, fold).is_some() {
            return Guess::Nothing;
        }
        // Seen from here the burst lies behind; what settles sees it before.
        let onset = self.judge_onset(p, system, near.as_deref(), &live, true, fold);
        match onset {
            // What begins far away may be joined to what is live by something between that is not settled yet.
            Some(onset) if onset.elsewhere => Guess::Nothing,
            Some(Onset { verdict, .. }) if self.room_for_tentative(system, fold) => Guess::Open(
                verdict
                    .because
                    .into_iter()
                    .next()
                    .expect("every verdict has a reason"),
            ),
            // What its incident has shown already begins anew when another fault does: wait for what comes with it.
            _ if p.kind == Kind::Again => Guess::Nothing,
            // And so may what comes out of a silence that the rhythm of its source does not explain.
            _ if self.after_silence(p, &live) => Guess::Nothing,
            _ => {
                let verdict = self.undecided(p, self.judge_joining(p, &live, fold), fold);
                if verdict.probability < SURE {
                    return Guess::Nothing;
                }
                match self.doubt(p, self.weigh(p, verdict, fold), fold) {
                    Verdict {
                        place: Placement::Join { incident, .. },
                        because,
                        ..
                    } => Guess::Join(incident, because),
                    // What is doubtful may look otherwise in ten seconds.
                    _ => Guess::Nothing,
                }
            }
        }
    }

    /// Whether all that is live has been silent for longer than an evaluation interval and the time by which the rate of
    /// late is told.
    fn after_silence(&self, p: &Pending, live: &[IncidentId]) -> bool {
        let usual_s = self.interval_s(p.alert) + LOOK_BACK_S;
        let mut states = live.iter().filter_map(|id| self.incidents.get(id));
        states.all(|state| p.t.since(state.last).as_secs_f64() > usual_s)
    }

    fn room_for_tentative(&self, system: &Text, fold: &Fold<'_>) -> bool {
        self.may_open(Severity::Info, fold)
            && self
                .systems
                .get(system)
                .is_none_or(|system| system.tentative.len() < TENTATIVE_MAX)
    }

    /// The youngest announced incident that an alert could belong to.
    fn tentative_near(
        &self,
        p: &Pending,
        system: &Text,
        near: Option<&[topology::NodeId]>,
        fold: &Fold<'_>,
    ) -> Option<(IncidentId, &Tentative)> {
        let reach = secs(fold.settings.grouping.reach_s);
        self.systems
            .get(system)?
            .tentative
            .iter()
            .filter_map(|id| Some((*id, self.tentative.get(id)?)))
            .filter(|(_, tentative)| p.t.since(tentative.t) <= reach && tentative.t.since(p.t) <= reach)
            .filter(|(_, tentative)| {
                near.is_none_or(|near| {
                    tentative
                        .node
                        .is_some_and(|node| near.binary_search(&topology::NodeId(node)).is_ok())
                })
            })
            .max_by_key(|(id, tentative)| (tentative.t, *id))
    }

    /// The id under which a settled alert opens an incident: the announced one, if there is any around it.
    pub(crate) fn announced_id(&mut self, p: &Pending, fold: &Fold<'_>) -> Option<(IncidentId, Tentative)> {
        let alert = self.alerts.get(&p.alert)?;
        let own = p.announced.filter(|id| self.tentative.get(id).is_some());
        let id = own.or_else(|| {
            let near = self.near(alert.spot.node, fold);
            let around = self.tentative_near(p, &alert.spot.system, near.as_deref(), fold);
            around.map(|(id, _)| id)
        })?;
        self.drop_tentative(id).map(|tentative| (id, tentative))
    }

    fn drop_tentative(&mut self, id: IncidentId) -> Option<Tentative> {
        let tentative = self.tentative.remove(&id)?;
        if let Some(system) = self.systems.get_mut(&tentative.system) {
            system.tentative.retain(|other| *other != id);
        }
        Some(tentative)
    }

    /// An alert is settled in `place`, or nowhere; says so where something else was announced.
    pub(crate) fn reconcile(
        &mut self,
        p: &Pending,
        place: Option<IncidentId>,
        because: &[Evidence],
        fold: &mut Fold<'_>,
    ) {
        let Some(announced) = p.announced else { return };
        if let Some(tentative) = self.tentative.get_mut(&announced) {
            tentative.waiting = tentative.waiting.saturating_sub(1);
        }
        if place == Some(announced) {
            return;
        }
        if let Some(state) = self.incidents.get_mut(&announced) {
            // Its team may have been chosen as if it belonged there.
            state.unassessed = true;
        }
        let what = match place {
            Some(to) => What::new(ChangeKind::Moved)
                .from(announced.to_string())
                .to(to.to_string()),
            None => What::new(ChangeKind::Left),
        };
        let what = what.alert(p.alert).event(&p.event_id);
        self.change(announced, what, because.to_vec(), fold);
        if self.tentative.get(&announced).is_some_and(|t| t.waiting == 0) {
            let what = match place {
                Some(into) => What::new(ChangeKind::Merged).to(into.to_string()),
                None => What::new(ChangeKind::Resolved),
            };
            let text = "nothing that was announced of it has settled".to_owned();
            let because = vec![Evidence::new(EvidenceKind::Provisional, 0.0, text)];
            self.change(announced, what, because, fold);
            self.drop_tentative(announced);
        }
    }
}
