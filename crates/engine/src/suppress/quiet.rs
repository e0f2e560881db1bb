//! Silences and maintenance windows: alerts that they match stay in their incident but call nobody while they hold.
//!
//! They come in as events of kind `silence` and `maintenance`, so they stand in the journal with author, reason and end;
//! Alertmanager's own are read from its API. One that comes again under the same id replaces the former; `resolved`
//! ends it. What was said before (by `ts`) replaces nothing. One that is over is remembered for the lateness, and one that
//! was lifted until the end that it had, so that an older copy does not bring it back. When one begins or ends, every open incident is looked at again: what still
//! fires then is paged for.

use model::{AlertId, ChangeKind, Event, EventKind, Evidence, EvidenceKind, Status, Text, Time};
use serde::{Deserialize, Serialize};

use crate::{
    engine::{Engine, Timer, What},
    fold::Fold,
    noise::kept::kept,
    settings::secs,
    state::alert::{Alert, By, Quieted},
    suppress::{calendar::Calendar, matcher::Matchers},
};

/// A silence or a maintenance window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Quiet {
    pub id: Text,
    pub maintenance: bool,
    pub matchers: Matchers,
    /// Whatever depends on what the matchers name is meant, too.
    pub dependants: bool,
    /// The window that holds or comes next.
    pub from: Time,
    pub until: Time,
    /// When it comes again, and from when until when it may.
    pub calendar: Option<Calendar>,
    pub begins: Time,
    pub ends: Time,
    pub author: Text,
    pub reason: Text,
    /// `ts` of the event that said it.
    pub said: Time,
    /// Stream time of its timer.
    pub due: Time,
    /// Until when it would have held, where it was lifted before.
    #[serde(default)]
    pub lifted: Option<Time>,
}

/// A silence without an end holds for this long.
const DEFAULT_HOURS: i64 = 2;
/// Silences and windows of a domain at one time; one more is refused and counted.
const QUIETS_MAX: usize = 1000;
/// Days for which one that was lifted is remembered at the most.
const LIFTED_DAYS: i64 = 30;
/// How far dependence on an entity under maintenance reaches.
const DEPENDANT_HOPS_MAX: u32 = 8;

impl Quiet {
    /// What is asked for; `None` where that is not understood.
    fn read(event: &Event) -> Option<Quiet> {
        let label = |name: &str| event.labels.get(name).filter(|value| !value.is_empty());
        let matchers = match label("matchers").or_else(|| label("scope")) {
            Some(said) => Matchers::parse(said),
            None => {
                let named = [("service", &event.service), ("host", &event.host)];
                Matchers::equal(named.iter().filter_map(|(n, v)| Some((*n, v.as_deref()?))))
            }
        };
        let from = event.starts_at.unwrap_or(event.ts);
        let calendar = match label("times") {
            Some(times) => {
                let weekdays = label("weekdays").unwrap_or_default();
                Some(Calendar::parse(
                    weekdays,
                    times,
                    label("location").unwrap_or_default(),
                )?)
            }
            None => None,
        };
        let ends = event.ends_at.unwrap_or(match calendar {
            Some(_) => Time::MAX,
            None => from + model::Span::from_hours(DEFAULT_HOURS),
        });
        let or = |name: &str, other: &str, default: &Text| {
            label(name).or(label(other)).map_or(default.clone(), Text::from)
        };
        Some(Quiet {
            id: or("silence_id", "maintenance_id", &Text::default()),
            maintenance: event.kind == EventKind::Maintenance,
            matchers: matchers.ok()?,
            dependants: label("dependants").is_some_and(|said| said == "true"),
            from,
            until: ends,
            calendar,
            begins: from,
            ends,
            author: or("author", "created_by", &event.source),
            reason: or("reason", "comment", &event.title),
            said: event.ts,
            due: from,
            lifted: None,
        })
    }

    /// Moves on to the window that holds at `t` or comes next; `false` when there is none any more.
    fn turn(&mut self, t: Time) -> bool {
        if let Some(calendar) = &self.calendar {
            let Some((from, until)) = calendar.at_or_after(t.max(self.begins)) else {
                return false;
            };
            (self.from, self.until) = (from.max(self.begins), until.min(self.ends));
        }
        self.due = if self.from > t { self.from } else { self.until };
        self.until > t
    }

    pub(crate) fn holds_at(&self, t: Time) -> bool {
        self.from <= t && t < self.until
    }

    fn matches(&self, alert: &Alert, fold: &Fold<'_>) -> bool {
        // Nodes of an older topology are void.
        let graph = (alert.spot.serial == fold.serial).then_some(fold.graph);
        match graph {
            Some(graph) if self.dependants => {
                self.matchers.hold_of_dependants(alert, graph, DEPENDANT_HOPS_MAX)
            }
            graph => self.matchers.hold(alert, graph),
        }
    }

    fn word(&self) -> &'static str {
        if self.maintenance {
            "maintenance"
        } else {
            "silence"
        }
    }
}

impl Engine {
    /// A silence or a maintenance window is announced, changed, or ended.
    pub(crate) fn quiet(&mut self, event: &Event, fold: &mut Fold<'_>) {
        let Some(mut quiet) = Quiet::read(event).or_else(|| self.ended_by_id(event)) else {
            // Nothing is named, or not understood: silencing everything is never what was meant.
            self.meta.books.quiets_refused += 1;
            return;
        };
        let known = self.quiets.keys().into_iter().find(|number| {
            let other = self.quiets.get(number).expect("the key was just read");
            !quiet.id.is_empty() && other.id == quiet.id && other.maintenance == quiet.maintenance
        });
        let before = known.and_then(|number| self.quiets.get(&number));
        if before.is_some_and(|before| quiet.said < before.said) {
            return;
        }
        if event.status == Status::Resolved {
            let until = |before: &Quiet| before.lifted.unwrap_or(before.ends);
            quiet.lifted = before.map(until).max(Some(quiet.ends));
            let mut ends = fold.time;
            if let Some(before) = before.filter(|before| before.holds_at(fold.time)) {
                // Who edits a silence ends it and makes another, so what takes over from it is waited for.
                ends = match before.lifted {
                    Some(_) => before.until,
                    None => before.until.min(fold.time + self.settle_wait(fold)),
                };
                quiet = Quiet {
                    lifted: quiet.lifted,
                    said: quiet.said,
                    ..before.clone()
                };
            }
            (quiet.ends, quiet.until, quiet.calendar) = (ends, ends, None);
        }
        let over = !quiet.turn(fold.time);
        let number = match known {
            Some(number) => number,
            None if over && quiet.lifted.is_none_or(|until| until <= fold.time) => return,
            None if !self.has_room_for_quiet() => {
                self.meta.books.quiets_refused += 1;
                return;
            }
            None => {
                self.meta.quiets += 1;
                self.meta.quiets
            }
        };
        if quiet.id.is_empty() {
            quiet.id = compact_str::format_compact!("#{number}");
        }
        if let Some(before) = self.quiets.get(&number) {
            if *before == quiet {
                return;
            }
            self.timers.remove(&(before.due, Timer::Quiet(number)));
        }
        self.quiets.insert(number, quiet);
        self.turn_quiet(number, fold);
    }

    /// What an end that names a silence by its id alone, as people write it, is the end of.
    fn ended_by_id(&self, event: &Event) -> Option<Quiet> {
        let label = |name: &str| event.labels.get(name).filter(|id| !id.is_empty());
        let id = label("silence_id").or_else(|| label("maintenance_id"))?;
        let maintenance = event.kind == EventKind::Maintenance;
        let known = self.quiets.keys().into_iter().find_map(|number| {
            let quiet = self.quiets.get(&number)?;
            (quiet.id == *id && quiet.maintenance == maintenance).then_some(quiet)
        });
        let quiet = known.filter(|_| event.status == Status::Resolved)?;
        Some(Quiet {
            said: event.ts,
            ..quiet.clone()
        })
    }

    /// Whether one more may be kept; what was lifted gives way.
    fn has_room_for_quiet(&mut self) -> bool {
        if self.quiets.len() < QUIETS_MAX {
            return true;
        }
        let lifted = |number: &u64| self.quiets.get(number).filter(|quiet| quiet.lifted.is_some());
        let all = self.quiets.keys().into_iter();
        let first = all
            .filter_map(|number| Some((lifted(&number)?.due, number)))
            .min();
        let Some((due, number)) = first else { return false };
        self.timers.remove(&(due, Timer::Quiet(number)));
        self.quiets.remove(&number);
        true
    }

    /// A silence or window begins, ends or was changed: what it holds is judged anew.
    pub(crate) fn turn_quiet(&mut self, number: u64, fold: &mut Fold<'_>) {
        self.begin_quiets(fold.time);
        let Some(quiet) = self.quiets.get_mut(&number) else {
            return;
        };
        let holds_on = quiet.turn(fold.time);
        if !holds_on {
            let latest = fold.time + model::Span::from_hours(24 * LIFTED_DAYS);
            let over = quiet.until + secs(fold.settings.life.lateness_s);
            quiet.due = quiet.lifted.map_or(over, |until| until.min(latest).max(over));
            // Once it was looked at, its time is up.
            quiet.lifted = quiet.lifted.map(|until| until.min(latest));
        }
        if quiet.holds_at(fold.time) {
            self.active_quiets.insert(number);
        } else {
            self.active_quiets.remove(&number);
        }
        if holds_on || quiet.due > fold.time {
            self.timers.insert((quiet.due, Timer::Quiet(number)));
        } else {
            self.quiets.remove(&number);
        }
        for id in self.open.clone() {
            let members: Vec<AlertId> = self
                .incidents
                .get(&id)
                .map(|state| state.members.keys().copied().collect())
                .unwrap_or_default();
            for alert in members {
                self.look_quiet(alert, fold);
            }
            self.consider_page(id, fold);
        }
    }

    /// What begins in the very instant in which another ends takes over from it: nothing lies between.
    /// Once an instant is enough: all that are due in it are due before the first of them turns.
    fn begin_quiets(&mut self, now: Time) {
        if self.meta.quiets_begun.replace(now) == Some(now) {
            return;
        }
        let until = (now, Timer::Quiet(u64::MAX));
        let due = self.timers.range(..=until).filter_map(|(_, timer)| match timer {
            Timer::Quiet(number) => Some(*number),
            _ => None,
        });
        for number in due.collect::<Vec<_>>() {
            if let Some(quiet) = self.quiets.get_mut(&number)
                && quiet.turn(now)
                && quiet.holds_at(now)
            {
                self.active_quiets.insert(number);
            }
        }
    }

    /// Says of a member whether something keeps it quiet, and of a change that it changed.
    pub(crate) fn look_quiet(&mut self, id: AlertId, fold: &mut Fold<'_>) {
        let Some(alert) = self.alerts.get(&id) else { return };
        let Some(incident) = alert.incident else { return };
        let quieted = self
            .quieted_by_record(alert, fold)
            .or_else(|| self.inhibited(id, fold));
        let same = |a: &Quieted, b: &Quieted| a.by == b.by && a.until == b.until;
        match (&quieted, &alert.quieted) {
            (None, None) => return,
            (Some(now), Some(before)) if same(now, before) => return,
            _ => {}
        }
        let before = alert.quieted.as_deref().cloned();
        let episode = alert.episode;
        self.alerts.get_mut(&id).expect("looked up above").quieted = quieted.clone().map(Box::new);
        let Some(state) = self.incidents.get_mut(&incident) else {
            return;
        };
        let Some(quieted) = quieted else {
            if state.unsuppress(id).is_none() {
                state.suppressed_unlisted = state.suppressed_unlisted.saturating_sub(1);
            }
            let before = before.expect("one of the two is there");
            if self.alerts.get(&id).is_some_and(|alert| alert.firing()) {
                // What recovered before was quiet to its end.
                self.say_episode(episode, Some(incident), None, None, fold);
            }
            let because = vec![Evidence::new(
                before.kind,
                0.0,
                format!("{} is over", before.reason),
            )];
            let what = What::new(ChangeKind::Released).alert(id).from(before.reason);
            return self.change(incident, what, because, fold);
        };
        if before.is_some() && state.unsuppress(id).is_none() {
            state.suppressed_unlisted = state.suppressed_unlisted.saturating_sub(1);
        }
        let alert = self.alerts.get(&id).expect("looked up above");
        let mut entry = kept(
            id,
            alert,
            quieted.name.clone(),
            quieted.until,
            quieted.reason.to_string(),
            fold,
        );
        entry.since = quieted.since;
        state.suppress(entry, fold.settings.limits.members_max);
        self.meta.books.quiet += u64::from(before.is_none());
        let (value, text) = match quieted.until {
            Some(until) => {
                let left = until.since(fold.time).as_secs_f64();
                (left, format!("{} until {until}", quieted.reason))
            }
            None => (quieted.value, quieted.reason.to_string()),
        };
        let because = vec![Evidence::new(quieted.kind, value, text)];
        self.say_episode(episode, Some(incident), Some(&quieted.reason), None, fold);
        if let (By::Alert(_), Some(until)) = (quieted.by, quieted.until) {
            self.wake_at(incident, until, fold);
        }
        let what = What::new(ChangeKind::Suppressed).alert(id).to(quieted.reason);
        self.change(incident, what, because, fold);
    }

    /// Whether any maintenance window lasts.
    pub(crate) fn has_works(&self) -> bool {
        let mut quiets = self
            .active_quiets
            .iter()
            .filter_map(|number| self.quiets.get(number));
        quiets.any(|quiet| quiet.maintenance)
    }

    /// Whether a maintenance window holds an alert.
    pub(crate) fn is_worked_on(&self, alert: &Alert, fold: &Fold<'_>) -> bool {
        let mut quiets = self
            .active_quiets
            .iter()
            .filter_map(|number| self.quiets.get(number));
        quiets.any(|quiet| quiet.maintenance && quiet.matches(alert, fold))
    }

    /// The first silence or maintenance window that holds an alert.
    fn quieted_by_record(&self, alert: &Alert, fold: &Fold<'_>) -> Option<Quieted> {
        self.active_quiets.iter().find_map(|number| {
            let quiet = self.quiets.get(number)?;
            quiet.matches(alert, fold).then(|| Quieted {
                by: By::Quiet(*number),
                name: compact_str::format_compact!("{} {}", quiet.word(), quiet.id),
                since: fold.time,
                until: Some(quiet.until),
                reason: compact_str::format_compact!(
                    "{} by {}: {}",
                    quiet.word(),
                    quiet.author,
                    quiet.reason
                ),
                kind: match quiet.maintenance {
                    true => EvidenceKind::Maintenance,
                    false => EvidenceKind::Silence,
                },
                value: 0.0,
            })
        })
    }
}
