//! Who is paged, when and why.
//!
//! A page waits for the settlement of its incident and, within bounds, for the settlement of what is coming in beside
//! it, because the alert that names the right team is often not the first. It is due once, again when it gets worse or
//! somebody else owns it, and again if nobody takes it.

use model::{
    AlertId, ChangeKind, Evidence, EvidenceKind, IncidentId, IncidentStatus, PageMode, PageState, Severity,
    Span,
};

use topology::{Direction, NodeId};

use crate::{
    cause::AlertKind,
    engine::{Engine, What},
    fold::Fold,
    settings::secs,
    state::{
        alert::By,
        incident::{Rang, State},
    },
};

/// An unanswered page rings again after twice as long each time, so often at most: 2^16 hours is beyond any limit.
const DOUBLINGS_MAX: u32 = 16;
/// Steps along dependencies over which another team's thing is looked for.
const BELOW: u32 = 2;
/// How probable its cause must be for a second team to be called for an incident.
const LIKELY: f64 = 0.5;
/// For so many seconds the silence of a sender that is not known yet says nothing.
const RECENT_S: i64 = 4 * 3600;

impl Engine {
    /// Alerts for which somebody could be paged, with their severities.
    pub(crate) fn asks_for_page(&self, state: &State, fold: &Fold<'_>) -> Vec<(AlertId, Severity)> {
        // Late news of something that may be long over wakes nobody unless it is critical.
        let least = match state.late {
            true => Severity::Critical.max(fold.settings.page.severity_min),
            false => fold.settings.page.severity_min,
        };
        state
            .members
            .iter()
            .filter(|(_, member)| member.firing && !member.passive)
            .filter(|_| state.is_open() && !state.background)
            .filter(|(_, member)| member.severity >= least)
            .filter(|(id, _)| self.alerts.get(id).is_some_and(|alert| alert.quieted.is_none()))
            .map(|(id, member)| (*id, member.severity))
            .collect()
    }

    /// The worst that somebody could be paged for.
    pub(crate) fn pageable(&self, state: &State, fold: &Fold<'_>) -> Option<Severity> {
        self.asks_for_page(state, fold)
            .into_iter()
            .map(|(_, severity)| severity)
            .max()
    }

    /// Something happened that may ask for a page: judge it when what is coming in has settled.
    pub(crate) fn consider_page(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        if fold.settings.page.pass_through {
            return self.pass_all(id, fold);
        }
        let Some(state) = self.incidents.get(&id) else {
            return;
        };
        let Some(severity) = self.pageable(state, fold) else {
            return;
        };
        let known =
            state.paged_severity.is_some_and(|paged| severity <= paged) && state.knows(&state.owner.team);
        let state = self.incidents.get_mut(&id).expect("looked up above");
        state.hushed_since = None;
        if state.page.state == PageState::Due && known {
            // It may have been quiet when the page was due again.
            let last = state.last_page_at.filter(|_| state.acknowledged_by.is_none());
            if let Some(at) = last.map(|last| last + repeat_after(state, fold)) {
                self.wake_at(id, at, fold);
            }
            return;
        }
        let wait = if severity == Severity::Critical {
            fold.settings.page.critical_wait_s
        } else {
            fold.settings.page.wait_s
        };
        // The alert itself has waited for its settlement already.
        let latest = fold.time + (secs(wait) - self.settle_wait(fold)).max(Span::ZERO);
        let state = self.incidents.get_mut(&id).expect("looked up above");
        let at = state.page_at.map_or(latest, |at| at.min(latest));
        state.page_at = Some(at);
        let at = if self.may_be_anothers(id, severity, fold) {
            at
        } else {
            fold.time
        };
        if at == fold.time {
            self.judge_page(id, fold);
        } else {
            // Looked at again whenever something settles, at the latest then.
            self.wake_at(id, at, fold);
        }
    }

    /// Whether what comes until its page is due at the latest could say that it is another team's: fresh symptoms that are not
    /// settled, or, of what begins and is not critical, a thing found down behind another team's. Who looks every minute finds
    /// the nearer one down last.
    fn may_be_anothers(&self, id: IncidentId, severity: Severity, fold: &Fold<'_>) -> bool {
        let Some(state) = self.incidents.get(&id) else {
            return false;
        };
        let coming = self
            .systems
            .get(&state.system)
            .is_some_and(|s| s.again + s.new > 0);
        let begins = state.page.state == PageState::None
            && severity < Severity::Critical
            && fold.time.since(state.opened_at) <= secs(fold.settings.page.wait_s);
        coming || begins && self.is_behind_anothers(state, fold)
    }

    /// Whether an incident began with a thing that was found down and needs something that another team has.
    fn is_behind_anothers(&self, state: &State, fold: &Fold<'_>) -> bool {
        let opener = self.alerts.get(&state.opener);
        let Some(node) = opener
            .filter(|alert| alert.kind == AlertKind::Absent)
            .and_then(|alert| alert.spot.node)
        else {
            return false;
        };
        let team = |node: NodeId| fold.graph.owner(node).map(|owned| owned.team);
        let own = team(NodeId(node));
        let mut below = fold.graph.ring(NodeId(node), Direction::Down, BELOW).into_iter();
        below.any(|below| team(below).is_some_and(|other| own.as_ref() != Some(&other)))
    }

    /// Judges whether somebody is to be paged now.
    pub(crate) fn judge_page(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        if fold.settings.page.pass_through {
            return self.pass_all(id, fold);
        }
        let Some(state) = self.incidents.get(&id) else {
            return;
        };
        let Some(severity) = self.pageable(state, fold) else {
            let state = self.incidents.get_mut(&id).expect("looked up above");
            state.page_at = None;
            state.catching_up = false;
            state.hold_no_page();
            return self.look_hushed(id, fold);
        };
        if state.page_at.is_some_and(|at| at > fold.time) && self.may_be_anothers(id, severity, fold) {
            let at = state.page_at.expect("checked on the line above");
            self.wake_at(id, at, fold);
            return;
        }
        self.assess_ahead(id, fold);
        if self.is_told(id, severity) {
            return;
        }
        let opener = self
            .incidents
            .get(&id)
            .and_then(|state| self.alerts.get(&state.opener));
        let source = opener.and_then(|alert| self.sources.get(&alert.source));
        let mute_sender = source.is_some_and(|source| source.never_resolves());
        let tells_ends = source.is_some_and(|source| source.resolves > 0);
        let settle = self.settle_wait(fold);
        let state = self.incidents.get_mut(&id).expect("looked up above");
        state.page_at = None;
        let waits = !matches!(state.page.state, PageState::Due);
        if waits && fold.settings.page.hold_s > 0.0 {
            if let Some(until) = self.hold(id, fold) {
                let state = self.incidents.get_mut(&id).expect("looked up above");
                state.page.state = PageState::Held;
                state.page.reason = "what asks for it will probably recover by itself".into();
                return self.wake_at(id, until, fold);
            }
            self.hold_failed(id, fold);
        }
        let state = self.incidents.get_mut(&id).expect("looked up above");
        let team = state.owner.team.clone();
        // Whoever took it took what was known then: how bad it was, and whose.
        let acknowledged = state.acknowledged_by.is_some()
            && state.acknowledged_severity >= severity
            && state.acknowledged_team.as_ref().is_none_or(|took| *took == team);
        let began_again = state.reopened || state.page.state == PageState::Closed || state.rang.is_some();
        // Longer than a page waits for what comes in: there was nobody to page for it at first.
        let wait = match severity {
            Severity::Critical => fold.settings.page.critical_wait_s,
            _ => fold.settings.page.wait_s,
        };
        let became =
            state.page.state == PageState::None && fold.time.since(state.opened_at) > secs(wait).max(settle);
        let again_after = repeat_after(state, fold);
        let worse = state.paged_severity.is_some_and(|paged| severity > paged);
        // It keeps coming back alone, and this team was told so a short while ago.
        let rang = state.rang.as_ref();
        let rests_until = rang
            .filter(|rang| rang.team == team && severity <= rang.severity)
            .map(|rang| rang.at + secs(fold.settings.life.reopen_s))
            .filter(|until| fold.time < *until);
        // Where the default route alone was called, nobody is who could do something.
        let default = fold.settings.page.default_team.as_str();
        let is_likely = state.cause_is_likely() || state.paged_teams.iter().all(|told| told == default);
        let mut repeats = 0;
        let due = match state.page.state {
            _ if acknowledged => None,
            PageState::None | PageState::Held | PageState::Closed if rests_until.is_some() => {
                state.hold_no_page();
                self.wake_at(id, rests_until.expect("asked on the line above"), fold);
                None
            }
            PageState::None | PageState::Held | PageState::Closed => Some(if began_again {
                format!("it began again and is {severity}")
            } else if became {
                format!("it became worth a page and is {severity}")
            } else {
                format!("a new incident is {severity}")
            }),
            PageState::Due if state.goes_live(fold) => {
                Some(format!("pages are live by now and it is {severity}"))
            }
            PageState::Due if worse => Some(format!("it got worse and is {severity}")),
            PageState::Due if state.given_back => {
                Some(format!("nobody has it any more and it is {severity}"))
            }
            PageState::Due if !state.knows(&team) => {
                let since = *state.owner_since.get_or_insert(fold.time);
                let grace = secs(fold.settings.page.owner_grace_s);
                if !is_likely {
                    // Looked at again when the ranking is.
                    None
                } else if fold.time.since(since) >= grace {
                    Some(format!("it is {team}'s by what is known now"))
                } else {
                    self.wake_at(id, since + grace, fold);
                    None
                }
            }
            PageState::Due => {
                state.owner_since = None;
                let at = state.last_page_at.unwrap_or(fold.time) + again_after;
                // Silence of a sender that never says when a condition ends does not say that it lasts; of one that is
                // not known yet, for some hours.
                let recent = fold.time.since(state.touched_at) <= Span::from_secs(RECENT_S);
                let lasts = !mute_sender && (tells_ends || recent)
                    || state.last_page_at.is_some_and(|paged| state.touched_at > paged);
                if at <= fold.time && state.acknowledged_by.is_none() && lasts {
                    repeats = state.repeats.saturating_add(1);
                    Some(format!("nobody took it for {again_after}"))
                } else {
                    if state.acknowledged_by.is_none() {
                        // What is heard until then may say that it lasts.
                        let again = fold.time + again_after.max(Span::from_secs(1));
                        self.wake_at(id, if at > fold.time { at } else { again }, fold);
                    }
                    None
                }
            }
        };
        match (due, fold.behind()) {
            (None, _) => {}
            (Some(_), Some(behind)) => self.hold_for_catch_up(id, behind, fold),
            (Some(_), None) if waits && self.tell_with(id, severity, fold) => {}
            (Some(reason), None) => {
                self.incidents.get_mut(&id).expect("looked up above").repeats = repeats;
                self.page(id, None, severity, reason, fold);
            }
        }
    }

    /// What is far behind the present is judged when it no longer is: nobody is woken on Monday for what ended on
    /// Saturday.
    fn hold_for_catch_up(&mut self, id: IncidentId, behind: Span, fold: &mut Fold<'_>) {
        let text = format!("stream time is {behind} behind the present");
        let state = self.incidents.get_mut(&id).expect("looked up by the caller");
        if state.page.state != PageState::Due {
            state.backlog = true;
            state.page.state = PageState::Held;
            state.page.reason = compact_str::format_compact!("catch_up: {text}");
        }
        if !std::mem::replace(&mut state.catching_up, true) {
            let because = vec![Evidence::new(EvidenceKind::CatchUp, behind.as_secs_f64(), text)];
            self.change(
                id,
                What::new(ChangeKind::Note).to("held: catch_up"),
                because,
                fold,
            );
        }
        // Looked at again each minute: the word of a clock that is wrong holds until the next one only.
        let until = fold.time + behind - secs(fold.settings.page.catch_up_s);
        self.wake_at(id, until.min(fold.time + Span::from_secs(60)), fold);
    }

    /// Passes on what fires in an incident and was not yet: a silence or the reading of a backlog may be over.
    fn pass_all(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        let members = self.incidents.get(&id).filter(|state| state.is_open());
        let members: Vec<AlertId> = members
            .into_iter()
            .flat_map(|state| state.members.keys().copied())
            .collect();
        for alert in members {
            self.pass_on(id, alert, fold);
        }
    }

    /// Pass-through: an alert that begins to fire, or gets worse, is passed on as a page of its own, whatever is believed
    /// of it. Only what people asked for keeps it quiet.
    pub(crate) fn pass_on(&mut self, id: IncidentId, alert_id: AlertId, fold: &mut Fold<'_>) {
        if !fold.settings.page.pass_through {
            return;
        }
        let (Some(alert), Some(state)) = (self.alerts.get(&alert_id), self.incidents.get_mut(&id)) else {
            return;
        };
        let silenced = alert
            .quieted
            .as_ref()
            .is_some_and(|q| matches!(q.by, By::Quiet(_)));
        let severity = alert.severity;
        let Some(member) = state.members.get_mut(&alert_id) else {
            return;
        };
        if !member.firing
            || silenced
            || severity < fold.settings.page.severity_min
            || member.passed_on.is_some_and(|before| before >= severity)
        {
            return;
        }
        if let Some(behind) = fold.behind() {
            return self.hold_for_catch_up(id, behind, fold);
        }
        let state = self.incidents.get_mut(&id).expect("looked up above");
        let member = state.members.get_mut(&alert_id).expect("looked up above");
        member.passed_on = Some(severity);
        self.assess(id, fold);
        self.page(
            id,
            Some(alert_id),
            severity,
            format!("passed on: it is {severity}"),
            fold,
        );
    }

    /// Somebody is to be paged: for an incident, or for one alert of it.
    pub(crate) fn page(
        &mut self,
        id: IncidentId,
        alert: Option<AlertId>,
        severity: Severity,
        reason: String,
        fold: &mut Fold<'_>,
    ) {
        self.meta.books.pages += 1;
        let state = self.incidents.get_mut(&id).expect("looked up by the caller");
        let team = state.owner.team.clone();
        let before = state.paged_teams.last().cloned();
        state.paged_teams.retain(|told| *told != team);
        state.paged_teams.push(team.clone());
        state.given_back = false;
        state.catching_up = false;
        state.page.state = PageState::Due;
        state.rang = None;
        state.hushed_since = None;
        state.page.mode = fold.settings.page.mode;
        state.page.seq += 1;
        state.page.first_due_at.get_or_insert(fold.time);
        state.page.reason = reason.as_str().into();
        let told = state.paged_severity;
        if told.is_some_and(|told| severity > told) {
            state.told_of_less.clone_from(&state.paged_teams);
        }
        state.told_of_less.retain(|told| *told != team);
        state.paged_severity = Some(told.map_or(severity, |paged| paged.max(severity)));
        state.last_page_at = Some(fold.time);
        state.owner_since = None;
        let again = fold.time + repeat_after(state, fold);
        let mut because = vec![Evidence::new(
            EvidenceKind::Severity,
            severity as u8 as f64,
            reason,
        )];
        because.extend(state.owner.because.iter().cloned());
        let mut what = What::new(ChangeKind::PageDue)
            .to(team)
            .mode(fold.settings.page.mode);
        what.alert = alert;
        if let Some(before) = before {
            what = what.from(before);
        }
        self.change(id, what, because, fold);
        self.wake_at(id, again, fold);
    }

    /// The incident is over, and `why`: who was told of it is told of its end.
    pub(crate) fn close_page(&mut self, id: IncidentId, why: &Evidence, fold: &mut Fold<'_>) {
        let Some(state) = self.incidents.get_mut(&id) else {
            return;
        };
        state.page_at = None;
        state.catching_up = false;
        state.hushed_since = None;
        state.rang = state.rang.take().filter(|_| state.returning);
        match state.page.state {
            PageState::Due => {
                state.page.state = PageState::Closed;
                let mode = state.page.mode;
                let severity = state.paged_severity.take();
                let last = state.paged_teams.last().zip(state.last_page_at).zip(severity);
                state.rang = last
                    .filter(|_| state.returning)
                    .map(|((team, at), severity)| Rang {
                        at,
                        team: team.clone(),
                        severity,
                    });
                state.told_of_less.clear();
                for team in std::mem::take(&mut state.paged_teams) {
                    // Who was told of it only as far as pages were real is told of its end as far.
                    let what = What::new(ChangeKind::PageClosed).to(team).mode(mode);
                    self.change(id, what, vec![why.clone()], fold);
                }
            }
            PageState::Held => state.hold_no_page(),
            PageState::None | PageState::Closed => {}
        }
        self.tell_on(id, fold);
    }

    /// All that anybody was paged for is over, though what was kept quiet from its beginning fires still: who was told of
    /// it is told of its end, once it has been quiet for as long as after any other end.
    pub(crate) fn look_hushed(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        let Some(state) = self.incidents.get(&id) else {
            return;
        };
        if !state.is_open() || state.page.state != PageState::Due || fold.settings.page.pass_through {
            return;
        }
        let mut firing = state.members.iter().filter(|(_, m)| m.firing).peekable();
        // Without any it ends as a whole; what was heard before it was silenced is what somebody was paged for.
        let hushed = firing.peek().is_some()
            && firing.all(|(alert, member)| {
                let quieted = self.alerts.get(alert).and_then(|alert| alert.quieted.as_ref());
                quieted.is_some_and(|quieted| quieted.since <= member.joined_at)
            });
        let state = self.incidents.get_mut(&id).expect("looked up above");
        if !hushed {
            state.hushed_since = None;
            return;
        }
        let since = *state.hushed_since.get_or_insert(fold.time);
        let quiet = secs(fold.settings.life.resolve_quiet_s);
        if fold.time < since + quiet {
            return self.wake_at(id, since + quiet, fold);
        }
        let from = crate::life::record::status_word(state.status);
        state.status = IncidentStatus::Open;
        (state.acknowledged_by, state.snoozed_until) = (None, None);
        state.given_back = false;
        let text = format!("quiet for {quiet}; what fires still was kept quiet from its beginning");
        let why = Evidence::new(EvidenceKind::Quiet, quiet.as_secs_f64(), text);
        if from != "open" {
            // Whoever had it has nothing to do any more; what is heard of it again is everybody's.
            let what = What::new(ChangeKind::Note).from(from).to("open");
            self.change(id, what, vec![why.clone()], fold);
        }
        self.close_page(id, &why, fold);
    }
}

impl State {
    /// Its page is held no longer, and none is due: it is as it was before.
    fn hold_no_page(&mut self) {
        if self.page.state == PageState::Held {
            self.page.state = match self.rang {
                Some(_) => PageState::Closed,
                None => PageState::None,
            };
        }
    }

    /// Whether its cause is likelier than not, so that one more team may be called for it.
    pub(crate) fn cause_is_likely(&self) -> bool {
        self.causes.first().is_none_or(|cause| cause.score >= LIKELY)
    }

    /// Whether its page was only written down, and pages are real by now.
    pub(crate) fn goes_live(&self, fold: &Fold<'_>) -> bool {
        self.is_open()
            && self.page.state == PageState::Due
            && self.page.mode == PageMode::Observe
            && fold.settings.page.mode == PageMode::Live
    }
}

/// After how long a page that nobody took is due again: twice as long each time, up to `repeat_max_s`.
fn repeat_after(state: &State, fold: &Fold<'_>) -> Span {
    let page = &fold.settings.page;
    let doubled = page.repeat_s * f64::from(1u32 << state.repeats.min(DOUBLINGS_MAX));
    secs(doubled.min(page.repeat_max_s.max(page.repeat_s)))
}
