//! Transients: a class of alerts that nearly always recovers by itself within two minutes need not wake anybody before
//! those are over. The *page* is held, never the incident, and only where every alert that asks for it is such a one and
//! none is critical.
//!
//! How likely a recovery is follows from how long earlier alerts of the class fired: with `k` of `n` that had lasted as
//! long as this one ended within the hold, (k + 1) / (n + 2), the mean of the posterior under a uniform prior. Each
//! hold ends in one of two ways, which is said, and both feed the counts: what stops recovering is soon held no more.

use model::{AlertId, ChangeKind, Evidence, EvidenceKind, IncidentId, Severity, Time};
use serde::{Deserialize, Serialize};

use crate::{
    engine::{Engine, What},
    fold::Fold,
    noise::kept::kept,
    settings::secs,
};

/// Ends of the duration classes, in seconds after the onset; what lasts longer is in none.
const EDGES_S: [u32; 8] = [15, 30, 45, 60, 90, 120, 300, 900];
/// So many alerts of a class are remembered; beyond, all counts are halved, so that last month fades.
const REMEMBERED_MAX: u32 = 256;
/// What is as improbable as this is no habit any more.
const UNLIKELY: f64 = 0.1;
/// What is said to keep a held alert.
const BY: &str = "hold";

/// How the alerts of one class ended.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Endings {
    /// Those that recovered within each of [`EDGES_S`] and not before.
    within: [u32; EDGES_S.len()],
    /// Those that lasted longer, or whose end nobody said.
    longer: u32,
    /// Pages held for the class, and those of them that a recovery made needless.
    pub held: u32,
    pub spared: u32,
    /// Stream time at which the last of them was heard.
    pub at: Option<Time>,
}

impl Endings {
    /// Counts one that fired for so long; `None`: its end was never said.
    pub(crate) fn count(&mut self, lasted_s: Option<f64>) {
        match lasted_s.and_then(|s| EDGES_S.iter().position(|edge| s <= f64::from(*edge))) {
            Some(i) => self.within[i] += 1,
            None => self.longer += 1,
        }
        if self.all() > REMEMBERED_MAX {
            self.within.iter_mut().for_each(|n| *n /= 2);
            self.longer /= 2;
        }
    }

    fn all(&self) -> u32 {
        self.within.iter().sum::<u32>() + self.longer
    }

    /// How long the longest of them fired, in seconds, where enough are known for one that fires longer to be unlikely:
    /// with `n` that all ended by then it is 1 / (n + 2).
    pub(crate) fn longest_s(&self) -> Option<f64> {
        let known = self.longer == 0 && self.all() + 2 >= (1.0 / UNLIKELY) as u32;
        let longest = self.within.iter().rposition(|n| *n > 0).filter(|_| known)?;
        Some(f64::from(EDGES_S[longest]))
    }

    /// The probability that one that has fired for `age_s` recovers before it has for `hold_s`, and how many it rests on.
    fn recovers(&self, age_s: f64, hold_s: f64) -> (f64, u32) {
        let ended_by = |s: f64| -> u32 {
            EDGES_S
                .iter()
                .zip(self.within)
                .filter(|(edge, _)| f64::from(**edge) <= s)
                .map(|(_, n)| n)
                .sum()
        };
        let gone = ended_by(age_s);
        let at_risk = self.all() - gone;
        let recovered = ended_by(hold_s).saturating_sub(gone);
        let p = (f64::from(recovered) + 1.0) / (f64::from(at_risk) + 2.0);
        (p, self.all())
    }
}

impl Engine {
    /// Counts how an alert ended.
    pub(crate) fn count_ending(&mut self, id: AlertId, ended: Option<Time>) {
        let Some(alert) = self.alerts.get(&id) else { return };
        let lasted = ended.map(|at| at.since(alert.onset).as_secs_f64().max(0.0));
        let (class, heard_at) = (alert.class, alert.heard_at);
        let endings = self.endings.entry(&class, Default::default);
        endings.count(lasted);
        endings.at = endings.at.max(Some(heard_at));
    }

    /// Until when the page of an incident is to wait, because all that asks for it will probably recover by then.
    /// Says so of each alert that is held for the first time.
    pub(crate) fn hold(&mut self, id: IncidentId, fold: &mut Fold<'_>) -> Option<Time> {
        let hold_s = fold.settings.page.hold_s;
        let asking = self.asks_for_page(self.incidents.get(&id)?, fold);
        let mut until = None;
        let mut held = Vec::new();
        for (alert_id, severity) in asking {
            let alert = self.alerts.get(&alert_id)?;
            // Both clocks must say that it is young: the sender's may be wrong.
            let age = fold.time.since(alert.onset).as_secs_f64();
            let (p, n) = self.endings.get(&alert.class)?.recovers(age, hold_s);
            let sure = p >= fold.settings.page.hold_probability && n >= fold.settings.page.hold_alerts_min;
            if severity >= Severity::Critical || !sure || !(0.0..hold_s).contains(&age) {
                return None;
            }
            let end = alert.onset + secs(hold_s);
            until = Some(until.map_or(end, |u: Time| u.min(end)));
            held.push((alert_id, alert.class, alert.episode, p, n, end));
        }
        for (alert, class, episode, p, n, end) in held {
            let state = self.incidents.get_mut(&id).expect("looked up above");
            if state.held.contains(&alert) {
                continue;
            }
            state.held.insert(alert);
            self.meta.books.held += 1;
            self.endings.entry(&class, Default::default).held += 1;
            let reason = format!(
                "{:.0} % of its like ({n} seen) recover within {hold_s:.0} s; nobody is paged before",
                p * 100.0
            );
            let known = self.alerts.get(&alert).expect("looked up above");
            let entry = kept(alert, known, BY, Some(end), reason.clone(), fold);
            let state = self.incidents.get_mut(&id).expect("looked up above");
            state.suppressed.insert(alert, entry);
            self.say_episode(episode, Some(id), Some(&format!("held: {reason}")), None, fold);
            let what = What::new(ChangeKind::Suppressed).alert(alert).to(BY);
            self.change(
                id,
                what,
                vec![Evidence::new(EvidenceKind::Transient, p, reason)],
                fold,
            );
        }
        until
    }

    /// A held alert recovered: nobody had to be paged for it.
    pub(crate) fn hold_spared(&mut self, id: IncidentId, alert: AlertId, fold: &mut Fold<'_>) {
        if !self.unhold(id, alert) {
            return;
        }
        self.meta.books.spared += 1;
        let state = self.alerts.get(&alert).map(|a| (a.class, a.onset, a.state_at));
        let Some((class, onset, ended)) = state else {
            return;
        };
        self.endings.entry(&class, Default::default).spared += 1;
        let lasted = ended.since(onset);
        let text = format!("it recovered after {lasted}; nobody was paged for it");
        self.say_released(id, alert, lasted.as_secs_f64(), text, fold);
    }

    /// The hold of every alert of an incident is over without a recovery.
    pub(crate) fn hold_failed(&mut self, id: IncidentId, fold: &mut Fold<'_>) {
        let Some(state) = self.incidents.get(&id) else {
            return;
        };
        for alert in state.held.iter().copied().collect::<Vec<_>>() {
            self.unhold(id, alert);
            let Some(known) = self.alerts.get(&alert) else {
                continue;
            };
            let (lasts, episode) = (fold.time.since(known.onset), known.episode);
            self.say_episode(episode, Some(id), None, None, fold);
            let text = format!("it fires for {lasts}; held no longer");
            self.say_released(id, alert, lasts.as_secs_f64(), text, fold);
        }
    }

    fn unhold(&mut self, id: IncidentId, alert: AlertId) -> bool {
        let Some(state) = self.incidents.get_mut(&id) else {
            return false;
        };
        let was = state.held.remove(&alert);
        if was && state.suppressed.get(&alert).is_some_and(|s| s.by == BY) {
            state.suppressed.remove(&alert);
        }
        was
    }

    fn say_released(&mut self, id: IncidentId, alert: AlertId, s: f64, text: String, fold: &mut Fold<'_>) {
        let what = What::new(ChangeKind::Released).alert(alert).from(BY);
        self.change(
            id,
            what,
            vec![Evidence::new(EvidenceKind::Transient, s, text)],
            fold,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_is_as_likely_as_it_was_often() {
        let mut endings = Endings::default();
        assert_eq!(endings.recovers(0.0, 120.0), (0.5, 0));
        for _ in 0..18 {
            endings.count(Some(40.0));
        }
        assert_eq!(endings.recovers(0.0, 120.0), (0.95, 18));
        // What has outlived all the others is one of its own.
        assert_eq!(endings.recovers(50.0, 120.0).0, 0.5);
        for _ in 0..18 {
            endings.count(None);
        }
        assert_eq!(endings.recovers(0.0, 120.0), (0.5, 36));
    }
}
