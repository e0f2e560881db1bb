//! An incident begins: with its first alert, with the burst that comes with it, or as the day's list of what is too little.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    AlertId, Context, ContextClass, Evidence, IncidentId, IncidentStatus, Owner, Page, Severity, Time,
};

use crate::{
    engine::Engine,
    fold::Fold,
    grouping::{behind::USUAL_DECAY_S, pending::Pending, quiet::BEGUN_MAX, verdict::Verdict},
    settings::secs,
    state::{
        alert::Alert,
        incident::{Decaying, State},
    },
};

const DAY_S: i64 = 86_400;

impl Engine {
    pub(crate) fn open_incident(
        &mut self,
        p: &Pending,
        verdict: &Verdict,
        beside: bool,
        fold: &mut Fold<'_>,
    ) -> IncidentId {
        let alert = self.waiting(p.alert);
        let (system, node) = (alert.spot.system.clone(), alert.spot.node);
        let mut state = new_state(alert, p.alert, p.t, fold);
        let id = match self.announced_id(p, fold) {
            Some((id, tentative)) => {
                state.revision = tentative.revision;
                state.opened_at = tentative.at;
                id
            }
            None => self.mint(p.alert),
        };
        state.because.clone_from(&verdict.because);
        state.related.clone_from(&verdict.related);
        state.late = fold.time.since(p.t) > secs(fold.settings.life.lateness_s);
        self.incidents.insert(id, state);
        self.open.insert(id);
        self.alerts.get_mut(&p.alert).expect("looked up above").opened = Some(Box::new(id));
        self.enliven(&system, id);
        let entry = self.systems.entry(&system, Default::default);
        entry.newest = entry.newest.max(Some((p.t, id)));
        entry.openings.add(p.t, USUAL_DECAY_S);
        self.meta.begins.add(p.t, USUAL_DECAY_S);
        if self.meta.begun.len() == BEGUN_MAX {
            self.meta.begun.pop_front();
        }
        self.meta.begun.push_back((p.t, id));
        if beside {
            self.credit(p, id, &system, node, fold);
        } else {
            self.bring_in_hub(p, id, &system, fold);
        }
        id
    }

    /// The id of an incident that this alert opens; `n` counts those that it opened with the same onset before. It is
    /// kept with the alert, because what was announced and came to nothing is remembered nowhere else.
    pub(crate) fn mint(&mut self, opener: AlertId) -> IncidentId {
        let opener = self.alerts.get_mut(&opener).expect("an opener is known");
        let onset = opener.onset;
        let before = opener.minted.as_ref().filter(|minted| minted.0 == onset);
        let (n, id) = (before.map_or(0, |minted| minted.1)..)
            .map(|n| (n, IncidentId::new(&self.domain, &opener.dedup_key, onset, n)))
            .find(|(_, id)| self.incidents.get(id).is_none() && self.tentative.get(id).is_none())
            .expect("fewer than 2^32 incidents are remembered");
        opener.minted = Some(Box::new((onset, n + 1)));
        id
    }

    pub(crate) fn enliven(&mut self, system: &model::Text, id: IncidentId) {
        let incidents = &self.incidents;
        let last = |id: IncidentId| {
            incidents
                .get(&id)
                .map_or((Time::MIN, Time::MIN), |s| (s.last, s.begun))
        };
        self.systems.entry(system, Default::default).enliven(id, last);
    }

    /// The burst that is coming belongs to the incident that it opens beside another.
    fn credit(
        &mut self,
        p: &Pending,
        id: IncidentId,
        system: &model::Text,
        node: Option<u32>,
        fold: &Fold<'_>,
    ) {
        let until = p.t + secs(fold.settings.grouping.settle_s);
        let near = self.near(node, fold);
        let mut coming = Vec::new();
        for (number, waits) in &self.order {
            if waits.t < p.t || waits.t >= until {
                continue;
            }
            let Some(other) = self.pending.get(number) else {
                continue;
            };
            let Some(alert) = self.alerts.get(&other.alert) else {
                continue;
            };
            let inside = near.as_ref().is_none_or(|near| {
                alert
                    .spot
                    .node
                    .is_some_and(|n| near.binary_search(&topology::NodeId(n)).is_ok())
            });
            if other.kind != crate::grouping::pending::Kind::Unnoticed
                && alert.spot.system == *system
                && inside
            {
                coming.push((alert.spot.entity.clone(), alert.spot.node));
            }
        }
        let state = self.incidents.get_mut(&id).expect("opened just now");
        for (entity, node) in coming {
            if let Some(place) = state.place_mut(&entity, node, p.t) {
                place.activity.value += 1.0;
            }
            state.activity.value += 1.0;
        }
    }

    /// The day's list of what is too little to open an incident in this system.
    pub(crate) fn background(&mut self, p: &Pending, because: &[Evidence], fold: &Fold<'_>) -> IncidentId {
        let alert = self.waiting(p.alert);
        let day = day_of(p.t);
        let key = compact_str::format_compact!("background/{}", alert.spot.system);
        let id = IncidentId::new(&self.domain, &key, day, 0);
        if self.incidents.get(&id).is_none() {
            let mut state = new_state(alert, p.alert, p.t, fold);
            state.background = true;
            state.title = format!("Background of {}", alert.spot.system);
            state.because = because.to_vec();
            self.incidents.insert(id, state);
            self.open.insert(id);
        }
        id
    }
}

/// The beginning of the day that a moment is in, in UTC.
pub(crate) fn day_of(t: Time) -> Time {
    Time::from_secs(t.secs().div_euclid(DAY_S) * DAY_S)
}

pub(crate) fn new_state(alert: &Alert, opener: AlertId, t: Time, fold: &Fold<'_>) -> State {
    State {
        revision: 0,
        status: IncidentStatus::Open,
        system: alert.spot.system.clone(),
        opener,
        background: false,
        late: false,
        passed: false,
        reopened: false,
        storm: false,
        given_back: false,
        catching_up: false,
        unusual: false,
        opened_at: fold.time,
        updated_at: fold.time,
        resolved_at: None,
        ended: None,
        over_at: None,
        returning: false,
        begun: t,
        last: t,
        first_event_at: t,
        last_event_at: t,
        touched_at: fold.time,
        heard_at: None,
        joined_at: fold.time,
        events: 0,
        alerts: 0,
        firing: 0,
        stale: 0,
        shown: 0,
        members: BTreeMap::new(),
        suppressed: BTreeMap::new(),
        suppressed_unlisted: 0,
        unsaid: [0; 2],
        held: BTreeSet::new(),
        activity: Decaying { value: 0.0, at: t },
        places: Vec::new(),
        callees: BTreeMap::new(),
        pinned: BTreeMap::new(),
        apart: BTreeSet::new(),
        bonds: BTreeMap::new(),
        severity: alert.severity,
        paged_severity: None,
        acknowledged_by: None,
        acknowledged_severity: Severity::Unknown,
        acknowledged_team: None,
        snoozed_until: None,
        page: Page::none(fold.settings.page.mode),
        page_at: None,
        last_page_at: None,
        repeats: 0,
        backlog: false,
        told_with: None,
        tells_of: BTreeSet::new(),
        milder_since: None,
        relieved_since: None,
        paged_teams: Vec::new(),
        told_of_less: Vec::new(),
        rang: None,
        hushed_since: None,
        word: None,
        owner_since: None,
        title: String::new(),
        causes: Vec::new(),
        context: Context {
            class: ContextClass::Unclear,
            confidence: 0.0,
            because: Vec::new(),
        },
        owner: Owner {
            team: fold.settings.page.default_team.as_str().into(),
            entity: None,
            because: Vec::new(),
        },
        also_notify: Vec::new(),
        changes: Vec::new(),
        similar: Vec::new(),
        rarity: None,
        because: Vec::new(),
        assessed: (fold.time, 0),
        unassessed: true,
        merged_into: None,
        merged_from: Vec::new(),
        split_from: None,
        related: Vec::new(),
        wake: None,
        publish_at: None,
        published_at: None,
        published: 0,
    }
}
