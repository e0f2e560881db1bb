//! No incident grows for ever: after a day it ends at its next pause, and what still fires goes on in another one that
//! names it.
//!
//! Whoever has the old one has the new one. Who was paged and did not take it is told that the old one is closed, and
//! paged for the new one: after a day that is worth a reminder.

use std::collections::BTreeSet;

use model::{AlertId, ChangeKind, Evidence, EvidenceKind, IncidentId, Page};

use crate::{
    engine::{Engine, What},
    fold::Fold,
    state::incident::State,
};

impl Engine {
    /// Ends an incident that has become too old and opens its successor. Nothing happens where nothing fires.
    pub(crate) fn succeed(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        let Some(old) = self.incidents.get(&id) else {
            return;
        };
        let here = |alert: &AlertId| {
            self.alerts
                .get(alert)
                .is_some_and(|alert| alert.incident == Some(id))
        };
        let members = old.members.iter().filter(|(_, member)| member.firing);
        let firing: Vec<AlertId> = members.map(|(alert, _)| *alert).filter(here).collect();
        let Some(first) = firing
            .iter()
            .copied()
            .find(|alert| *alert == old.opener)
            .or(firing.first().copied())
        else {
            return;
        };
        let (system, age) = (old.system.clone(), fold.time.since(old.opened_at));
        let state = successor(old, id, first, &firing, fold);
        let next = self.mint(first);
        let text = format!("it is {age} old; what fires goes on in {next}");
        let because = vec![Evidence::new(EvidenceKind::Limit, age.as_secs_f64(), text)];
        self.incidents.insert(next, state);
        self.open.insert(next);
        self.enliven(&system, next);
        let begun = What::new(ChangeKind::Opened).alert(first).from(id.to_string());
        self.change(next, begun, because.clone(), fold);
        for alert_id in firing {
            // What comes from now on is counted there, and what came before stays counted here.
            let episode = self.meta.episodes + 1;
            self.meta.episodes = episode;
            let alert = self.alerts.get_mut(&alert_id).expect("checked above");
            alert.episode = episode;
            let quieted = alert.quieted.as_ref().map(|quieted| quieted.reason.clone());
            alert.move_on(Some(next));
            if alert.opened.as_deref() == Some(&id) {
                alert.opened = Some(Box::new(next));
            }
            self.say_episode(episode, Some(next), quieted.as_deref(), None, fold);
            let what = || {
                What::new(ChangeKind::Moved)
                    .alert(alert_id)
                    .from(id.to_string())
                    .to(next.to_string())
            };
            let old = self.incidents.get_mut(&id).expect("looked up above");
            old.stop_firing(alert_id);
            old.suppressed.remove(&alert_id);
            self.change(id, what(), because.clone(), fold);
            if alert_id != first {
                self.change(next, what(), because.clone(), fold);
            }
        }
        let what = What::new(ChangeKind::Resolved).to("resolved");
        self.finish(id, what, because, fold);
        self.watch_all(next, fold);
        self.roll_up(next, fold);
        self.consider_page(next, fold);
        self.wake_for_end(next, fold);
    }
}

fn successor(old: &State, id: IncidentId, opener: AlertId, firing: &[AlertId], fold: &Fold<'_>) -> State {
    let mut state = old.clone();
    state.members.retain(|alert, _| firing.contains(alert));
    state.suppressed.retain(|alert, _| firing.contains(alert));
    state.members.values_mut().for_each(|member| member.count = 0);
    state.held.clear();
    let count = state.members.len() as u64;
    State {
        revision: 0,
        opener,
        late: false,
        reopened: false,
        opened_at: fold.time,
        updated_at: fold.time,
        resolved_at: None,
        ended: None,
        touched_at: old.touched_at,
        alerts: count,
        firing: count,
        stale: 0,
        suppressed_unlisted: 0,
        unsaid: [0; 2],
        catching_up: false,
        shown: count,
        events: 0,
        first_event_at: state
            .members
            .values()
            .map(|m| m.first_at)
            .min()
            .unwrap_or(old.first_event_at),
        paged_severity: None,
        page: Page::none(fold.settings.page.mode),
        page_at: None,
        last_page_at: None,
        repeats: 0,
        told_with: None,
        tells_of: BTreeSet::new(),
        paged_teams: Vec::new(),
        told_of_less: Vec::new(),
        rang: None,
        hushed_since: None,
        owner_since: None,
        unassessed: true,
        merged_from: Vec::new(),
        split_from: Some(id),
        wake: None,
        publish_at: None,
        published_at: None,
        published: 0,
        ..state
    }
}
