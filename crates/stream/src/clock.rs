//! The one place where the present comes from.

use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use model::Time;

/// Says what time it is. The shell gives it; nothing in the fold has one.
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> Time;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands still until it is set: for tests and the demo in fast motion.
#[derive(Debug)]
pub struct SetClock(Mutex<Time>);

impl SetClock {
    /// A clock that shows `now`.
    pub fn new(now: Time) -> SetClock {
        SetClock(Mutex::new(now))
    }
    /// Sets it.
    pub fn set(&self, now: Time) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = now;
    }
}

impl Clock for SetClock {
    fn now(&self) -> Time {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
