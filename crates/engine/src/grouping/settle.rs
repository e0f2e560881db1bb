//! Settlement: ten seconds after it came, an alert finds its incident, once, with what came beside it in view.

use std::collections::BTreeSet;

use model::{
    AlertId, ChangeKind, Event, Evidence, EvidenceKind, IncidentId, RunnerUp, Severity, Span, Text, Time,
};
use serde::{Deserialize, Serialize};
use topology::NodeId;

use crate::{
    Belief, EpisodeId, Grounds, Output,
    engine::{Engine, Timer, What},
    fold::Fold,
    grouping::onset::{LOOK_BACK_S, SEVERAL},
    life::returning::RECENT_MIN,
    lineage::said_by,
    noise::habit::RECENT_S,
    settings::secs,
    state::{alert::Alert, incident::State, spot::ambiguity, system::Settled},
};

/// An alert that waits for its settlement.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub alert: AlertId,
    pub t: Time,
    pub due: Time,
    pub fresh: bool,
    /// It came anew: its habit is judged by what was beside it.
    #[serde(default)]
    pub comes: bool,
    /// It fired already, and its tool says by a key that it is the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub named_again: bool,
    pub kind: Kind,
    /// The system that counts it until then.
    pub system: Text,
    /// The share of its source's alerts that repeat, as it was on arrival.
    pub repeats: f64,
    pub weight: u8,
    pub episode: u64,
    pub event_id: Text,
    /// Where it was announced to join, in a change record.
    pub announced: Option<IncidentId>,
    /// What people said of it meanwhile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<Event>,
    #[serde(default)]
    pub look: Look,
}

/// How often its tool has looked when a waiting alert is settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Look {
    #[default]
    First,
    /// It was put off until another look.
    Second,
    /// It was kept out after the first look; another one may take it in.
    After,
    /// It was kept out and fires for longer than it ever did.
    Overdue,
}

/// How a waiting alert was counted in its system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// Not at all: no fresh symptom, or a chronic one.
    Unnoticed,
    /// A symptom that the youngest incident has shown before.
    Again,
    /// Another one.
    New,
}

/// Where an alert goes, and why.
pub(crate) struct Verdict {
    pub place: Placement,
    pub because: Vec<Evidence>,
    pub probability: f64,
    pub runner_up: Option<RunnerUp>,
    /// Incidents among which the alert could not be placed: it opens one of its own that names them.
    pub related: Vec<RunnerUp>,
    /// What the probability rests on.
    pub grounds: Grounds,
}

/// Where an alert goes.
pub(crate) enum Placement {
    /// Nowhere: it counts for nothing.
    Muted(Text),
    /// The day's list of what is too little to open an incident.
    Background,
    /// Into a live incident; passively, if it neither extends nor counts for it.
    Join { incident: IncidentId, passive: bool },
    /// Into the incident that it opened before, which is over.
    Relapse(IncidentId),
    /// It opens an incident; beside the live ones, if there are any.
    Open { beside: bool },
}

impl Verdict {
    pub(crate) fn new(
        place: Placement,
        probability: f64,
        kind: EvidenceKind,
        value: f64,
        text: String,
    ) -> Verdict {
        Verdict {
            place,
            because: vec![Evidence::new(kind, value, text)],
            probability,
            runner_up: None,
            related: Vec::new(),
            grounds: [0.0; Belief::NAMES.len()],
        }
    }
}

/// An alert that opened an incident alone and comes alone again within this time belongs to it still if that is not over;
/// within the longer one where it had come alone before that as well: it is a habit in the making, not another fault each
/// time. What is over takes it back within `life.reopen_s` only.
const LONE_AGAIN_S: f64 = 1800.0;
const LONE_HABIT_S: f64 = RECENT_S;
/// Where nothing but hosts is known, this many different symptoms within the settlement open an incident.
const BACKGROUND_SYMPTOMS: usize = 4;
/// A repeat of one episode keeps its incident going for this long; one stuck alert that is resent for days does not.
pub(crate) const STICK_S: i64 = 900;

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

    /// Decides where an alert goes. Changes nothing but the counters of its system.
    fn judge(&mut self, p: &Pending, fold: &Fold<'_>) -> Verdict {
        let alert = self
            .alerts
            .get(&p.alert)
            .expect("alerts are remembered while they wait");
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
        let alert = self
            .alerts
            .get(&p.alert)
            .expect("alerts are remembered while they wait");
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
        let live = self.live(&system, alert, near.as_deref(), t, reach, fold);
        if fold.settings.oracle {
            self.look_everywhere(p, &live, near.as_deref(), reach, fold);
        }
        if let Some(chronic) = chronic
            && let Some(verdict) = self.judge_chronic(p, chronic, &live, fold)
        {
            return verdict;
        }
        let entry = self.systems.get_mut(&system).expect("the entry was made above");
        while entry
            .settled
            .front()
            .is_some_and(|s| t.since(s.t).as_secs_f64() > LOOK_BACK_S)
        {
            entry.settled.pop_front();
        }
        let verdict = if live.is_empty() {
            self.judge_quiet(p, &system, near.as_deref(), fold)
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
        let home = self.alerts.get(&p.alert)?.incident.filter(|_| p.named_again)?;
        let state = self.incidents.get(&home)?;
        let member = state.members.get(&p.alert)?;
        (state.is_open() && !state.background && member.firing && !member.stale).then_some((home, state))
    }

    /// What fires still goes on where it is, though hours lie between, while nothing new comes with it. It keeps nothing
    /// going there, and that so little is heard of it is no habit.
    fn judge_running(
        &self,
        p: &Pending,
        system: &Text,
        near: Option<&[NodeId]>,
        fold: &Fold<'_>,
    ) -> Option<Verdict> {
        let (home, state) = self.runs_in(p)?;
        let shows_more = |other: &AlertId| self.alerts.get(other).is_none_or(|other| !other.showed_in(home));
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

    /// Nothing is live here: a relapse, too little, or the beginning of an incident.
    pub(crate) fn judge_quiet(
        &self,
        p: &Pending,
        system: &Text,
        near: Option<&[NodeId]>,
        fold: &Fold<'_>,
    ) -> Verdict {
        let alert = self
            .alerts
            .get(&p.alert)
            .expect("alerts are remembered while they wait");
        let ahead = self.ahead(p, system, near, fold);
        let returns = |home: IncidentId| {
            let state = self.incidents.get(&home).filter(|state| !state.background)?;
            self.kept_apart(home, state, alert, fold)
                .is_none()
                .then_some((home, state))
        };
        let opened = alert.opened.map(|home| self.follow(home));
        if let Some((home, state)) = opened.and_then(returns) {
            let since_end = state.ended.map(|ended| p.t.since(ended).as_secs_f64());
            let nothing_new = ahead
                .iter()
                .all(|other| self.alerts.get(other).is_some_and(|other| other.showed_in(home)));
            let again: BTreeSet<AlertId> = ahead.iter().copied().collect();
            if let Some(age) = since_end
                && age <= fold.settings.life.reopen_s
                && nothing_new
                && again.len() < SEVERAL
                && !self.another_since(home, system, near)
            {
                let text = format!("it opened this incident, which ended {age:.0} s before");
                return Verdict::new(Placement::Relapse(home), 0.9, EvidenceKind::Relapse, age, text);
            }
            let quiet = p.t.since(state.last).as_secs_f64();
            let habit = alert.habit.recent(p.t) >= RECENT_MIN;
            let again_s = if habit { LONE_HABIT_S } else { LONE_AGAIN_S };
            if state.is_open()
                && quiet <= again_s
                && state.shown <= 1
                && ahead.iter().all(|other| *other == p.alert)
            {
                let text = format!("the same symptom alone again, {quiet:.0} s after");
                return Verdict::new(Placement::Relapse(home), 0.85, EvidenceKind::Relapse, quiet, text);
            }
        }
        if let Some((home, state)) = alert
            .incident
            .filter(|home| Some(*home) != opened)
            .and_then(returns)
            && let Some(age) = state.ended.map(|ended| p.t.since(ended).as_secs_f64())
            && !state.is_open()
            && age <= fold.settings.life.lateness_s.min(fold.settings.life.reopen_s)
            && ahead
                .iter()
                .all(|other| self.alerts.get(other).is_some_and(|other| other.showed_in(home)))
        {
            let text = format!(
                "it was in this incident, which ended {age:.0} s before, and nothing new came with it"
            );
            return Verdict::new(Placement::Relapse(home), 0.85, EvidenceKind::Relapse, age, text);
        }
        if let Some(home) = alert.incident
            && let Some(state) = self.incidents.get(&home)
            && state.is_open()
            && !state.background
            && ahead
                .iter()
                .all(|other| self.alerts.get(other).is_some_and(|other| other.showed_in(home)))
        {
            let home = Placement::Relapse(home);
            if let Some(who) = &state.acknowledged_by
                && alert.severity <= state.acknowledged_severity
            {
                // Whoever took it has it until it ends, and knows of this alert.
                let text = format!("{who} has it, and nothing new came with it");
                return Verdict::new(home, 0.9, EvidenceKind::Actor, 1.0, text);
            }
        }
        if p.weight == 0 && self.bare(p.alert) {
            let mut symptoms: Vec<u64> = self
                .systems
                .get(system)
                .into_iter()
                .flat_map(|s| s.ring.iter())
                .filter(|f| p.t <= f.t && f.t < p.t + secs(fold.settings.grouping.settle_s))
                .map(|f| f.symptom)
                .collect();
            symptoms.push(self.symptom(p.alert));
            symptoms.sort_unstable();
            symptoms.dedup();
            if symptoms.len() < BACKGROUND_SYMPTOMS {
                let text = format!(
                    "only {} symptoms within {} s",
                    symptoms.len(),
                    fold.settings.grouping.settle_s
                );
                return Verdict::new(
                    Placement::Background,
                    0.5,
                    EvidenceKind::Background,
                    symptoms.len() as f64,
                    text,
                );
            }
        }
        if let Some(ends_s) = self.passes(p, fold) {
            let habit = &alert.habit;
            let (alone, episodes) = (habit.alone, habit.episodes);
            let text = format!(
                "came alone {alone} of {episodes} times, over by itself within {ends_s} s; alone now"
            );
            let place = Placement::Muted(compact_str::format_compact!("passing: {text}"));
            return Verdict::new(
                place,
                0.0,
                EvidenceKind::Chronic,
                f64::from(alone) / f64::from(episodes),
                text,
            );
        }
        let text = format!("nothing related was live around {}", name(&alert.spot.entity));
        let open = Placement::Open { beside: false };
        let mut verdict = Verdict::new(open, 1.0, EvidenceKind::First, 1.0, text);
        let live = self.systems.get(system).into_iter().flat_map(|s| &s.live);
        verdict.because.extend(live.filter_map(|id| {
            let bond = self.kept_apart(*id, self.incidents.get(id)?, alert, fold)?;
            Some(said_by(
                &bond.by,
                &format!("that it never belongs with what {id} holds"),
            ))
        }));
        verdict
    }

    /// Whether another fault began around an alert since an incident of it did. What comes back is the last thing that
    /// happened there: an alert that opens every incident, as that of a front does, is no sign of the last but one.
    fn another_since(&self, home: IncidentId, system: &Text, near: Option<&[NodeId]>) -> bool {
        let newest = self.systems.get(system).and_then(|system| system.newest);
        let Some((_, newest)) = newest.filter(|(_, id)| self.follow(*id) != home) else {
            return false;
        };
        let states = (self.incidents.get(&newest), self.incidents.get(&home));
        let (Some(newest), Some(home)) = states else {
            return false;
        };
        let around = |near: &[NodeId]| {
            let mut nodes = newest.places.iter().filter_map(|place| place.node);
            nodes.any(|node| near.binary_search(&NodeId(node)).is_ok())
        };
        newest.begun > home.begun && near.is_none_or(around)
    }

    /// Evaluation interval of the source of an alert; 0 while none is known.
    pub(crate) fn interval_s(&self, id: AlertId) -> f64 {
        let source = self
            .alerts
            .get(&id)
            .and_then(|alert| self.sources.get(&alert.source));
        source.and_then(|source| source.interval_s).unwrap_or(0.0)
    }

    /// Fresh symptoms within the settlement that could belong with this alert; itself among them.
    fn ahead(&self, p: &Pending, system: &Text, near: Option<&[NodeId]>, fold: &Fold<'_>) -> Vec<AlertId> {
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

    /// Joins the live incident that was most active around the alert.
    pub(crate) fn judge_joining(&self, p: &Pending, live: &[IncidentId], fold: &Fold<'_>) -> Verdict {
        let (incident, score, second) = self.best(p, live, fold);
        let state = self
            .incidents
            .get(&incident)
            .expect("live incidents are remembered");
        let alert = self
            .alerts
            .get(&p.alert)
            .expect("alerts are remembered while they wait");
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
            Placement::Relapse(incident) => {
                self.relapse(incident, p, &verdict, fold);
                self.join(incident, p, &verdict, fold);
            }
            Placement::Open { .. } if !self.may_open(self.severity(p.alert), fold) => {
                let limit = fold.settings.limits.open_incidents_max;
                let text = format!("limit: {limit} incidents are open already");
                let because = vec![Evidence::new(EvidenceKind::Limit, limit as f64, text.clone())];
                self.mute(p, text.into(), &because, fold);
                self.say_limit(self.severity(p.alert), fold);
            }
            Placement::Open { beside } => {
                let incident = self.open_incident(p, &verdict, beside, fold);
                self.join(incident, p, &verdict, fold);
                self.gather(incident, p, true, fold);
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
        alert.muted = Some(reason.clone());
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

    /// Marks what keeps an incident going: fresh alerts, and repeats of an episode that is not stuck.
    pub(crate) fn keep_alive(
        &mut self,
        incident: IncidentId,
        id: AlertId,
        t: Time,
        fresh: bool,
        decay_s: f64,
    ) {
        let alert = self
            .alerts
            .get(&id)
            .expect("alerts are remembered while they are members");
        // Nor does one that flaps: it is near everything in time, so nothing follows from its being near.
        let moving = alert.flap.since.is_none()
            && alert
                .habit
                .start
                .is_none_or(|start| t.since(start) <= Span::from_secs(STICK_S));
        let (entity, node) = (alert.spot.entity.clone(), alert.spot.node);
        let Some(state) = self.incidents.get_mut(&incident) else {
            return;
        };
        if moving {
            state.last = state.last.max(t);
        }
        if let Some(place) = state.place_mut(&entity, node, t) {
            place.alerts = true;
            if moving {
                place.last = place.last.max(t);
            }
            if fresh {
                place.activity.add(t, decay_s);
            }
        }
        if fresh {
            state.activity.add(t, decay_s);
        }
    }

    /// A change of one alert that says nothing but its kind.
    pub(crate) fn note(
        &mut self,
        incident: IncidentId,
        alert: AlertId,
        text: &str,
        from: &str,
        to: &str,
        fold: &mut Fold<'_>,
    ) {
        let what = What::new(ChangeKind::Note).alert(alert).from(from).to(to);
        self.change(
            incident,
            what,
            vec![Evidence::new(EvidenceKind::Resolved, 1.0, text)],
            fold,
        );
    }
}

/// The name of an entity in a sentence.
pub(crate) fn name(entity: &str) -> &str {
    if entity.is_empty() {
        "an unnamed thing"
    } else {
        entity
    }
}
