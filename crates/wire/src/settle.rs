//! The clamp of a sender's times against the time of receipt.

use model::{Event, Span, Time};

/// A `ts` may be this far ahead of the time of receipt.
const AHEAD_MAX: Span = Span::from_mins(5);
/// No sender's time lies after the year 2200 or before 1970.
const SECS_MAX: i64 = 7_289_654_400;

/// Sets when the event entered a log, and cuts what cannot be: a `ts` ahead of that by more than five minutes, or
/// outside the years 1970 to 2200, becomes the time of receipt and the event is flagged `skewed`.
pub fn settle_times(event: &mut Event, received_at: Time) {
    let absurd = |t: Time| t.nanos() < 0 || t.secs() > SECS_MAX;
    event.received_at = received_at;
    if absurd(event.ts) || event.ts.since(received_at) > AHEAD_MAX {
        event.ts = received_at;
        event.skewed = true;
    }
    if event.starts_at.is_some_and(absurd) {
        event.starts_at = None;
        event.skewed = true;
    }
    if event.ends_at.is_some_and(absurd) {
        event.ends_at = None;
        event.skewed = true;
    }
}
