//! An incident of one alert that keeps coming back alone is not over after five quiet minutes.
//!
//! It would be another one every half hour, or one that ended takes in what came long after its end; both is wrong. So
//! such an incident is *returning*: who was told of it is told that its alert recovered, but it stays open until that has
//! been away for as long as habits are remembered. When it comes back meanwhile it goes on, and rings if it is worth it:
//! half an hour after it last rang at the earliest (`life.reopen_s`, within which what comes back is no news), unless it
//! is worse.

use model::{ChangeKind, Evidence, EvidenceKind, IncidentId, IncidentStatus, Span, Time};

use crate::{
    engine::{Engine, What},
    fold::Fold,
    noise::habit::RECENT_S,
    state::incident::State,
};

/// Times that it came alone, faded over about two hours, from which on it is waited for.
pub(crate) const RECENT_MIN: f64 = 1.0;

impl Engine {
    /// Until when an incident that has been quiet for long enough waits for its alert, if it does.
    fn awaits_return(&self, id: IncidentId, fold: &Fold<'_>) -> Option<Time> {
        let state = self.incidents.get(&id).filter(|state| state.is_alone())?;
        let alert = self.alerts.get(&state.opener)?;
        if alert.opened.as_deref() != Some(&id) || alert.incident != Some(id) {
            return None;
        }
        // What its sender only repeats was never away.
        let back = alert.back_at?;
        if fold.time.since(back).as_secs_f64() > RECENT_S {
            return None;
        }
        let recent = alert.habit.recent(fold.time);
        if recent < RECENT_MIN {
            return None;
        }
        let fades_s = RECENT_S * libm::log(recent / RECENT_MIN);
        let until = fold.time + Span::from_secs(fades_s as i64);
        Some(until.min(state.last + Span::from_secs(RECENT_S as i64))).filter(|until| *until > fold.time)
    }

    /// Keeps an incident that has been quiet for long enough while its alert may come back; says whether it does.
    pub(crate) fn wait_for_return(&mut self, id: IncidentId, fold: &mut Fold<'_>) -> bool {
        let Some(until) = self.awaits_return(id, fold) else {
            return false;
        };
        let state = self.incidents.get_mut(&id).expect("looked up above");
        if !std::mem::replace(&mut state.returning, true) {
            // Whoever had it has nothing to do any more; when it comes back it is everybody's.
            let from = crate::life::record::status_word(state.status);
            state.status = IncidentStatus::Open;
            (state.acknowledged_by, state.snoozed_until) = (None, None);
            state.given_back = false;
            let quiet = fold.time.since(state.touched_at);
            let text = format!("it keeps coming back alone; quiet for {quiet}, and waited for until {until}");
            let why = Evidence::new(EvidenceKind::Quiet, quiet.as_secs_f64(), text);
            let what = What::new(ChangeKind::Note).from(from).to("returning");
            self.change(id, what, vec![why.clone()], fold);
            self.close_page(id, &why, fold);
            self.remember(id, fold);
        }
        self.wake_at(id, until, fold);
        true
    }
}

impl State {
    /// Whether it never showed more than one alert.
    pub(crate) fn is_alone(&self) -> bool {
        self.shown <= 1 && !self.background
    }
}
