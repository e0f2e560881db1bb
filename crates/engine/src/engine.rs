//! One domain: its alerts, incidents and habits, and the straight line that an event takes through them.
//!
//! arrive → enter (what is fresh, what is its habit) → settle ten seconds later (chronic? onset? join? open?) → live on
//! (repeat, resolve, reopen) → page → record. Each step is a file of its own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use model::{
    Actor, AlertId, Change, ChangeKind, Domain, DomainTag, EngineVersion, Event, EventKind, Evidence,
    IncidentId, Text, Time,
};
use serde::{Deserialize, Serialize};

use crate::{
    Books, EpisodeId, FOLD_VERSION, Output,
    cause::{History, suggest::Together},
    fold::Fold,
    grouping::{
        announce::Tentative,
        kin::{Kin, LateOutbreak, Outbreaks},
        pending::Pending,
    },
    intake::{delay::Delay, threshold::Tally},
    lineage::Bond,
    noise::{storm::Rate, transient::Endings, usual::Usual},
    settings::secs,
    state::{
        ahead,
        alert::{Alert, Habit},
        incident,
        pack::by_name,
        seen::Seen,
        source::Source,
        system::{Place, System, SystemKey},
        table::Table,
    },
    suppress::{inhibit::Firing, quiet::Quiet},
};

/// One domain.
#[derive(Debug)]
pub(crate) struct Engine {
    pub domain: Domain,
    pub tag: DomainTag,
    /// Whether anything may have changed since the last checkpoint; a domain that is silent writes no row.
    pub touched: bool,
    pub meta: Meta,
    pub seen: Seen,
    pub alerts: Table<AlertId, Alert>,
    pub incidents: Table<IncidentId, incident::State>,
    pub systems: Table<SystemKey, System>,
    pub places: Table<SystemKey, Place>,
    /// Habits of a title on a host, and of a title anywhere, where nothing but hosts is known.
    pub classes: Table<u64, Habit>,
    pub sources: Table<Text, Source>,
    /// How alerts of a class ended.
    pub endings: Table<u64, Endings>,
    /// How often, and when, alerts of a class come.
    pub usual: Table<u64, Usual>,
    /// What came lately of each value of a threshold.
    pub tallies: Table<u64, Tally>,
    /// Firing members, by what makes them explain others or be explained.
    pub firing: Firing,
    /// Alerts that wait for their settlement, in the order of their arrival.
    pub pending: Table<u64, Pending>,
    pub order: BTreeMap<u64, Waits>,
    /// Incidents that were announced and are not settled.
    pub tentative: Table<IncidentId, Tentative>,
    /// Systems that belong together by what alerts say, where the topology is silent.
    pub kin: Table<Text, Kin>,
    /// What operators said always or never belongs together.
    pub bonds: Table<u64, Bond>,
    /// When systems broke out, to learn which keep doing so together.
    pub outbreaks: Table<Text, Outbreaks>,
    /// When entities broke out and what beside them, to suggest what the topology lacks.
    pub together: Table<Text, Together>,
    /// Alerts whose company is looked at again 30 s after they came.
    pub learning: Table<u64, Pending>,
    pub quiets: Table<u64, Quiet>,
    /// Silences and maintenance windows that hold now.
    pub active_quiets: BTreeSet<u64>,
    /// Changes of late, newest last, for the ranking of causes.
    pub changes: Vec<RecentChange>,
    /// What earlier incidents taught about causes.
    pub history: History,
    pub open: BTreeSet<IncidentId>,
    pub timers: BTreeSet<(Time, Timer)>,
    /// Incidents whose record is due at the end of this step.
    pub urgent: BTreeSet<IncidentId>,
}

/// What is asked of all that wait, which stands together so that asking costs no look at each of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waits {
    pub t: Time,
    pub announced: Option<IncidentId>,
}

/// What a domain counts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Meta {
    pub domain: Option<Domain>,
    /// Of the last change.
    pub seq: u64,
    pub episodes: u64,
    pub queued: u64,
    pub quiets: u64,
    pub bonds: u64,
    /// Of the topology that its rows rest on.
    pub serial: u32,
    /// Rises whenever two families become one.
    pub families: u32,
    /// Systems that broke out of late, newest last.
    pub late: VecDeque<LateOutbreak>,
    /// Entities that did, known ones too.
    pub began: VecDeque<(Text, Time)>,
    /// When what ended was last looked through for room, and when everything old was forgotten.
    pub looked: Option<Time>,
    pub swept: Option<Time>,
    /// When what is beyond its bounds was last looked through.
    pub room_at: Option<Time>,
    /// When something was last shed, and when that was last said.
    pub limit_at: Option<Time>,
    pub limit_said: Option<Time>,
    pub books: Books,
    pub rate: Rate,
    #[serde(default)]
    pub delay: Delay,
    /// How many alerts a minute do what they usually do.
    pub habitual: Rate,
    /// `ts` of the first alert, the lateness before it came at most: since when the domain has been watched.
    pub since: Option<Time>,
    /// Stream time of the newest event.
    #[serde(default)]
    pub heard: Option<Time>,
    pub changes: Vec<RecentChange>,
    /// Incidents whose page may tell of other old news, oldest first.
    #[serde(default)]
    pub telling: VecDeque<IncidentId>,
    /// Incidents that began last, newest last.
    #[serde(default)]
    pub begun: VecDeque<(Time, IncidentId)>,
    /// How many began lately.
    #[serde(default)]
    pub begins: crate::state::incident::Decaying,
    /// What was said of alerts that did not come yet, oldest first, each until when it is kept.
    #[serde(default, with = "by_name")]
    pub said_ahead: VecDeque<(Time, Event)>,
    /// Recoveries without a key or a firing, oldest first, each until when its firing may still come.
    #[serde(default, with = "by_name")]
    pub recovered_ahead: VecDeque<(Time, Event)>,
    /// The instant for which the silences and windows that begin in it were last begun.
    #[serde(default)]
    pub quiets_begun: Option<Time>,
    /// Alerts that fired anew, long after they last did, whose sender had not said that they were over.
    #[serde(default)]
    pub anew: u64,
}

/// A change that may be the cause of what follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecentChange {
    pub event_id: Text,
    pub at: Time,
    pub title: Text,
    pub entity: Text,
    pub node: Option<u32>,
}

/// What happens at a point of stream time without an input. At one point they happen in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The topology changed.
    Renew,
    /// A silence or maintenance window begins or ends.
    Quiet(u64),
    /// A waiting alert is settled.
    /// Of those that are due at once, what happened first goes first, in whichever order they came.
    Settle(Time, u64),
    /// An alert's company is looked at.
    Learn(u64),
    /// What is said of a limit may be over.
    Limit,
    /// A minute of a storm is over.
    Storm,
    /// A recovery has waited for its firing.
    Unmatched(AlertId),
    /// A flapping alert has something to say, or is steady again.
    Flap(AlertId),
    /// An alert may have gone stale.
    Stale(AlertId),
    /// An incident may end, be paged, or be forgotten.
    Incident(IncidentId),
    /// The record of an incident is due.
    Publish(IncidentId),
}

const CHANGES_MAX: usize = 256;

impl Engine {
    pub(crate) fn new(domain: Domain) -> Engine {
        Engine {
            tag: domain.tag(),
            touched: true,
            meta: Meta {
                domain: Some(domain.clone()),
                ..Meta::default()
            },
            domain,
            seen: Seen::default(),
            alerts: Table::default(),
            incidents: Table::default(),
            systems: Table::default(),
            places: Table::default(),
            classes: Table::default(),
            sources: Table::default(),
            endings: Table::default(),
            usual: Table::default(),
            tallies: Table::default(),
            firing: Firing::default(),
            pending: Table::default(),
            order: BTreeMap::new(),
            tentative: Table::default(),
            kin: Table::default(),
            bonds: Table::default(),
            outbreaks: Table::default(),
            together: Table::default(),
            learning: Table::default(),
            quiets: Table::default(),
            active_quiets: BTreeSet::new(),
            changes: Vec::new(),
            history: History::default(),
            open: BTreeSet::new(),
            timers: BTreeSet::new(),
            urgent: BTreeSet::new(),
        }
    }

    /// Folds one event; `input` is its number within the shard.
    pub(crate) fn event(&mut self, event: &Event, input: u64, fold: &mut Fold<'_>) {
        self.renew(fold);
        self.forget_ahead(fold.time);
        self.sweep(fold);
        let lacked_room = self.lacked_room();
        self.meta.heard = Some(fold.time);
        self.meta.books.events += 1;
        if self
            .seen
            .again(&event.event_id, fold.time, fold.settings.life.lateness_s)
        {
            self.meta.books.redelivered += 1;
            let own = AlertId::new(&self.domain, &event.dedup_key);
            let alert = self.alerts.get(&own).or_else(|| {
                let ends = event.kind == EventKind::Alert && event.status == model::Status::Resolved;
                let ended = ends.then(|| self.ended_by(event, fold)).flatten()?;
                self.alerts.get(&ended)
            });
            let episode = alert.map(|alert| alert.episode);
            fold.placed(
                input,
                episode.map(|number| EpisodeId {
                    domain: self.tag,
                    number,
                }),
            );
            return;
        }
        if fold.time.since(event.ts) > secs(fold.settings.life.lateness_s) {
            self.meta.books.late += 1;
        }
        match event.kind {
            EventKind::Alert if self.named(event).is_some() => {
                self.meta.books.other += 1;
                self.take(event, fold);
                fold.placed(input, None);
            }
            EventKind::Alert if event.status != model::Status::Info => {
                let episode = match self.dropped(event, fold) {
                    Some(episode) => Some(episode),
                    None => match self.find_room(event, fold) {
                        Some(shed) => Some(shed),
                        None => self.arrive(event, fold),
                    },
                };
                fold.placed(
                    input,
                    episode.map(|number| EpisodeId {
                        domain: self.tag,
                        number,
                    }),
                );
            }
            kind => {
                self.meta.books.other += 1;
                match kind {
                    _ if self.command(event, fold) => {}
                    EventKind::Change => self.remember_change(event, fold),
                    EventKind::Ack => self.take(event, fold),
                    EventKind::Feedback => self.feedback(event, fold),
                    EventKind::Silence | EventKind::Maintenance => self.quiet(event, fold),
                    // An alert that is neither firing nor resolved is for reading; the others steer nothing yet.
                    EventKind::Alert | EventKind::Topology | EventKind::Heartbeat => {}
                }
                fold.placed(input, None);
            }
        }
        self.make_room(lacked_room, fold);
        self.publish_urgent(fold);
    }

    /// Does what is due at the earliest deadline; `fold.time` is that deadline.
    pub(crate) fn timer(&mut self, fold: &mut Fold<'_>) {
        let Some((at, timer)) = self.timers.pop_first() else {
            return;
        };
        self.renew(fold);
        self.forget_ahead(fold.time);
        debug_assert_eq!(at, fold.time, "timers are fired at their deadline");
        match timer {
            // Done above, as before everything else that happens after a change.
            Timer::Renew => {}
            Timer::Quiet(number) => self.turn_quiet(number, fold),
            Timer::Settle(_, number) => self.settle(number, fold),
            Timer::Learn(number) => self.learn(number, fold),
            Timer::Limit => self.look_limit(fold),
            Timer::Storm => self.look_storm(fold),
            Timer::Unmatched(id) => self.forget_unmatched(id),
            Timer::Flap(id) => self.look_flapping(id, fold),
            Timer::Stale(id) => self.look_stale(id, fold),
            Timer::Incident(id) => self.wake(id, fold),
            Timer::Publish(id) => {
                if let Some(state) = self.incidents.get_mut(&id) {
                    state.publish_at = None;
                    self.urgent.insert(id);
                }
            }
        }
        self.publish_urgent(fold);
    }

    /// Forgets what overtook something that did not come.
    fn forget_ahead(&mut self, now: Time) {
        ahead::forget(&mut self.meta.said_ahead, now);
        ahead::forget(&mut self.meta.recovered_ahead, now);
    }

    /// The earliest deadline.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.timers.first().map(|(at, _)| *at)
    }

    fn remember_change(&mut self, event: &Event, fold: &Fold<'_>) {
        let spot = crate::state::spot::locate_then(event, fold);
        if self.changes.len() == CHANGES_MAX {
            self.changes.remove(0);
        }
        self.changes.push(RecentChange {
            event_id: event.event_id.clone(),
            at: event.starts_at.unwrap_or(event.ts),
            title: event.title.clone(),
            entity: spot.entity,
            node: spot.node,
        });
    }

    /// Writes a change record and raises the revision of its incident.
    pub(crate) fn change(&mut self, id: IncidentId, what: What, because: Vec<Evidence>, fold: &mut Fold<'_>) {
        let revision = if let Some(state) = self.incidents.get_mut(&id) {
            state.revision += 1;
            state.updated_at = fold.time;
            state.revision
        } else if let Some(tentative) = self.tentative.get_mut(&id) {
            tentative.revision += 1;
            tentative.revision
        } else {
            return;
        };
        self.meta.seq += 1;
        fold.out.push(Output::Change(Box::new(Change {
            seq: self.meta.seq,
            at: fold.time,
            domain: self.domain.clone(),
            incident_id: id,
            revision,
            change: what.kind,
            alert_id: what.alert,
            event_id: what.event,
            from: what.from,
            to: what.to,
            mode: what.mode,
            actor: what.actor,
            because,
            amends: what.amends,
            engine: version(fold),
        })));
        if what.ahead || self.incidents.get(&id).is_none() {
            // Records hold what is settled.
        } else if what.kind.is_news() {
            self.urgent.insert(id);
        } else {
            self.publish_soon(id, fold);
        }
    }

    /// Sets the next timer of an incident to the earliest of what it has now and `at`.
    pub(crate) fn wake_at(&mut self, id: IncidentId, at: Time, fold: &Fold<'_>) {
        let at = at.max(fold.time);
        let Some(state) = self.incidents.get_mut(&id) else {
            return;
        };
        if state.wake.is_some_and(|wake| wake <= at) {
            return;
        }
        if let Some(wake) = state.wake.replace(at) {
            self.timers.remove(&(wake, Timer::Incident(id)));
        }
        self.timers.insert((at, Timer::Incident(id)));
    }
}

/// What a change record says beside its incident.
pub(crate) struct What {
    pub kind: ChangeKind,
    pub alert: Option<AlertId>,
    pub event: Option<Text>,
    pub from: Option<Text>,
    pub to: Option<Text>,
    pub mode: Option<model::PageMode>,
    pub actor: Actor,
    pub amends: bool,
    /// It announces what no record shows before it is settled.
    pub ahead: bool,
}

impl What {
    pub(crate) fn new(kind: ChangeKind) -> What {
        What {
            kind,
            alert: None,
            event: None,
            from: None,
            to: None,
            mode: None,
            actor: Actor::ENGINE,
            amends: false,
            ahead: false,
        }
    }
    pub(crate) fn alert(mut self, alert: AlertId) -> What {
        self.alert = Some(alert);
        self
    }
    pub(crate) fn event(mut self, event: &Text) -> What {
        self.event = Some(event.clone());
        self
    }
    pub(crate) fn from(mut self, from: impl Into<Text>) -> What {
        self.from = Some(from.into());
        self
    }
    pub(crate) fn to(mut self, to: impl Into<Text>) -> What {
        self.to = Some(to.into());
        self
    }
    pub(crate) fn mode(mut self, mode: model::PageMode) -> What {
        self.mode = Some(mode);
        self
    }
    pub(crate) fn actor(mut self, actor: impl Into<Text>) -> What {
        self.actor = Actor(actor.into());
        self
    }
}

/// Whether a change is published at once or may wait for the next second.
trait News {
    fn is_news(&self) -> bool;
}

impl News for ChangeKind {
    fn is_news(&self) -> bool {
        !matches!(
            self,
            ChangeKind::Joined | ChangeKind::Note | ChangeKind::Suppressed | ChangeKind::Released
        )
    }
}

pub(crate) fn version(fold: &Fold<'_>) -> EngineVersion {
    EngineVersion {
        version: FOLD_VERSION,
        rules: 0,
        weights: 0,
        topology: fold.graph.version().into(),
    }
}
