//! What a tool that looks at intervals sees at its next look.
//!
//! It reports one fault in several looks, and ten seconds see one of them. Whether an alert brings back an incident that
//! is over or opens the next one shows in what comes with it, so it waits for another look, but no longer than a page of
//! it may wait. And what is kept out as chronic is looked at once more then: what it belongs with may have come a minute
//! later.

use model::{AlertId, Severity, Time};

use crate::{
    engine::{Engine, Timer},
    fold::Fold,
    grouping::{
        pending::{Kind, Look, Pending},
        verdict::{Placement, Verdict},
    },
    noise::habit::COMPANY_S,
    settings::secs,
};

/// What lasts no longer than this is never overdue: its like may have been seen to end within seconds, and a minute is no
/// news then.
const OVERDUE_MIN_S: f64 = 600.0;

impl Engine {
    /// Lets an alert that would bring back what is over wait for another look, if its tool looks at intervals; says
    /// whether it does.
    pub(crate) fn put_off(
        &mut self,
        number: u64,
        p: &Pending,
        verdict: &Verdict,
        fold: &mut Fold<'_>,
    ) -> bool {
        let Placement::Relapse(home) = verdict.place else {
            return false;
        };
        let page = &fold.settings.page;
        let alert = self.alerts.get(&p.alert);
        let critical = alert.is_some_and(|alert| alert.severity >= Severity::Critical);
        let longest_s = match critical {
            true => page.critical_wait_s - self.settle_wait(fold).as_secs_f64(),
            false => page.wait_s,
        };
        let wait_s = longest_s.min(self.interval_s(p.alert));
        let over = self.incidents.get(&home).is_some_and(|state| !state.is_open());
        if p.look != Look::First || !over || wait_s <= 0.0 {
            return false;
        }
        if p.comes {
            self.learn_later(number, p, fold);
        }
        self.put(number, p, Look::Second, wait_s, fold);
        true
    }

    /// What is kept out, and is no information only, is looked at again when its tool has looked once more, or when what
    /// began beside it is settled, if its tool shows no rhythm; says whether it is.
    pub(crate) fn look_after(&mut self, p: &Pending, fold: &mut Fold<'_>) -> bool {
        if p.look != Look::First || !p.fresh || p.weight == 0 {
            return false;
        }
        let settles_s = self.settle_wait(fold).as_secs_f64();
        let look_s = match self.interval_s(p.alert) {
            interval_s if interval_s > 0.0 => fold.settings.page.wait_s.min(interval_s),
            // Of several that begin at one moment the first is judged before there is an incident.
            _ if self.begins_in_company(p, fold) => settles_s,
            _ => return false,
        };
        // What comes with that look has to be settled by then.
        let wait_s = look_s + settles_s;
        let alert = self.alerts.get_mut(&p.alert).expect("settled just now");
        alert.unsettled += 1;
        self.meta.queued += 1;
        self.put(self.meta.queued, p, Look::After, wait_s, fold);
        true
    }

    fn begins_in_company(&self, p: &Pending, fold: &Fold<'_>) -> bool {
        let until = p.t + secs(fold.settings.grouping.settle_s);
        self.company(p.alert, p.t - secs(COMPANY_S), until, p.t, fold)
            .all()
            > 0
    }

    /// What is kept out for its habit is looked at again when it has fired for twice as long as any of its like before, at
    /// least ten minutes: to recover soon is a part of the habit.
    pub(crate) fn look_overdue(&mut self, p: &Pending, fold: &mut Fold<'_>) {
        let Some(at) = self.overdue_at(p.alert) else {
            return;
        };
        let alert = self.alerts.get_mut(&p.alert).expect("settled just now");
        let waits = alert.habit.overdue.replace(at) == Some(at);
        if waits || p.look == Look::Overdue || p.weight == 0 {
            return;
        }
        let wait_s = at.since(fold.time).as_secs_f64().max(0.0);
        let then = Pending { t: at, ..p.clone() };
        self.meta.queued += 1;
        self.put(self.meta.queued, &then, Look::Overdue, wait_s, fold);
    }

    /// When a firing alert will have fired for longer than its like ever did, if that is known.
    fn overdue_at(&self, id: AlertId) -> Option<Time> {
        let alert = self.alerts.get(&id).filter(|alert| alert.firing())?;
        let longest_s = self.endings.get(&alert.class)?.longest_s()?;
        Some(alert.onset + secs((2.0 * longest_s).max(OVERDUE_MIN_S)))
    }

    fn put(&mut self, number: u64, p: &Pending, look: Look, wait_s: f64, fold: &mut Fold<'_>) {
        let due = fold.time + secs(wait_s);
        self.order.insert(number, p.waits());
        self.timers.insert((due, Timer::Settle(p.t, number)));
        let again = Pending {
            due,
            comes: false,
            kind: Kind::Unnoticed,
            look,
            ..p.clone()
        };
        self.pending.insert(number, again);
    }

    /// Ends the wait for another look at what was kept out, if it has been heard, came anew or, where its end is overdue,
    /// recovered meanwhile; says whether.
    pub(crate) fn forgo_look(&mut self, p: &Pending) -> bool {
        match p.look {
            Look::First | Look::Second => false,
            Look::After => {
                let alert = self.alerts.get_mut(&p.alert).expect("remembered while it waits");
                let forgone = alert.muted.is_none() || alert.episode != p.episode;
                alert.unsettled -= u32::from(forgone);
                forgone
            }
            Look::Overdue => self.forgo_overdue(p),
        }
    }

    /// The same for one that is overdue. It does not count as waiting before, for that may last half an hour.
    fn forgo_overdue(&mut self, p: &Pending) -> bool {
        let late = self.overdue_at(p.alert).is_some_and(|at| at <= p.t);
        let Some(alert) = self.alerts.get_mut(&p.alert) else {
            return true;
        };
        let goes_on = late && alert.muted.is_some() && alert.unsettled == 0;
        if goes_on {
            alert.unsettled = 1;
            alert.habit.broken = Some(p.t);
        }
        !goes_on
    }

    /// Until when an alert is looked ahead of: for the settlement, or for as long as it waited.
    pub(crate) fn until(&self, p: &Pending, fold: &Fold<'_>) -> Time {
        let settles = p.t + secs(fold.settings.grouping.settle_s);
        match p.look {
            Look::First => settles,
            _ => settles.max(fold.time),
        }
    }
}
