//! Two accounts of how often an alert came. What comes and goes within a bout of flapping comes each time, and once.
//!
//! The account of *comings* (`Habit`) says whether it will be back: an incident waits for what keeps coming back, and a
//! returning alert goes on where it was. The account of *bouts* says whether it is a habit: ten flips within twenty minutes
//! are one thing that happened, so what is truly down hours later is heard. Until an alert flaps both are one, and only the
//! one of comings is kept.

use model::{Span, Time};
use serde::{Deserialize, Serialize};

use crate::{
    noise::account::{Account, Life},
    state::alert::{Alert, Flap, Habit},
};

/// What flaps for longer than this has come once more, or what flaps all week would never be a habit.
const BOUT_MAX: Span = Span::from_hours(1);

/// What came since the state of an alert was quiet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Bout {
    /// When it was first counted.
    pub since: Option<Time>,
    /// What was counted since then: one coming, if it flaps.
    pub returns: u32,
    pub lone: u32,
    /// How chronic it was before, by its bouts.
    pub level: u8,
}

impl Bout {
    fn lasts(&self, t: Time) -> bool {
        self.since.is_some_and(|since| t.since(since) <= BOUT_MAX)
    }
}

impl Flap {
    /// Its state changes so often that all that the present bout counted was one coming.
    pub(crate) fn is_one_bout(&mut self, comings: Account, life: Life) {
        let bout = &mut self.bout;
        let (returns, lone) = (std::mem::take(&mut bout.returns), std::mem::take(&mut bout.lone));
        let level = bout.level;
        let account = self.bouts.get_or_insert(comings);
        account.take_back(returns, lone, level, life);
    }
}

impl Alert {
    /// How often it came, by what a habit is judged by: while it flaps it comes each time.
    pub(crate) fn bouts(&self) -> Account {
        let bouts = self.flap.bouts.filter(|_| self.flap.since.is_none());
        bouts.unwrap_or_else(|| self.habit.comings())
    }

    /// Notes something of the present run, which may show that it had not come alone after all.
    pub(crate) fn note_run<T>(&mut self, t: Time, note: impl FnOnce(&mut Habit) -> T) -> T {
        let before = self.habit.alone;
        let noted = note(&mut self.habit);
        if self.habit.alone < before && self.flap.at.is_some() {
            let life = self.habit.life(t, false);
            let flap = &mut *self.flap;
            flap.bout.lone = flap.bout.lone.saturating_sub(1);
            if let Some(account) = &mut flap.bouts {
                account.take_back(0, 1, 0, life);
            }
        }
        noted
    }

    /// Counts one coming in both accounts.
    pub(crate) fn count_coming(&mut self, alone: bool, t: Time, low: bool) {
        let before = self.flap.bouts.map_or(self.habit.level, |bouts| bouts.level);
        self.habit.judge(alone, t, low);
        if self.flap.at.is_none() {
            // Its state never changed but once, so there is no bout.
            return;
        }
        let life = self.habit.life(t, low);
        let (returns, flaps) = (!self.flap.is_quiet(t), self.flap.since.is_some());
        let flap = &mut *self.flap;
        if returns && flap.bout.since.is_none() {
            // What it returns from was counted when nothing had changed yet.
            flap.bout.since = Some(t);
            flap.bout.level = before;
        }
        let again = returns && flap.bout.lasts(t);
        if again {
            flap.bout.returns += 1;
            flap.bout.lone += u32::from(alone);
        } else {
            flap.bout = Bout {
                since: Some(t),
                level: before,
                ..Bout::default()
            };
        }
        if let Some(account) = flap.bouts.as_mut().filter(|_| !(again && flaps)) {
            account.count(alone, t, life);
        }
    }
}
