//! Settlement: ten seconds after it came, an alert finds its incident, once, with what came beside it in view.

use model::{AlertId, Evidence, EvidenceKind, IncidentId, Severity, Span, Text};

use crate::{
    EpisodeId, Output,
    engine::{Engine, Timer},
    fold::Fold,
    grouping::{
        pending::Pending,
        verdict::{Placement, Verdict},
    },
    state::spot::ambiguity,
};

impl Engine {
    pub(crate) fn settle(&mut self, number: u64, fold: &mut Fold<'_>) {
        let Some(mut pending) = self.pending.remove(&number) else {
            return;
        };
        self.order.remove(&number);
        self.follow_merges(pending.alert);
        if self.forgo_look(&pending) {
            return;
        }
        pending.announced = pending.announced.map(|id| self.follow(id));
        self.meta.habitual.roll(fold.time);
        let unusual = self.unusual(&pending, fold);
        let verdict = self.judge(&pending, fold);
        if self.put_off(number, &pending, &verdict, fold) {
            return;
        }
        let kept_out = matches!(verdict.place, Placement::Muted(_));
        let mut verdict = self.abstain(&pending, verdict, fold);
        let alert = self.alerts.get(&pending.alert);
        verdict
            .because
            .extend(alert.and_then(|alert| ambiguity(alert, fold.graph)));
        self.place(&pending, verdict, fold);
        let placed = self.alerts.get(&pending.alert).and_then(|alert| alert.incident);
        if let (Some(why), Some(incident)) = (unusual, placed) {
            self.say_unusual(incident, pending.alert, why, fold);
        }
        let alert = self
            .alerts
            .get_mut(&pending.alert)
            .expect("alerts are remembered while they wait");
        alert.unsettled -= 1;
        alert.settled = Some(pending.t);
        if pending.fresh {
            alert.habit.seen = Some(pending.t);
        }
        if pending.comes {
            self.learn_later(number, &pending, fold);
        }
        if kept_out && !self.look_after(&pending, fold) {
            self.look_overdue(&pending, fold);
        }
    }

    /// Judges the habit of an alert when what came beside it is known.
    pub(crate) fn learn_later(&mut self, number: u64, p: &Pending, fold: &Fold<'_>) {
        // 20 s more: company is looked for up to 30 s after the alert.
        let due = fold.time + Span::from_secs(20);
        self.timers.insert((due, Timer::Learn(number)));
        self.learning.insert(number, Pending { due, ..p.clone() });
    }

    /// Carries a verdict out.
    fn place(&mut self, p: &Pending, verdict: Verdict, fold: &mut Fold<'_>) {
        match verdict.place {
            Placement::Muted(ref reason) => self.mute(p, reason.clone(), &verdict.because, fold),
            Placement::Background => {
                let incident = self.background(p, &verdict.because, fold);
                self.join(incident, p, &verdict, fold);
            }
            Placement::Join { incident, passive } => {
                self.join(incident, p, &verdict, fold);
                if p.fresh && !passive {
                    self.gather(incident, p, false, fold);
                    self.bridge(self.follow(incident), p, fold);
                }
            }
            Placement::Across(incident) => {
                self.join(incident, p, &verdict, fold);
                let system = self.waiting(p.alert).spot.system.clone();
                self.enliven(&system, incident);
                self.stand_together(incident, p, fold);
            }
            Placement::Relapse(incident) => {
                self.relapse(incident, p, &verdict, fold);
                self.join(incident, p, &verdict, fold);
            }
            Placement::Open { .. } | Placement::Apart if !self.may_open(self.severity(p.alert), fold) => {
                let limit = fold.settings.limits.open_incidents_max;
                let text = format!("limit: {limit} incidents are open already");
                let because = vec![Evidence::new(EvidenceKind::Limit, limit as f64, text.clone())];
                self.mute(p, text.into(), &because, fold);
                self.say_limit(self.severity(p.alert), fold);
            }
            Placement::Apart => {
                let incident = self.open_incident(p, &verdict, false, fold);
                self.join(incident, p, &verdict, fold);
                self.gather(incident, p, true, fold);
                self.stand_together(self.follow(incident), p, fold);
            }
            Placement::Open { beside } => {
                let incident = self.open_incident(p, &verdict, beside, fold);
                self.join(incident, p, &verdict, fold);
                self.gather(incident, p, true, fold);
                self.stand_together(self.follow(incident), p, fold);
                if !beside {
                    self.bridge(self.follow(incident), p, fold);
                }
            }
        }
    }

    fn severity(&self, id: AlertId) -> Severity {
        self.alerts
            .get(&id)
            .map_or(Severity::Unknown, |alert| alert.severity)
    }

    fn mute(&mut self, p: &Pending, reason: Text, because: &[Evidence], fold: &mut Fold<'_>) {
        self.meta.books.suppressed += 1;
        self.reconcile(p, None, because, fold);
        self.leave(p.alert, fold);
        let alert = self
            .alerts
            .get_mut(&p.alert)
            .expect("alerts are remembered while they wait");
        let waited = std::mem::take(&mut alert.uncounted).events;
        // What waited for this; those that follow are counted as they come.
        self.meta.books.quiet += if alert.muted.is_none() { 1 + waited } else { 0 };
        alert.muted = Some(Box::new(reason.clone()));
        self.say_episode(p.episode, None, Some(&reason), None, fold);
        self.list_quiet(p.alert, "habit", &reason, because, fold);
    }

    /// Says where the events of an episode belong by now.
    pub(crate) fn say_episode(
        &self,
        number: u64,
        incident: Option<IncidentId>,
        suppressed: Option<&str>,
        verdict: Option<&Verdict>,
        fold: &mut Fold<'_>,
    ) {
        if fold.settings.placements {
            fold.out.push(Output::Episode {
                at: fold.time,
                episode: EpisodeId {
                    domain: self.tag,
                    number,
                },
                incident,
                suppressed: suppressed.map(Text::from),
                probability: verdict.map(|v| v.probability),
                grounds: verdict.map(|v| Box::new(v.grounds)),
            });
        }
    }
}
