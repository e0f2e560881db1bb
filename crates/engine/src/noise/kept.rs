//! What is kept quiet without an incident can be found, too: each system has a list of it for each day.
//!
//! A list is an incident record with the flag `background`. It has no members, is never open and asks nobody for
//! anything; its `suppressed` names each alert for which nothing was live that it could have joined, and what keeps it.
//! One change says so of each alert and day, and another one when it is heard after all. A record holds the worst of
//! them, the changes hold all.

use model::{
    AlertId, ChangeKind, Evidence, EvidenceKind, IncidentId, IncidentStatus, Severity, Span, SuppressedAlert,
    Text, Time,
};

use crate::{
    engine::{Engine, What},
    fold::Fold,
    grouping::open::{day_of, new_state},
    state::alert::Alert,
};

/// Alerts of one list that are remembered; beyond, the mildest make room and are counted.
const LISTED_MAX: usize = 256;

impl Engine {
    /// An alert is kept quiet and is in no incident: puts it on the list of its system, once a day.
    pub(crate) fn list_quiet(
        &mut self,
        id: AlertId,
        by: &str,
        reason: &str,
        because: &[Evidence],
        fold: &mut Fold<'_>,
    ) {
        let Some(alert) = self.alerts.get(&id) else { return };
        let day = day_of(fold.time);
        if alert.listed.as_ref().is_some_and(|listed| listed.0 == day) {
            return;
        }
        let alert = alert.clone();
        let list = self.list_of(id, &alert, because, fold);
        self.put_on(list, id, kept(id, &alert, by, None, reason.to_owned(), fold));
        self.alerts.get_mut(&id).expect("looked up above").listed = Some(Box::new((day, list)));
        let what = What::new(ChangeKind::Suppressed).alert(id).to(reason);
        self.change(list, what, because.to_vec(), fold);
    }

    /// A rule drops a critical alert: that is said once a day, for whoever looks for it. Nothing else is kept of it, so
    /// what finds no room on the list is only counted.
    pub(crate) fn list_dropped(&mut self, id: AlertId, alert: &Alert, reason: &str, fold: &mut Fold<'_>) {
        let because = vec![Evidence::new(EvidenceKind::Actor, 1.0, reason)];
        let list = self.list_of(id, alert, &because, fold);
        let state = self.incidents.get(&list).expect("it was just made");
        if state.suppressed.contains_key(&id) || state.suppressed.len() == LISTED_MAX {
            return;
        }
        self.put_on(list, id, kept(id, alert, "drop", None, reason.to_owned(), fold));
        let what = What::new(ChangeKind::Suppressed).alert(id).to(reason);
        self.change(list, what, because, fold);
    }

    /// Today's list of the system of an alert.
    fn list_of(&mut self, id: AlertId, alert: &Alert, because: &[Evidence], fold: &Fold<'_>) -> IncidentId {
        let day = day_of(fold.time);
        let key = compact_str::format_compact!("quiet/{}", alert.spot.system);
        let list = IncidentId::new(&self.domain, &key, day, 0);
        if self.incidents.get(&list).is_none() {
            let mut state = new_state(alert, id, alert.state_at, fold);
            state.background = true;
            state.status = IncidentStatus::Resolved;
            state.resolved_at = Some(fold.time);
            state.severity = Severity::Info;
            // A system may go by the name of a part of it that has nothing to do with the alert.
            let around = Some(alert.spot.entity.as_str()).filter(|entity| !entity.is_empty());
            state.title = format!("Kept quiet around {}", around.unwrap_or(alert.spot.head()));
            state.because = because.to_vec();
            self.incidents.insert(list, state);
            self.wake_at(list, day + Span::from_hours(24), fold);
        }
        list
    }

    fn put_on(&mut self, list: IncidentId, id: AlertId, kept: SuppressedAlert) {
        let state = self.incidents.get_mut(&list).expect("a list is made before");
        state.touched_at = kept.since;
        if state.suppressed.len() == LISTED_MAX {
            state.suppressed_unlisted += 1;
            let mildest = state
                .suppressed
                .values()
                .map(|s| (s.severity, s.since, s.alert_id));
            let mildest = mildest.min().expect("the list is full");
            if mildest.0 < kept.severity {
                state.suppressed.remove(&mildest.2);
            }
        }
        if state.suppressed.len() < LISTED_MAX {
            state.suppressed.insert(id, kept);
        }
    }

    /// An alert that was kept quiet without an incident has one now.
    pub(crate) fn unlist(&mut self, id: AlertId, because: &[Evidence], fold: &mut Fold<'_>) {
        let Some(alert) = self.alerts.get_mut(&id) else {
            return;
        };
        let Some(listed) = alert.listed.take() else {
            return;
        };
        let (_, list) = *listed;
        let Some(state) = self.incidents.get_mut(&list) else {
            return;
        };
        match state.suppressed.remove(&id) {
            Some(kept) => {
                let what = What::new(ChangeKind::Released).alert(id).from(kept.reason);
                self.change(list, what, because.to_vec(), fold);
            }
            None => {
                state.suppressed_unlisted = state.suppressed_unlisted.saturating_sub(1);
                self.change(
                    list,
                    What::new(ChangeKind::Released).alert(id),
                    because.to_vec(),
                    fold,
                );
            }
        }
    }
}

/// What a record says of an alert that is kept quiet.
pub(crate) fn kept(
    id: AlertId,
    alert: &Alert,
    by: impl Into<Text>,
    until: Option<Time>,
    reason: String,
    fold: &Fold<'_>,
) -> SuppressedAlert {
    SuppressedAlert {
        alert_id: id,
        dedup_key: alert.dedup_key.clone(),
        title: alert.title.clone(),
        severity: alert.severity,
        by: by.into(),
        since: fold.time,
        until,
        reason,
    }
}
