//! A firing event enters: what its source does, what the alert does, whether a fresh symptom appeared.

use model::{AlertId, Event, IncidentId, Severity, Span, Text, Time};

use crate::{
    engine::{Engine, Timer},
    fold::Fold,
    grouping::pending::{Kind, Look, Pending},
    noise::pace::Pace,
    settings::secs,
    state::{alert::Spot, system::Fresh},
};

/// What was found of an event on its way in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entered {
    /// It begins an episode.
    pub fresh: bool,
    /// It comes anew, and does not only go on after a pause.
    pub comes: bool,
    /// A running episode is due to be looked at again.
    pub look: bool,
    /// 0 info, 1 warning, 2 error or critical.
    pub weight: u8,
    /// It fired already, and its tool says by a key that it is the same.
    pub named_again: bool,
}

/// An alert that comes more than this often within a minute, and [`FLOOD_RATIO`] times oftener than ever before, breaks
/// its habit, and that is news however chronic it is.
const FLOOD_MINUTE: u32 = 30;
const FLOOD_RATIO: u32 = 3;

impl Engine {
    /// Counts a firing event in the habits of its source and its alert.
    pub(crate) fn observe(&mut self, id: AlertId, event: &Event, fold: &Fold<'_>) -> Entered {
        let t = event.ts;
        let episode = secs(fold.settings.grouping.episode_s);
        let alert = self.alerts.get_mut(&id).expect("made on arrival");
        let source = self.sources.entry(&event.source, Default::default);
        let habit = &mut alert.habit;
        let gap = habit.last.map(|last| t.since(last));
        let fresh = gap.is_none_or(|gap| gap > episode);
        let ran_s = habit
            .last
            .zip(habit.came)
            .map_or(0.0, |(last, came)| last.since(came).as_secs_f64());
        source.alerts += 1;
        source.heard_at = fold.time;
        source.high += u64::from(event.severity >= Severity::Error);
        source.repeats +=
            u64::from(gap.is_some_and(|gap| gap.as_secs_f64() <= 1.5 * fold.settings.grouping.episode_s));
        source.tick(t);
        let weight = source.weight(event.severity);

        if habit
            .minute_at
            .is_none_or(|at| t.since(at) >= Span::from_secs(60))
        {
            habit.minute_max = habit.minute_max.max(habit.minute);
            habit.minute = 0;
            habit.minute_at = Some(t);
        }
        habit.minute += 1;
        if habit.minute > FLOOD_MINUTE && habit.minute > FLOOD_RATIO * habit.minute_max {
            habit.broken = Some(t);
        }
        habit.first.get_or_insert(t);
        if fresh {
            habit.start = Some(t);
            habit.pace = Pace::default();
        }
        habit.note_pace(t);
        habit.last = Some(habit.last.map_or(t, |last| last.max(t)));
        let look = alert
            .settled
            .is_none_or(|settled| t.since(settled) >= secs(fold.settings.grouping.settle_s));

        let (system, named) = (alert.spot.system.clone(), alert.service.is_some());
        let entry = self.systems.entry(&system, Default::default);
        entry.named_service |= named;
        let bare = !alert.spot.known && !entry.named_service;
        let weight = weight.unwrap_or(if bare { 0 } else { 1 });
        // What nobody rated runs for days without being worse for it. A pause shorter than what it interrupts is no end: a
        // flood of hours that holds its breath for a minute has not come again. What is rated and comes in runs is judged
        // by how it begins.
        let (shortest_s, longest_s) = (
            fold.settings.grouping.episode_s,
            fold.settings.grouping.reach_unknown_s,
        );
        let comes = match bare && weight == 0 {
            true => gap.is_none_or(|gap| gap.as_secs_f64() > ran_s.clamp(shortest_s, longest_s)),
            false => fresh,
        };
        let habit = &mut self.alerts.get_mut(&id).expect("made on arrival").habit;
        if comes {
            habit.came = Some(t);
        }
        Entered {
            fresh,
            comes,
            look,
            weight,
            named_again: false,
        }
    }

    /// Queues an alert for its settlement; gives the number of the episode that begins.
    pub(crate) fn enqueue(
        &mut self,
        id: AlertId,
        t: Time,
        event_id: &Text,
        entered: Entered,
        fold: &mut Fold<'_>,
    ) -> u64 {
        if entered.fresh {
            self.note_delay(t, fold);
            self.count_rate(fold);
            self.note_usual(id, t, fold);
            if self.habitual(id, entered.weight, t, fold).is_some() {
                self.count_habitual(fold);
            }
        }
        let place = self.place_key(id);
        let alert = self.alerts.get(&id).expect("made on arrival");
        let sample = alert
            .habit
            .seen
            .is_none_or(|seen| t.since(seen) > Span::from_secs(600));
        let symptom = self.symptom(id);
        if entered.fresh || sample {
            self.places.entry(&place, Default::default).push(t, id);
        }
        // A firing that its own recovery has overtaken belongs with it.
        let overtaken = alert.episode > 0 && alert.settled.is_none() && alert.unsettled == 0;
        let episode = if overtaken {
            alert.episode
        } else {
            self.meta.episodes + 1
        };
        let mut pending = Pending {
            alert: id,
            t,
            due: fold.time + self.settle_wait(fold),
            fresh: entered.fresh,
            comes: entered.comes && !entered.named_again,
            named_again: entered.named_again,
            kind: Kind::Unnoticed,
            system: alert.spot.system.clone(),
            repeats: 0.0,
            weight: entered.weight,
            episode,
            event_id: event_id.clone(),
            announced: None,
            said: self.said_ahead(id, t, fold),
            look: Look::First,
        };
        if entered.fresh && self.chronic(id, entered.weight, t, fold).is_none() {
            self.note_outbreak(id, t, fold);
            self.note_together(id, t);
            let place = self.place_key(id);
            let alert = self.alerts.get(&id).expect("made on arrival");
            let node = alert.spot.node;
            self.places
                .entry(&place, Default::default)
                .minutes
                .count(t, symptom);
            let youngest = self.youngest_near(id, t, fold);
            let again = youngest.is_some_and(|incident| alert.showed_in(incident));
            pending.kind = if again { Kind::Again } else { Kind::New };
            pending.repeats = self
                .sources
                .get(&alert.source)
                .map_or(0.1, |source| source.repeat_share());
            pending.system = alert.spot.system.clone();
            let system = self.systems.entry(&pending.system, Default::default);
            system.expected += pending.repeats;
            system.again += u32::from(again);
            system.new += u32::from(!again);
            system.push(Fresh {
                t,
                node,
                again,
                repeats: pending.repeats,
                symptom,
                alert: id,
            });
        }
        let alert = self.alerts.get_mut(&id).expect("made on arrival");
        self.meta.episodes = self.meta.episodes.max(episode);
        alert.episode = episode;
        alert.unsettled += 1;
        self.meta.queued += 1;
        self.announce(&mut pending, fold);
        let (number, due) = (self.meta.queued, pending.due);
        self.order.insert(number, pending.waits());
        self.pending.insert(number, pending);
        self.timers.insert((due, Timer::Settle(t, number)));
        episode
    }

    /// What counts as the same symptom: the alert, or where only hosts are known, host, source and title.
    pub(crate) fn symptom(&self, id: AlertId) -> u64 {
        let alert = self
            .alerts
            .get(&id)
            .expect("alerts are remembered while they are referred to");
        if self.bare(id) { alert.class } else { id.high() }
    }

    /// Nothing but hosts is known where this alert happens: no topology, and no alert that ever named a service.
    pub(crate) fn bare(&self, id: AlertId) -> bool {
        let Some(alert) = self.alerts.get(&id) else {
            return false;
        };
        !alert.spot.known
            && self
                .systems
                .get(&alert.spot.system)
                .is_some_and(|system| !system.named_service)
    }

    /// Where the company of an alert is looked for.
    pub(crate) fn place_key(&self, id: AlertId) -> model::Text {
        let alert = self
            .alerts
            .get(&id)
            .expect("alerts are remembered while they are referred to");
        if self.bare(id) {
            compact_str::format_compact!("{}\u{1f}{}", alert.spot.system, alert.spot.entity)
        } else {
            alert.spot.system.clone()
        }
    }

    /// Where alerts of a spot may be remembered as company.
    pub(crate) fn place_keys(&self, spot: &Spot) -> [model::Text; 2] {
        let system = self.head(&spot.system);
        let host = compact_str::format_compact!("{system}\u{1f}{}", spot.entity);
        [system, host]
    }

    /// The youngest live incident that this alert could belong to.
    fn youngest_near(&self, id: AlertId, t: Time, fold: &Fold<'_>) -> Option<IncidentId> {
        let alert = self.alerts.get(&id)?;
        let system = self.systems.get(&alert.spot.system)?;
        let near = self.near(alert.spot.node, fold);
        system
            .live
            .iter()
            .filter_map(|incident| Some((*incident, self.incidents.get(incident)?)))
            .filter(|(_, state)| {
                near.as_ref().is_none_or(|near| {
                    self.linked(
                        state,
                        alert,
                        near,
                        t,
                        fold.settings.grouping.reach_unknown_s,
                        fold,
                    )
                })
            })
            .max_by_key(|(incident, state)| (state.begun, *incident))
            .map(|(incident, _)| incident)
    }
}
