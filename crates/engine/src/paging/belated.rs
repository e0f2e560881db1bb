//! Old news is told together: what came late, or in a backlog that was read long after, rings once for a team and not
//! once for each incident.
//!
//! The first such incident is paged for like any other. Further ones of the same team within the lateness are told of
//! with that page, as long as nobody took it: its record names them, theirs names it, and nobody is rung again. One that
//! is worse than what was paged for, or becomes another team's, is paged for by itself, and so is, once more together,
//! what still fires when the incident that was paged for is over.

use model::{ChangeKind, Evidence, EvidenceKind, IncidentId, PageState, Severity, Time};

use crate::{
    engine::{Engine, What},
    fold::Fold,
    settings::secs,
    state::incident::State,
};

/// Incidents that one page tells of; beyond, there is another page.
const TOLD_MAX: usize = 256;
/// Those of them that a summary names.
const NAMED_MAX: usize = 5;
/// Pages of a domain that tell of others at one time.
const TELLING_MAX: usize = 64;

impl State {
    /// Whether it is old news: it came late, or waited while a backlog was read, and was not over since.
    pub(crate) fn is_belated(&self) -> bool {
        (self.late || self.backlog) && !self.reopened
    }
}

impl Engine {
    /// Whether a page for another incident told of this one, so that none is due for itself.
    pub(crate) fn is_told(&mut self, id: IncidentId, severity: Severity) -> bool {
        let Some(state) = self.incidents.get(&id) else {
            return false;
        };
        let Some(by) = state.told_with.map(|by| self.follow(by)) else {
            return false;
        };
        let covered = state.paged_severity.is_some_and(|told| told >= severity);
        let holds = self.incidents.get(&by).is_some_and(|telling| {
            by != id
                && telling.is_open()
                && telling.page.state == PageState::Due
                && telling.paged_teams.contains(&state.owner.team)
        });
        let told = covered && holds;
        let state = self.incidents.get_mut(&id).expect("looked up above");
        state.told_with = state.told_with.filter(|_| told);
        state.page_at = state.page_at.filter(|_| !told);
        state.paged_severity = state.paged_severity.filter(|_| told);
        told
    }

    /// Tells of old news with a page that rings already; says whether there is one.
    pub(crate) fn tell_with(&mut self, id: IncidentId, severity: Severity, fold: &mut Fold<'_>) -> bool {
        let Some(state) = self.incidents.get(&id).filter(|state| state.is_belated()) else {
            return false;
        };
        let team = state.owner.team.clone();
        let lateness = secs(fold.settings.life.lateness_s);
        let tells = |by: &IncidentId| {
            self.incidents.get(by).is_some_and(|telling| {
                *by != id
                    && telling.is_open()
                    && telling.page.state == PageState::Due
                    && telling.knows(&team)
                    && telling.paged_severity >= Some(severity)
                    && telling.acknowledged_by.is_none()
                    && telling.tells_of.len() < TOLD_MAX
                    && telling
                        .page
                        .first_due_at
                        .is_some_and(|at| fold.time.since(at) <= lateness)
            })
        };
        let Some(by) = self.meta.telling.iter().copied().find(tells) else {
            if self.meta.telling.len() == TELLING_MAX {
                self.meta.telling.pop_front();
            }
            self.meta.telling.push_back(id);
            return false;
        };
        let late = fold.time.since(state.first_event_at);
        let what = state.title.clone();
        let state = self.incidents.get_mut(&id).expect("looked up above");
        state.told_with = Some(by);
        state.paged_severity = Some(severity);
        state.catching_up = false;
        state.page.state = PageState::None;
        state.page.reason = compact_str::format_compact!("{team} is told of it with {by}");
        let because = |text: String| vec![Evidence::new(EvidenceKind::Late, late.as_secs_f64(), text)];
        let note = What::new(ChangeKind::Note).to(by.to_string());
        self.change(
            id,
            note,
            because(format!("old news; {team} is told of it with {by}")),
            fold,
        );
        let telling = self.incidents.get_mut(&by).expect("found above");
        telling.tells_of.insert(id);
        let note = What::new(ChangeKind::Note).from(id.to_string());
        self.change(
            by,
            note,
            because(format!("its page tells of {what}, {severity}, {late} old")),
            fold,
        );
        true
    }

    /// What else the page of an incident tells of, in words.
    pub(crate) fn also_told(&self, state: &State) -> Option<String> {
        let titles: Vec<&str> = state
            .tells_of
            .iter()
            .filter_map(|id| Some(self.incidents.get(id)?.title.as_str()))
            .collect();
        let named = titles
            .iter()
            .take(NAMED_MAX)
            .copied()
            .collect::<Vec<_>>()
            .join("; ");
        match titles.len() {
            0 => None,
            1..=NAMED_MAX => Some(format!(" Old news told of with it: {named}.")),
            more => Some(format!(
                " Old news told of with it: {named}; and {} more.",
                more - NAMED_MAX
            )),
        }
    }

    /// The incident that was paged for is over: what it told of and still fires is paged for, together again.
    pub(crate) fn tell_on(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        self.meta.telling.retain(|telling| *telling != id);
        let Some(state) = self.incidents.get_mut(&id) else {
            return;
        };
        let told = std::mem::take(&mut state.tells_of);
        let mut told: Vec<(Option<Time>, IncidentId)> = told
            .into_iter()
            .map(|other| self.follow(other))
            .map(|other| {
                (
                    self.incidents.get(&other).map(|state| state.first_event_at),
                    other,
                )
            })
            .collect();
        told.sort_unstable();
        for (_, other) in told {
            if let Some(told) = self.incidents.get_mut(&other)
                && told.told_with.take().is_some()
            {
                told.paged_severity = None;
                self.consider_page(other, fold);
            }
        }
    }
}
