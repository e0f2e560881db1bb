//! How often something came, and how often alone: the account by which it is a habit or none.

use model::Time;
use serde::{Deserialize, Serialize};

use crate::noise::habit::{
    ALONE_HIGH, ALONE_LOW, ALONE_MID, RATE_LOW_S, RATE_S, RECENT_HIGH, RECENT_KEEP, RECENT_MID, RECENT_S,
    SHARE, SHARE_KEEP,
};

/// What was counted, and what that is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Account {
    pub episodes: u32,
    pub alone: u32,
    /// Decaying count of those that came alone.
    pub recent: f64,
    pub recent_at: Option<Time>,
    /// 0 not chronic, 1 for info, 2 for warnings, 3 for errors.
    pub level: u8,
}

/// What else a judgement of an account rests on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    /// Seconds since it came first.
    pub s: f64,
    /// Whether it is information only.
    pub low: bool,
    /// Whether it comes like clockwork.
    pub rhythm: bool,
}

impl Account {
    pub(crate) fn share(&self) -> f64 {
        f64::from(self.alone) / f64::from(self.episodes.max(1))
    }

    /// How often it came alone within about two hours.
    pub(crate) fn recent(&self, t: Time) -> f64 {
        let age = self.recent_at.map_or(0.0, |at| t.since(at).as_secs_f64());
        self.recent * libm::exp(-age / RECENT_S)
    }

    /// Counts one episode, alone or not, and says anew whether that makes it chronic.
    pub(crate) fn count(&mut self, alone: bool, t: Time, life: Life) {
        self.episodes += 1;
        self.alone += u32::from(alone);
        self.recent = self.recent(t) + f64::from(u8::from(alone));
        self.recent_at = Some(t);
        let seldom = f64::from(self.episodes) < life.s / RATE_LOW_S;
        if (self.level > 0 && self.share() < SHARE_KEEP) || seldom {
            self.level = 0;
        }
        self.level = self.level.max(self.deserves(life));
    }

    /// Takes back so many of what was counted last, and so many that came alone; what that made of it goes with them, but
    /// not what it was before.
    pub(crate) fn take_back(&mut self, episodes: u32, alone: u32, level: u8, life: Life) {
        self.episodes = self.episodes.saturating_sub(episodes);
        self.alone = self.alone.saturating_sub(alone);
        self.recent = (self.recent - f64::from(alone)).max(0.0);
        self.level = self.level.min(self.deserves(life).max(level));
    }

    /// How chronic it is by what is counted.
    fn deserves(&self, life: Life) -> u8 {
        let episodes = f64::from(self.episodes);
        if self.share() < SHARE {
            0
        } else if life.low {
            u8::from(self.alone >= ALONE_LOW && episodes >= life.s / RATE_LOW_S)
        } else {
            match () {
                () if episodes < life.s / RATE_S && !life.rhythm => 0,
                () if self.alone >= ALONE_HIGH || self.recent >= RECENT_HIGH => 3,
                () if self.alone >= ALONE_MID || self.recent >= RECENT_MID => 2,
                () => 0,
            }
        }
    }

    /// What it is worth as a habit at `t`: one that rests on what happened within hours fades with them, and one that rests
    /// on its rhythm when it is out of that.
    pub(crate) fn level_at(&self, t: Time, keeps_rhythm: bool) -> u8 {
        let enough = match self.level {
            3 => ALONE_HIGH,
            2 => ALONE_MID,
            _ => 0,
        };
        let faded = self.alone < enough && self.recent(t) < RECENT_KEEP && !keeps_rhythm;
        if faded { 0 } else { self.level }
    }
}
