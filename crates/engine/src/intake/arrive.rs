//! An event of an alert arrives: which state is the newest, is it a repeat, does it begin something.
//!
//! Per alert, `ts` decides and not the order of arrival; at equal `ts` resolved wins over firing. An older state never
//! overrides a newer one, but it still counts. One exception: a recovery that stands behind its firing in the same raw
//! partition is the later one, whatever its `ts` says, if that is less than five minutes earlier; the sender's clock has
//! stepped back.

use model::{AlertId, ChangeKind, Event, Evidence, EvidenceKind, Span, Status, Time};
use topology::NodeId;

use crate::{
    engine::{Engine, Timer, What},
    fold::Fold,
    settings::secs,
    state::{
        alert::{Alert, Place, onset},
        sender::Rhythm,
        spot,
    },
};

/// Seconds after which a running episode is looked at again.
const LOOK_S: i64 = 600;
/// A sender's clock that steps back by less than this loses no recovery.
const STEP_BACK: Span = Span::from_mins(5);

impl Engine {
    /// Takes in a firing or resolved event; gives the number of the episode it belongs to.
    pub(crate) fn arrive(&mut self, event: &Event, fold: &mut Fold<'_>) -> Option<u64> {
        let (id, may_come) = self.alert_of(event, fold);
        self.follow_merges(id);
        let known = match self.alerts.get_mut(&id) {
            Some(alert) => {
                let newer = alert.spot.past && event.ts >= fold.since;
                if alert.spot.serial != fold.serial || newer {
                    alert.spot = spot::locate_then(event, fold);
                }
                self.join_family(id);
                true
            }
            None => {
                let alert = Alert::new(event, spot::locate_then(event, fold), fold.time);
                self.alerts.insert(id, alert);
                self.learn_kin(id, event, fold);
                false
            }
        };
        let alert = self.alerts.get(&id).expect("made on arrival");
        self.meta.books.quiet += u64::from(alert.muted.is_some() || alert.quieted.is_some());
        let episode = match event.status {
            Status::Resolved => {
                let episode = self.resolve(id, event, known, fold);
                if may_come {
                    self.keep_recovery(event, fold);
                }
                episode
            }
            _ => {
                let fired = known && alert.count > 0 && alert.firing();
                let episode = self.fire(id, event, known, fold);
                if !fired && let Some(recovery) = self.overtaken_by(id, fold) {
                    self.resolve(id, &recovery, true, fold);
                    self.leave_where_placed(id);
                }
                episode
            }
        };
        self.watch(id, fold);
        episode
    }

    fn fire(&mut self, id: AlertId, event: &Event, known: bool, fold: &mut Fold<'_>) -> Option<u64> {
        let alert = self.alerts.get_mut(&id).expect("made on arrival");
        let fired_before = alert.habit.last.is_some();
        let severity_changed = alert.severity != event.severity;
        alert.count += 1;
        alert.heard_at = fold.time;
        let merges = fold.settings.merge.any();
        if event.ts >= alert.severity_at || !fired_before {
            alert.severity = event.severity;
            alert.severity_at = event.ts;
        }
        if merges {
            alert.hear(event, fold);
        }
        let older = known
            && (event.ts < alert.state_at
                || (event.ts == alert.state_at && alert.status == Status::Resolved));
        if older && fired_before {
            let (episode, incident) = (alert.episode, alert.incident);
            self.meta.books.superseded += 1;
            let episode_s = secs(fold.settings.grouping.episode_s);
            if let Some(began) = alert.habit.note_older(event.ts, episode_s)
                && let Some(place) = self.places.get_mut(&self.place_key(id))
            {
                place.began_before(id, began, event.ts);
            }
            match incident {
                Some(incident) if self.count_event(incident, id, event.ts, fold) => {
                    self.roll_up(incident, fold);
                    self.consider_page(incident, fold);
                }
                Some(_) => {}
                None => self.count_quietly(id, event.ts),
            }
            return Some(episode);
        }
        let over = alert
            .incident
            .and_then(|incident| self.incidents.get(&incident)?.over_at);
        if fired_before && over.is_some_and(|over| event.ts <= over) {
            // Somebody said later that it is over.
            let episode = alert.episode;
            self.meta.books.superseded += 1;
            self.count_quietly(id, event.ts);
            return Some(episode);
        }
        let alert = self.alerts.get_mut(&id).expect("made on arrival");
        let was = (known && fired_before).then_some(alert.status);
        let silent_s = alert
            .habit
            .last
            .map_or(0.0, |last| event.ts.since(last).as_secs_f64());
        let begun_before = event
            .starts_at
            .is_some_and(|start| alert.habit.last.is_some_and(|last| start <= last));
        let gap_s = event.ts.since(alert.state_at).as_secs_f64();
        if !older && let Some(was) = was {
            let source = self.sources.entry(&event.source, Default::default);
            source.note_gap(
                gap_s,
                was == Status::Resolved,
                fold.settings.grouping.interval_max_s,
            );
        }
        let rhythm = match was {
            Some(Status::Firing) => Rhythm {
                in_time: alert.habit.repeats_in_time(silent_s),
                // Faults that follow one another evenly look the same, but do not show one thing only.
                steady: alert.habit.repeats_steadily(silent_s)
                    && alert
                        .incident
                        .and_then(|id| self.incidents.get(&id))
                        .is_some_and(|state| state.is_alone()),
            },
            _ => Rhythm::default(),
        };
        if was == Some(Status::Resolved) {
            (alert.well_at, alert.back_at) = (Some(alert.state_at), Some(event.ts));
        }
        if !older {
            if was == Some(Status::Firing) && silent_s > 0.0 {
                alert.habit.repeated(silent_s);
            }
            alert.status = Status::Firing;
            alert.state_at = event.ts;
            alert.heard_from = Place::of(event);
            alert.starts_at = event.starts_at;
            if !merges {
                alert.refresh(event);
            }
            if was != Some(Status::Firing) {
                alert.onset = onset(event);
            }
        }
        if was == Some(Status::Resolved) {
            self.flap(id, event.ts, fold);
        }
        let alert = self.alerts.get(&id).expect("made on arrival");
        let incident = alert.incident;
        let named = was == Some(Status::Firing) && self.named_again(&alert.spot.system, event, rhythm, fold);
        let holds = match incident.and_then(|i| self.incidents.get(&i)) {
            Some(state) if state.is_open() && !state.background => {
                let (system, source) = (&alert.spot.system, &alert.source);
                let held = || {
                    self.still_holds(system, source, silent_s, severity_changed, fold)
                        || rhythm.in_time && named
                };
                was == Some(Status::Firing) && (begun_before || held())
            }
            _ => false,
        };
        let mut entered = self.observe(id, event, fold);
        let again = was == Some(Status::Firing) && entered.fresh;
        let said_again = named && !older;
        entered.named_again = again && said_again;
        let source = self.sources.entry(&event.source, Default::default);
        // Whichever of them comes first.
        *source.firings.get_or_insert(source.alerts) += u64::from(!named);
        self.note_sender(id, |sender| {
            sender.firings += u64::from(!said_again);
            sender.again += u64::from(again);
            sender.repeats += u64::from(was == Some(Status::Firing));
        });
        if was == Some(Status::Firing) {
            self.meta.books.repeats += 1;
            self.meta.anew += u64::from(again && !entered.named_again);
        } else {
            self.meta.books.new += 1;
        }
        let alert = self.alerts.get(&id).expect("made on arrival");
        // What is kept out is placed already; that it is looked at again holds nothing up.
        let habit = &alert.habit;
        let kept_out = alert.unsettled == 1 && alert.muted.is_some() && alert.settled >= habit.start;
        if alert.unsettled > 0 && !entered.fresh && !kept_out {
            let episode = alert.episode;
            self.count_quietly(id, event.ts);
            return Some(episode);
        }
        if let Some(incident) = incident
            && (holds || self.runs_on(incident, id, entered.fresh, event.ts))
        {
            let episode = alert.episode;
            self.repeat(incident, id, event.ts, holds, fold);
            return Some(episode);
        }
        if !entered.fresh && !entered.look {
            // Too little, or chronic, in its running episode; looked at again once a settlement.
            let episode = alert.episode;
            if let Some(incident) = incident {
                self.count_event(incident, id, event.ts, fold);
            }
            return Some(episode);
        }
        if let Some(reason) = self.below_threshold(id, event, entered, fold) {
            return Some(self.wait(id, reason, event.ts, entered, fold));
        }
        Some(self.enqueue(id, event.ts, &event.event_id, entered, fold))
    }

    /// Whether a repeat simply goes on where its episode runs. An episode is placed once: one that runs for days stays
    /// where it began, without keeping that going. Now and then it is looked at again, for what it is may have become
    /// known meanwhile.
    fn runs_on(&self, incident: model::IncidentId, id: AlertId, fresh: bool, t: Time) -> bool {
        let looked_at = self.alerts.get(&id).and_then(|alert| alert.settled);
        !fresh
            && looked_at.is_none_or(|at| t.since(at) <= Span::from_secs(LOOK_S))
            && self
                .incidents
                .get(&incident)
                .is_some_and(|state| state.is_open() && !state.background)
    }

    /// Seconds of quiet after which an incident takes in nothing more from this source.
    pub(crate) fn reach_s(&self, alert: &Alert, fold: &Fold<'_>) -> f64 {
        let grouping = &fold.settings.grouping;
        let interval = self.sources.get(&alert.source).and_then(|s| s.interval_s);
        let alone = alert
            .spot
            .node
            .is_some_and(|node| fold.graph.component_size(NodeId(node)) == 1);
        match interval {
            // Where nothing else is there, nothing else can bridge two faults.
            Some(interval) if alone => grouping.reach_unknown_s + interval,
            Some(interval) => grouping.reach_s + interval,
            None => grouping.reach_unknown_s,
        }
    }

    fn resolve(&mut self, id: AlertId, event: &Event, known: bool, fold: &mut Fold<'_>) -> Option<u64> {
        self.sources.entry(&event.source, Default::default).resolves += 1;
        let next = self.meta.episodes + 1;
        let due = fold.time + secs(fold.settings.life.lateness_s);
        let alert = self.alerts.get_mut(&id).expect("made on arrival");
        if fold.settings.merge.any() {
            alert.hear(event, fold);
        }
        if !known {
            self.meta.books.resolved += 1;
            // A recovery of an alert that never fired opens nothing. It is kept, for its firing may still come.
            alert.episode = next;
            alert.uncounted.add(event.ts);
            alert.unmatched_until = Some(due);
            self.meta.episodes = next;
            self.timers.insert((due, Timer::Unmatched(id)));
            let why = "recovery of an alert that did not fire";
            self.say_episode(next, None, Some(why), None, fold);
            return Some(next);
        }
        let episode = alert.episode;
        let back = alert.state_at.since(event.ts);
        if back > Span::ZERO && !stepped_back(alert, event, back) {
            self.meta.books.superseded += 1;
            self.count_quietly(id, event.ts);
            self.show_merged(id, fold);
            return Some(episode);
        }
        self.meta.books.resolved += 1;
        if alert.count == 0
            && let Some(before) = alert.unmatched_until.replace(due)
        {
            // Its firing may come as long after this one as after the first.
            self.timers.remove(&(before, Timer::Unmatched(id)));
            self.timers.insert((due, Timer::Unmatched(id)));
        }
        let was_firing = alert.firing();
        if was_firing {
            let held_s = event.ts.since(alert.state_at).as_secs_f64();
            let source = self.sources.entry(&event.source, Default::default);
            source.note_gap(held_s, true, fold.settings.grouping.interval_max_s);
        }
        alert.heard_at = fold.time;
        alert.state_at = event.ts;
        alert.status = Status::Resolved;
        let unheard = !was_firing || alert.incident.is_none();
        self.note_sender(id, |sender| sender.recoveries += 1);
        if unheard {
            self.count_quietly(id, event.ts);
        }
        if was_firing {
            let incident = self.alerts.get(&id).and_then(|alert| alert.incident);
            self.count_ending(id, Some(event.ts));
            self.flap(id, event.ts, fold);
            if let Some(incident) = incident {
                if back > Span::ZERO {
                    let text = format!("its sender's clock stepped back by {back}; the recovery came later");
                    let because = vec![Evidence::new(EvidenceKind::Skewed, back.as_secs_f64(), text)];
                    let what = What::new(ChangeKind::Note).alert(id).event(&event.event_id);
                    self.change(incident, what, because, fold);
                }
                self.member_ended(incident, id, event, fold);
            }
        }
        Some(episode)
    }

    /// A recovery has waited for its firing: within the lateness none came, so it is counted and forgotten.
    pub(crate) fn forget_unmatched(&mut self, id: AlertId) {
        let Some(alert) = self.alerts.get_mut(&id) else {
            return;
        };
        alert.unmatched_until = None;
        if alert.count == 0 {
            self.meta.books.quiet += alert.uncounted.events;
            let key = alert.dedup_key.clone();
            self.alerts.remove(&id);
            self.forget_recovery(&key);
            self.meta.books.unmatched += 1;
        }
    }
}

/// Whether a recovery whose `ts` lies `back` before the newest firing came after it all the same.
fn stepped_back(alert: &Alert, event: &Event, back: Span) -> bool {
    let behind = Place::of(event)
        .zip(alert.heard_from)
        .is_some_and(|(recovery, firing)| recovery.follows(&firing));
    // Where the sender says when the condition began, the recovery must be of the same one.
    let same = event.starts_at.is_none() || event.starts_at == alert.starts_at;
    alert.firing() && back < STEP_BACK && behind && same
}
