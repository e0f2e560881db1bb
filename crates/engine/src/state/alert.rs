//! What is remembered of one alert: its newest state, its place, and its habits.

use model::{Event, IncidentId, Severity, Status, Text, Time};
use serde::{Deserialize, Serialize};

use crate::{
    cause::{AlertKind, kind_of},
    intake::merge::Said,
    noise::{pace::Pace, usual::Rarity},
    state::seldom::{New, Scarce, Seldom},
};

/// One alert: the events of one dedup key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Alert {
    pub dedup_key: Text,
    pub source: Text,
    pub title: Text,
    /// First 512 bytes of the newest text; what reads it compares words, and words decide early.
    #[serde(default)]
    pub text: Text,
    pub service: Option<Text>,
    pub host: Option<Text>,
    /// Labels that a silence or a cause may ask for: caller, callee, pod, namespace, …
    #[serde(default)]
    pub labels: model::Labels,
    /// Where it happens, as far as the topology knows.
    pub spot: Spot,
    /// Hash of (entity, source, title).
    pub class: u64,
    /// What it speaks of, by its words.
    pub kind: AlertKind,

    /// The newest state by `ts`; at equal `ts` resolved wins over firing.
    pub status: Status,
    pub state_at: Time,
    pub severity: Severity,
    /// `ts` of the newest firing event, which is what `severity` is of.
    pub severity_at: Time,
    /// What was said lately of the fields that are merged; empty unless something is.
    #[serde(default)]
    pub said: Scarce<Vec<Said>>,
    /// When the present condition began, by the sender's word or the first event.
    pub onset: Time,
    pub first_at: Time,
    #[serde(default)]
    pub count: u64,
    /// Stream time of the newest event.
    pub heard_at: Time,

    /// Where in which raw partition its newest firing event stood, and when that said the condition began.
    pub heard_from: Option<Place>,
    pub starts_at: Option<Time>,
    /// Stream time of the timer that looks whether it is stale.
    pub stale_due: Option<Time>,
    /// How often its like came before, and the share that came in this hour of the week.
    pub rarity: Option<Rarity>,
    pub season: Option<Box<f64>>,
    /// The list of what is kept quiet that it is on, and its day.
    pub listed: Option<Box<(Time, IncidentId)>>,
    /// How many ids of incidents were made of it, with the onset at which.
    pub minted: Option<Box<(Time, u32)>>,

    /// Until when a recovery without a firing is kept.
    pub unmatched_until: Option<Time>,

    /// The run of events that is placed together.
    #[serde(default)]
    pub episode: u64,
    /// `ts` of the newest firing event that came after a recovery.
    #[serde(default)]
    pub back_at: Option<Time>,
    /// Settlements under way.
    #[serde(default)]
    pub unsettled: u32,
    /// Events of the running episode that no incident counts yet, and the times of the first and last of them.
    #[serde(default)]
    pub uncounted: Scarce<Uncounted>,
    /// `ts` of the event that was settled last.
    pub settled: Option<Time>,
    pub incident: Option<IncidentId>,
    /// Incidents it was in before, newest last.
    #[serde(default)]
    pub past: Scarce<Vec<IncidentId>>,
    /// The incident that it opened last.
    pub opened: Option<Box<IncidentId>>,
    /// In its incident without carrying it.
    #[serde(default)]
    pub passive: bool,
    /// Why it is placed nowhere, if so.
    pub muted: Option<Box<Text>>,
    /// What keeps it quiet in its incident, if anything.
    pub quieted: Option<Box<Quieted>>,

    pub habit: Habit,
    #[serde(default)]
    pub flap: Seldom<Flap>,
    /// `ts` of the recovery after which it fired again at `back_at`.
    #[serde(default)]
    pub well_at: Option<Time>,
}

/// Events that wait with their alert for its settlement: whoever takes the alert in counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Uncounted {
    pub events: u64,
    /// `ts` of the earliest and the latest.
    pub span: Option<(Time, Time)>,
}

impl New for Uncounted {
    const NEW: &'static Uncounted = &Uncounted {
        events: 0,
        span: None,
    };
}

impl Uncounted {
    pub(crate) fn add(&mut self, t: Time) {
        self.events += 1;
        let (first, last) = self.span.unwrap_or((t, t));
        self.span = Some((first.min(t), last.max(t)));
    }
}

/// What keeps an alert quiet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Quieted {
    pub by: By,
    /// What keeps it, by name: a silence, a window, an alert.
    pub name: Text,
    pub since: Time,
    /// Until when, where that is known.
    pub until: Option<Time>,
    pub reason: Text,
    /// What sort of reason, with its number.
    pub kind: model::EvidenceKind,
    pub value: f64,
}

/// What keeps an alert quiet, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum By {
    /// A silence or maintenance window.
    Quiet(u64),
    /// A firing alert that explains it.
    Alert(model::AlertId),
}

/// A place in a raw partition.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Hash of topic and partition.
    pub log: u64,
    pub offset: u64,
    pub index: u32,
}

impl Place {
    pub(crate) fn of(event: &Event) -> Option<Place> {
        let Some(model::Origin::Log {
            topic,
            partition,
            offset,
            index,
        }) = &event.origin
        else {
            return None;
        };
        let mut hash = model::Hash128::new("raw");
        hash.part(topic.as_bytes()).part(&partition.to_be_bytes());
        Some(Place {
            log: (hash.finish() >> 64) as u64,
            offset: *offset,
            index: *index,
        })
    }

    /// Whether it is in the same partition, and behind.
    pub(crate) fn follows(&self, other: &Place) -> bool {
        self.log == other.log && (self.offset, self.index) > (other.offset, other.index)
    }
}

/// Where an alert happens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Spot {
    /// Serial of the topology that resolved it.
    pub serial: u32,
    /// How many families had joined when its system was looked up.
    pub family: u32,
    /// The thing that is broken: id of a topology node, or the name as the sender has it.
    pub entity: Text,
    /// Its node.
    pub node: Option<u32>,
    /// Node of the host it is on.
    pub host_node: Option<u32>,
    /// Node of the caller, where the alert is about a call.
    pub caller: Option<u32>,
    /// Node of the callee.
    pub callee: Option<u32>,
    /// What it is correlated within: a component of the topology, or a label or name that stands for one.
    pub system: Text,
    /// Whether the system is a component of the topology.
    pub known: bool,
    /// Whether it was looked up in a topology that was over already; a newer event is looked up anew.
    pub past: bool,
    /// Whether a name of it could mean several things.
    #[serde(default)]
    pub ambiguous: bool,
}

/// What an alert usually does. Grown from its own past only.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Habit {
    /// `ts` of its newest firing event.
    pub last: Option<Time>,
    /// `ts` at which the present run of events began.
    pub start: Option<Time>,
    pub first: Option<Time>,
    /// Runs so far, and how many of them came alone.
    pub episodes: u32,
    pub alone: u32,
    /// Decaying count of the runs that came alone.
    pub recent: f64,
    pub recent_at: Option<Time>,
    /// When its newest episode was judged, how long the gaps between episodes are on average, and how far they stray
    /// from that on average, as a share of it.
    pub judged: Option<Time>,
    pub gap_s: f64,
    pub stray: f64,
    /// 0 not chronic, 1 for info, 2 for warnings, 3 for errors.
    pub level: u8,
    /// The worst severity of the runs that are counted.
    pub worst: Option<Severity>,
    /// When its company was last looked at.
    pub seen: Option<Time>,
    /// How long its sender waits before it says the same again, how far that strays, and how often it was seen.
    pub repeat_s: f64,
    pub repeat_stray_s: f64,
    pub repeats: u32,
    /// When it last came out of a silence longer than what that interrupted, which is what its habit counts.
    #[serde(default)]
    pub came: Option<Time>,
    /// How densely the present run comes.
    pub pace: Pace,
    /// Events in the running minute, and the most in any before.
    pub minute: u32,
    pub minute_at: Option<Time>,
    pub minute_max: u32,
    /// When it will have fired for longer than its like ever did, if that is waited for.
    pub overdue: Option<Time>,
    /// When it last came far oftener than ever.
    pub broken: Option<Time>,
    /// Symptoms it was seen with where nothing but hosts is known, else from the second time on that it came alone. At most 16.
    pub mates: Scarce<Vec<u64>>,
}

/// How often the state changes: the penalty of RFC 2439 (route flap damping), decayed when read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Flap {
    pub penalty: f64,
    pub at: Option<Time>,
    /// Since when it flaps, if it does.
    pub since: Option<Time>,
    /// Changes of its state that no change record says yet, and when the last one did.
    pub unsaid: u32,
    pub said_at: Option<Time>,
    /// Stream time of its next timer.
    pub due: Option<Time>,
}

impl New for Flap {
    const NEW: &'static Flap = &Flap {
        penalty: 0.0,
        at: None,
        since: None,
        unsaid: 0,
        said_at: None,
        due: None,
    };
}

/// Incidents that an alert remembers to have been in.
const PAST_MAX: usize = 4;

impl Alert {
    pub(crate) fn new(event: &Event, spot: Spot, at: Time) -> Alert {
        Alert {
            dedup_key: event.dedup_key.clone(),
            source: event.source.clone(),
            title: event.title.clone(),
            text: head(&event.text),
            service: event.service.clone(),
            host: event.host.clone(),
            labels: labels(event),
            class: class(event, &spot),
            kind: kind(event),
            spot,
            status: event.status,
            state_at: event.ts,
            severity: event.severity,
            severity_at: event.ts,
            said: Scarce::default(),
            onset: onset(event),
            first_at: event.ts,
            count: 0,
            heard_at: at,
            heard_from: None,
            starts_at: None,
            stale_due: None,
            rarity: None,
            season: None,
            listed: None,
            minted: None,
            unmatched_until: None,
            episode: 0,
            back_at: None,
            unsettled: 0,
            uncounted: Scarce::default(),
            settled: None,
            incident: None,
            past: Scarce::default(),
            opened: None,
            passive: false,
            muted: None,
            quieted: None,
            habit: Habit::default(),
            flap: Seldom::default(),
            well_at: None,
        }
    }

    pub(crate) fn firing(&self) -> bool {
        self.status == Status::Firing
    }

    /// Whether it is, or was lately, a member of the incident.
    pub(crate) fn showed_in(&self, incident: IncidentId) -> bool {
        self.incident == Some(incident) || self.past.contains(&incident)
    }

    /// Leaves its incident, which it keeps as its past, for another one or none.
    pub(crate) fn move_on(&mut self, to: Option<IncidentId>) {
        let Some(id) = std::mem::replace(&mut self.incident, to) else {
            return;
        };
        if !self.past.contains(&id) {
            if self.past.len() == PAST_MAX {
                self.past.remove(0);
            }
            self.past.push(id);
        }
    }

    /// Takes another title, which may speak of something else.
    pub(crate) fn set_title(&mut self, title: Text) {
        if title != self.title {
            self.title = title;
            let bare = model::strip_status_prefix(&self.title);
            self.kind = kind_of(bare, &self.text, &self.source, &self.labels);
        }
    }

    /// Takes over what a newer event says.
    pub(crate) fn refresh(&mut self, event: &Event) {
        if event.title != self.title {
            self.title = event.title.clone();
            self.kind = kind(event);
        }
        if !event.text.is_empty() && !event.text.starts_with(self.text.as_str()) {
            self.text = head(&event.text);
        }
    }
}

/// When the condition began: `starts_at` where it lies between `ts` − 15 min and `ts`, else `ts`.
pub(crate) fn onset(event: &Event) -> Time {
    match event.starts_at {
        Some(start) if start <= event.ts && event.ts.since(start) <= model::Span::from_mins(15) => start,
        _ => event.ts,
    }
}

fn kind(event: &Event) -> AlertKind {
    kind_of(
        model::strip_status_prefix(&event.title),
        &event.text,
        &event.source,
        &event.labels,
    )
}

fn class(event: &Event, spot: &Spot) -> u64 {
    let title = model::template(&event.title);
    let mut hash = model::Hash128::new("class");
    (hash
        .part(spot.entity.as_bytes())
        .part(event.source.as_bytes())
        .part(title.as_bytes())
        .finish()
        >> 64) as u64
}

pub(crate) fn head(text: &Text) -> Text {
    if text.len() <= 512 {
        text.clone()
    } else {
        Text::from(&text[..text.floor_char_boundary(512)])
    }
}

pub(crate) fn labels(event: &Event) -> model::Labels {
    let mut labels = event.labels.clone();
    for (kind, name) in event.entities.iter() {
        if labels.get(kind).is_none() {
            labels.set(kind, name);
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::Alert;
    use crate::state::incident::Member;

    /// There is one of each for every active alert: what is added here is paid a million times (docs/scale.md).
    #[test]
    fn an_alert_and_its_membership_grow_no_larger_unseen() {
        let sizes = (size_of::<Alert>(), size_of::<Member>());
        assert!(sizes.0 <= 728 && sizes.1 <= 256, "{sizes:?}");
    }
}
