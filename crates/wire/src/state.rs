//! Words for the state of an alert.

use model::{EventKind, Status};

use crate::draft::Draft;

/// What a word says of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Firing,
    Resolved,
    /// Somebody took it; it still holds.
    Acked,
    /// Neither: no data, pending, for reading.
    Info,
}

/// The state that a word stands for in most tools; `None` when it says nothing we know.
pub(crate) fn word(text: &str) -> Option<State> {
    let mut buffer = [0; 24];
    let text = text.trim();
    if text.is_empty() || text.len() > buffer.len() {
        return None;
    }
    let lower = &mut buffer[..text.len()];
    lower.copy_from_slice(text.as_bytes());
    lower.make_ascii_lowercase();
    Some(match &*lower {
        b"firing" | b"alerting" | b"alert" | b"triggered" | b"trigger" | b"problem" | b"open" | b"opened"
        | b"active" | b"new" | b"critical" | b"crit" | b"down" | b"alarm" | b"failing" | b"failed"
        | b"failure" | b"warning" | b"warn" | b"error" | b"unhealthy" | b"created" | b"create"
        | b"started" | b"activated" | b"fired" | b"fire" | b"unreachable" | b"re-triggered"
        | b"retriggered" | b"renotify" | b"raised" | b"degraded" | b"ongoing" | b"unresolved"
        | b"reopened" | b"reopen" | b"escalated" | b"breached" | b"outage" | b"on" | b"true"
        | b"investigating" | b"identified" | b"anomaly" | b"fail" | b"not ok" | b"incident" => State::Firing,
        b"resolved"
        | b"resolve"
        | b"ok"
        | b"closed"
        | b"close"
        | b"recovered"
        | b"recovery"
        | b"recover"
        | b"up"
        | b"normal"
        | b"clear"
        | b"cleared"
        | b"inactive"
        | b"healthy"
        | b"passing"
        | b"deactivated"
        | b"fixed"
        | b"done"
        | b"success"
        | b"succeeded"
        | b"completed"
        | b"expired"
        | b"ended"
        | b"end"
        | b"cancelled"
        | b"canceled"
        | b"off"
        | b"false"
        | b"good"
        | b"online"
        | b"operational"
        | b"solved"
        | b"returned to normal"
        | b"complete"
        | b"passed"
        | b"pass"
        | b"available"
        | b"merged" => State::Resolved,
        b"acknowledged" | b"acknowledge" | b"acked" | b"ack" | b"in progress" | b"in_progress"
        | b"acknowledgement" | b"assigned" => State::Acked,
        b"info" | b"unknown" | b"no data" | b"nodata" | b"no_data" | b"insufficient_data" | b"pending"
        | b"suppressed" | b"silenced" | b"snoozed" | b"test" | b"paused" | b"muted" | b"monitoring" => {
            State::Info
        }
        _ => return None,
    })
}

impl Draft {
    /// Takes a state: an acknowledgement is an event of another kind about an alert that still fires.
    pub(crate) fn state(&mut self, state: Option<State>) {
        match state {
            Some(State::Firing) => self.status = Some(Status::Firing),
            Some(State::Resolved) => self.status = Some(Status::Resolved),
            Some(State::Acked) => {
                self.kind = EventKind::Ack;
                self.status = Some(Status::Firing);
            }
            Some(State::Info) => self.status = Some(Status::Info),
            None => {}
        }
    }
}
