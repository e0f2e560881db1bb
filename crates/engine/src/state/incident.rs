//! What is remembered of one incident.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    lineage::Side,
    noise::usual::Rarity,
    state::{pack::by_name, seldom::Scarce},
};
use model::{
    AlertId, Cause, Context, Evidence, IncidentId, IncidentStatus, Owner, Page, RunnerUp, Severity,
    SuppressedAlert, Text, Time,
};

use serde::{Deserialize, Serialize};

/// One incident.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    pub revision: u64,
    pub status: IncidentStatus,
    pub system: Text,
    pub opener: AlertId,
    /// The day's list of what is too little to open an incident; it never pages and attracts nothing.
    #[serde(default)]
    pub background: bool,
    #[serde(default)]
    pub late: bool,
    /// There was no room to keep it: it was said once and is not followed.
    #[serde(default)]
    pub passed: bool,
    #[serde(default)]
    pub reopened: bool,
    /// It grew in a storm that still lasts.
    #[serde(default)]
    pub storm: bool,
    /// Who had it gave it back, and nobody was paged since.
    #[serde(default)]
    pub given_back: bool,
    /// Its page is held because stream time is far behind the present.
    #[serde(default)]
    pub catching_up: bool,
    /// It was said that alerts in it came although they usually come otherwise.
    #[serde(default)]
    pub unusual: bool,

    pub opened_at: Time,
    pub updated_at: Time,
    #[serde(default)]
    pub resolved_at: Option<Time>,
    /// `ts` at which its last firing alert ended.
    #[serde(default)]
    pub ended: Option<Time>,
    /// Until when it is over by somebody's word: what was observed before is no news.
    #[serde(default)]
    pub over_at: Option<Time>,
    /// It is quiet, and waits for its alert, which keeps coming back.
    #[serde(default)]
    pub returning: bool,
    /// `ts` of the alert that opened it, and of the newest that keeps it going.
    pub begun: Time,
    pub last: Time,
    pub first_event_at: Time,
    pub last_event_at: Time,
    /// When something last happened to it, in stream time.
    pub touched_at: Time,
    /// When the newest event of it was received, in stream time.
    #[serde(default)]
    pub heard_at: Option<Time>,
    /// Stream time at which the last member joined.
    pub joined_at: Time,

    #[serde(default)]
    pub events: u64,
    #[serde(default)]
    pub alerts: u64,
    #[serde(default)]
    pub firing: u64,
    /// Alerts that went silent without a recovery.
    #[serde(default)]
    pub stale: u64,
    /// Different alerts it has ever shown.
    #[serde(default)]
    pub shown: u64,
    /// Boxed, because the node of an incident with one alert has room for eleven.
    pub members: BTreeMap<AlertId, Box<Member>>,
    #[serde(default, with = "by_name")]
    pub suppressed: BTreeMap<AlertId, SuppressedAlert>,
    /// And those beyond the ones that are listed.
    #[serde(default)]
    pub suppressed_unlisted: u64,
    /// Recoveries, and alerts that fire again, that no change record says yet; more than none in a storm only.
    #[serde(default)]
    pub unsaid: [u64; 2],
    /// Those of them for which the page is held.
    #[serde(default)]
    pub held: BTreeSet<AlertId>,

    /// How active it was lately, in all and by entity.
    pub activity: Decaying,
    #[serde(default)]
    pub places: Vec<PlaceActivity>,

    /// How many members name each callee.
    #[serde(default)]
    pub callees: BTreeMap<Text, u32>,

    /// Alerts that an operator put here, and who that was.
    #[serde(default)]
    pub pinned: BTreeMap<AlertId, Text>,
    /// Incidents that an operator parted from this one.
    #[serde(default)]
    pub apart: BTreeSet<IncidentId>,
    /// Sides of the bonds that its alerts hold.
    #[serde(default)]
    pub bonds: BTreeMap<u64, Side>,

    pub severity: Severity,
    /// Worst severity that was paged for, as long as it lasts.
    #[serde(default)]
    pub paged_severity: Option<Severity>,
    #[serde(default)]
    pub acknowledged_by: Option<Text>,
    pub acknowledged_severity: Severity,
    /// Whose it was when somebody took it; nobody's where it was taken over from another incident.
    #[serde(default)]
    pub acknowledged_team: Option<Text>,
    /// Until when it is put off, or somebody has it, where that has an end.
    #[serde(default)]
    pub snoozed_until: Option<Time>,
    #[serde(with = "by_name")]
    pub page: Page,
    /// When the page is to be judged next.
    #[serde(default)]
    pub page_at: Option<Time>,
    #[serde(default)]
    pub last_page_at: Option<Time>,
    /// How often it was paged for again because nobody took it.
    #[serde(default)]
    pub repeats: u32,
    /// Its page waited while a backlog was read.
    #[serde(default)]
    pub backlog: bool,
    /// The incident with whose page this one was told of, and those that the page of this one tells of.
    #[serde(default)]
    pub told_with: Option<IncidentId>,
    #[serde(default)]
    pub tells_of: BTreeSet<IncidentId>,
    /// Since when its worst firing alert is milder than `severity`.
    #[serde(default)]
    pub milder_since: Option<Time>,
    /// Since when it is milder than what was paged for.
    #[serde(default)]
    pub relieved_since: Option<Time>,
    /// Teams that were paged and not told of the end yet, the last one last; and since when another one would be.
    #[serde(default)]
    pub paged_teams: Vec<Text>,
    #[serde(default)]
    pub owner_since: Option<Time>,

    #[serde(default)]
    pub title: String,
    #[serde(default, with = "by_name")]
    pub causes: Vec<Cause>,
    #[serde(with = "by_name")]
    pub context: Context,
    #[serde(with = "by_name")]
    pub owner: Owner,
    #[serde(default)]
    pub also_notify: Vec<Text>,
    #[serde(default, with = "by_name")]
    pub changes: Vec<Cause>,
    #[serde(default, with = "by_name")]
    pub similar: Vec<model::Similar>,
    /// `never_seen`, `rare` or `frequent`.
    #[serde(default)]
    pub rarity: Option<Text>,
    #[serde(default)]
    pub because: Vec<Evidence>,
    /// When causes were ranked, and of how many alerts.
    pub assessed: (Time, u64),
    /// Whether members changed since causes were ranked.
    #[serde(default)]
    pub unassessed: bool,

    #[serde(default)]
    pub merged_into: Option<IncidentId>,
    #[serde(default)]
    pub merged_from: Vec<IncidentId>,
    #[serde(default)]
    pub split_from: Option<IncidentId>,
    /// Incidents that its first alert could as well have joined.
    #[serde(default)]
    pub related: Vec<RunnerUp>,

    /// Stream time of its next timer, and of the next record.
    #[serde(default)]
    pub wake: Option<Time>,
    #[serde(default)]
    pub publish_at: Option<Time>,
    #[serde(default)]
    pub published_at: Option<Time>,
    /// The revision that was published last; none is published twice.
    #[serde(default)]
    pub published: u64,
    /// Those of `paged_teams` that were told of something milder than `paged_severity`.
    #[serde(default)]
    pub told_of_less: Vec<Text>,
    /// What it rang for last and was told to be over, while it keeps coming back.
    #[serde(default)]
    pub rang: Option<Rang>,
    /// Since when nothing fires any more that anybody could have been paged for.
    #[serde(default)]
    pub hushed_since: Option<Time>,
    /// Who said last what is done with it, as a source, and when that was.
    #[serde(default)]
    pub word: Option<Box<(Text, Time)>>,
}

/// A page that was told to be over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rang {
    pub at: Time,
    pub team: Text,
    pub severity: Severity,
}

/// One alert in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Member {
    pub first_at: Time,
    pub last_at: Time,
    pub joined_at: Time,
    pub count: u64,
    pub firing: bool,
    /// It went silent without a recovery.
    #[serde(default)]
    pub stale: bool,
    /// The worst severity that was passed on as a page of its own since it fires.
    pub passed_on: Option<Severity>,
    pub severity: Severity,
    #[serde(default)]
    pub passive: bool,
    pub parent: Option<AlertId>,
    pub probability: f64,
    #[serde(default)]
    pub because: Vec<Evidence>,
    pub runner_up: Option<Box<RunnerUp>>,
    /// What the record shows, frozen when the alert moves on to another incident.
    pub face: Face,
}

/// What an incident record shows of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Face {
    pub dedup_key: Text,
    pub title: Text,
    /// Where it is merged.
    #[serde(default)]
    pub text: Scarce<Text>,
    /// Those that are merged.
    #[serde(default)]
    pub labels: Scarce<model::Labels>,
    pub service: Option<Text>,
    pub host: Option<Text>,
    #[serde(default)]
    pub entity: Text,
    pub rarity: Option<Rarity>,
    pub season: Option<Box<f64>>,
}

/// A count that fades.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Decaying {
    pub value: f64,
    pub at: Time,
}

/// How active an incident was on one entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PlaceActivity {
    pub entity: Text,
    pub node: Option<u32>,
    pub activity: Decaying,
    /// It alerts itself, and was not only brought in by those around it.
    pub alerts: bool,
    /// Last `ts` there that keeps the incident going.
    pub last: Time,
}

impl Decaying {
    /// What is left of it at `t`, fading by a factor of e every `decay_s` seconds.
    pub(crate) fn left(&self, t: Time, decay_s: f64) -> f64 {
        let age = t.since(self.at).as_secs_f64();
        if age > 0.0 {
            self.value * libm::exp(-age / decay_s)
        } else {
            self.value
        }
    }

    /// What both counted.
    pub(crate) fn join(&mut self, other: Decaying, decay_s: f64) {
        let at = self.at.max(other.at);
        *self = Decaying {
            value: self.left(at, decay_s) + other.left(at, decay_s),
            at,
        };
    }

    /// One more at `t`.
    pub(crate) fn add(&mut self, t: Time, decay_s: f64) {
        *self = Decaying {
            value: self.left(t, decay_s) + 1.0,
            at: self.at.max(t),
        };
    }
}

impl State {
    /// When something last began in it, or a settlement later: what its sender says again keeps an incident going, but
    /// begins nothing.
    pub(crate) fn newest(&self) -> Time {
        self.last.min(self.joined_at)
    }

    /// Activity on an entity; entities are few and bounded, so a walk is cheapest.
    pub(crate) fn place(&self, entity: &str) -> Option<&PlaceActivity> {
        self.places.iter().find(|p| p.entity == entity)
    }

    /// The entry of an entity, made if there is room for it.
    pub(crate) fn place_mut(
        &mut self,
        entity: &Text,
        node: Option<u32>,
        t: Time,
    ) -> Option<&mut PlaceActivity> {
        if let Some(i) = self.places.iter().position(|p| p.entity == *entity) {
            return Some(&mut self.places[i]);
        }
        if self.places.len() >= PLACES_MAX {
            return None;
        }
        self.places.push(PlaceActivity {
            entity: entity.clone(),
            node,
            activity: Decaying { value: 0.0, at: t },
            alerts: false,
            last: Time::MIN,
        });
        self.places.last_mut()
    }

    /// Whether a team was paged for the worst of it.
    pub(crate) fn knows(&self, team: &Text) -> bool {
        self.paged_teams.contains(team) && !self.told_of_less.contains(team)
    }

    /// When something was last heard of it.
    pub(crate) fn heard(&self) -> Time {
        self.heard_at.unwrap_or(self.touched_at)
    }

    /// Whether an alert on this entity still fires.
    pub(crate) fn fires_on(&self, entity: &str) -> bool {
        self.members
            .values()
            .any(|member| member.firing && member.face.entity == entity)
    }

    /// Lists an alert as suppressed, or counts it beyond `most`.
    pub(crate) fn suppress(&mut self, suppressed: SuppressedAlert, most: usize) {
        if self.suppressed.len() < most || self.suppressed.contains_key(&suppressed.alert_id) {
            self.suppressed.insert(suppressed.alert_id, suppressed);
        } else {
            self.suppressed_unlisted += 1;
        }
    }

    /// An alert is suppressed no more. Of one that is not listed the caller knows that it was.
    pub(crate) fn unsuppress(&mut self, alert: AlertId) -> Option<SuppressedAlert> {
        self.suppressed.remove(&alert)
    }

    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.status, IncidentStatus::Resolved | IncidentStatus::Merged)
    }
}

/// Entities of an incident whose activity is kept; beyond, its whole activity still counts.
const PLACES_MAX: usize = 64;
