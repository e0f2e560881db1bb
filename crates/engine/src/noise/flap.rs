//! Flapping: an alert that changes its state too often stays in its incident and what it says last counts, but it is said
//! once a minute only.
//!
//! A decaying penalty as in RFC 2439 (route flap damping) was chosen over Icinga's window of 21 weighted checks, because
//! it needs no rhythm: most senders report changes only, so a number of checks is not known. Penalty and half-life of 15
//! minutes are the customary ones; RIPE-580 found the customary limit of 2000 to hit healthy routes and recommends 6000,
//! which four recurring faults do not reach.

use model::{AlertId, ChangeKind, Evidence, EvidenceKind, IncidentId, Span, Time};

use crate::{
    engine::{Engine, Timer, What},
    fold::Fold,
};

/// Penalty of one change of state, where flapping begins, and where it ends.
const STEP: f64 = 1000.0;
const ENTER: f64 = 6000.0;
const EXIT: f64 = 2000.0;
const HALF_LIFE_S: f64 = 900.0;
/// Four half-lives above the end: an hour after its last change no alert flaps any more.
const PENALTY_MAX: f64 = EXIT * 16.0;
/// Seconds between two change records of one flapping alert.
const SAY_S: i64 = 60;

impl crate::state::alert::Flap {
    /// The penalty that is left at `t`.
    fn left(&self, t: Time) -> f64 {
        let Some(at) = self.at else { return 0.0 };
        let age = t.since(at).as_secs_f64().max(0.0);
        self.penalty * libm::exp2(-age / HALF_LIFE_S)
    }

    /// When the penalty will have faded, if nothing happens.
    fn steady_at(&self) -> Option<Time> {
        let fades_s = HALF_LIFE_S * libm::log2((self.penalty / EXIT).max(1.0));
        // A second more, so that rounding never leaves a crumb.
        Some(self.at? + Span::from_secs(fades_s as i64 + 1))
    }
}

impl Engine {
    /// A change of state at `t`: the alert is penalised, and perhaps begins to flap.
    pub(crate) fn flap(&mut self, id: AlertId, t: Time, fold: &mut Fold<'_>) {
        let alert = self.alerts.get_mut(&id).expect("made on arrival");
        let flap = &mut alert.flap;
        flap.penalty = (flap.left(t) + STEP).min(PENALTY_MAX);
        flap.at = Some(flap.at.map_or(t, |at| at.max(t)));
        let penalty = flap.penalty;
        if flap.since.is_some() || penalty <= ENTER {
            return;
        }
        flap.since = Some(t);
        flap.said_at = Some(fold.time);
        if let Some(incident) = alert.incident {
            let text = format!("its state changes too often: penalty {penalty:.0} over {ENTER:.0}");
            self.say_flapping(incident, id, "on", penalty, text, fold);
        }
        self.schedule_flap(id, fold);
    }

    /// Says that an alert fires or recovered; of a flapping one once a minute.
    pub(crate) fn say_state(&mut self, incident: IncidentId, id: AlertId, from: &str, fold: &mut Fold<'_>) {
        let fires = self.alerts.get(&id).is_some_and(|alert| alert.firing());
        if let Some(alert) = self.alerts.get_mut(&id)
            && alert.flap.since.is_some()
        {
            alert.flap.unsaid += 1;
            return self.schedule_flap(id, fold);
        }
        if let Some(state) = self.incidents.get_mut(&incident)
            && state.storm
        {
            state.unsaid[usize::from(fires)] += 1;
            return self.publish_soon(incident, fold);
        }
        match fires {
            true => self.note(incident, id, "it fires again", from, "firing", fold),
            false => self.note(incident, id, "it recovered", from, "resolved", fold),
        }
    }

    /// The timer of a flapping alert.
    pub(crate) fn look_flapping(&mut self, id: AlertId, fold: &mut Fold<'_>) {
        let Some(alert) = self.alerts.get_mut(&id) else {
            return;
        };
        alert.flap.due = None;
        let unsaid = std::mem::take(&mut alert.flap.unsaid);
        let over = alert.flap.steady_at().is_none_or(|at| at <= fold.time);
        if over {
            alert.flap.since = None;
        }
        let (left, incident, fires) = (alert.flap.left(fold.time), alert.incident, alert.firing());
        if unsaid > 0 {
            alert.flap.said_at = Some(fold.time);
        }
        let open = |id: &IncidentId| self.incidents.get(id).is_some_and(|state| state.is_open());
        if let Some(incident) = incident.filter(open) {
            if unsaid > 0 {
                let text = format!("its state changed {unsaid} times more");
                let what =
                    What::new(ChangeKind::Note)
                        .alert(id)
                        .to(if fires { "firing" } else { "resolved" });
                let because = vec![Evidence::new(EvidenceKind::Flapping, f64::from(unsaid), text)];
                self.change(incident, what, because, fold);
            }
            if over {
                let text = format!("its state has been steady: penalty fell to {left:.0}");
                self.say_flapping(incident, id, "off", left, text, fold);
            }
        }
        if !over {
            self.schedule_flap(id, fold);
        }
    }

    fn schedule_flap(&mut self, id: AlertId, fold: &Fold<'_>) {
        let Some(alert) = self.alerts.get_mut(&id) else {
            return;
        };
        let flap = &mut alert.flap;
        let Some(mut at) = flap.steady_at() else { return };
        if flap.unsaid > 0 {
            let next = flap.said_at.unwrap_or(fold.time) + Span::from_secs(SAY_S);
            at = at.min(next);
        }
        let at = at.max(fold.time);
        if let Some(before) = flap.due.replace(at) {
            self.timers.remove(&(before, Timer::Flap(id)));
        }
        self.timers.insert((at, Timer::Flap(id)));
    }

    fn say_flapping(
        &mut self,
        incident: IncidentId,
        id: AlertId,
        word: &str,
        penalty: f64,
        text: String,
        fold: &mut Fold<'_>,
    ) {
        let what = What::new(ChangeKind::Flapping).alert(id).to(word);
        let because = vec![Evidence::new(EvidenceKind::Flapping, penalty, text)];
        self.change(incident, what, because, fold);
    }
}

#[cfg(test)]
mod tests {
    use crate::state::alert::Flap;

    #[test]
    fn flapping_ends_within_an_hour() {
        let at = "2026-03-02T10:00:00Z".parse().unwrap();
        let flap = Flap {
            penalty: super::PENALTY_MAX,
            at: Some(at),
            ..Flap::default()
        };
        let steady = flap.steady_at().unwrap();
        assert_eq!(steady.since(at).as_secs_f64(), 3601.0);
        assert!(flap.left(steady) < super::EXIT);
    }
}
