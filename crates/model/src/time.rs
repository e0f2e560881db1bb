//! Points in time and lengths of time, in nanoseconds since 1970-01-01T00:00:00Z.
//!
//! Nothing here reads a clock: a `Time` comes from a record, never from the machine.

use std::{cmp::Ordering, fmt, num::NonZeroI64, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time, as nanoseconds since the Unix epoch. Its text form is RFC 3339 in UTC.
///
/// An `Option<Time>` takes no more room than a `Time`: state holds many of both. For that one nanosecond of the year 1677,
/// `NEVER`, is no point in time.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Time(NonZeroI64);

/// The nanosecond that becomes [`Time::MIN`], which is one earlier.
const NEVER: i64 = i64::MIN + 1;

/// A length of time in nanoseconds; negative when it points backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(i64);

/// Text that is not an RFC 3339 time within the years 1678 to 2261.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeError;

impl Time {
    /// Earlier than every time that a sender can name.
    pub const MIN: Time = Time(NonZeroI64::new(i64::MIN ^ NEVER).expect("the two are one apart"));
    /// Later than every time that a sender can name.
    pub const MAX: Time = Time::from_nanos(i64::MAX);

    /// From nanoseconds since the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> Time {
        match NonZeroI64::new(nanos ^ NEVER) {
            Some(apart) => Time(apart),
            None => Time::MIN,
        }
    }
    /// From milliseconds since the Unix epoch; saturates at the ends of the range.
    pub const fn from_millis(millis: i64) -> Time {
        Time::from_nanos(millis.saturating_mul(1_000_000))
    }
    /// From seconds since the Unix epoch; saturates at the ends of the range.
    pub const fn from_secs(secs: i64) -> Time {
        Time::from_nanos(secs.saturating_mul(1_000_000_000))
    }
    /// Nanoseconds since the Unix epoch.
    pub const fn nanos(self) -> i64 {
        self.0.get() ^ NEVER
    }
    /// Whole milliseconds since the Unix epoch, rounded down.
    pub const fn millis(self) -> i64 {
        self.nanos().div_euclid(1_000_000)
    }
    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.nanos().div_euclid(1_000_000_000)
    }
    /// The time since `earlier`; negative when `earlier` is the later one. Saturates.
    pub const fn since(self, earlier: Time) -> Span {
        Span(self.nanos().saturating_sub(earlier.nanos()))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// Longer than any span between two times.
    pub const MAX: Span = Span(i64::MAX);

    /// From nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Span {
        Span(nanos)
    }
    /// From milliseconds; saturates.
    pub const fn from_millis(millis: i64) -> Span {
        Span(millis.saturating_mul(1_000_000))
    }
    /// From seconds; saturates.
    pub const fn from_secs(secs: i64) -> Span {
        Span(secs.saturating_mul(1_000_000_000))
    }
    /// From minutes; saturates.
    pub const fn from_mins(mins: i64) -> Span {
        Span::from_secs(mins.saturating_mul(60))
    }
    /// From hours; saturates.
    pub const fn from_hours(hours: i64) -> Span {
        Span::from_mins(hours.saturating_mul(60))
    }
    /// Nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.0
    }
    /// Whole milliseconds, rounded down.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
    /// Whole seconds, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }
    /// Seconds as a real number.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
    /// The length without its direction.
    pub const fn abs(self) -> Span {
        Span(self.0.saturating_abs())
    }
}

impl Default for Time {
    fn default() -> Time {
        Time::from_nanos(0)
    }
}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Time) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Time) -> Ordering {
        self.nanos().cmp(&other.nanos())
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Time").field(&self.nanos()).finish()
    }
}

impl std::ops::Add<Span> for Time {
    type Output = Time;
    fn add(self, span: Span) -> Time {
        Time::from_nanos(self.nanos().saturating_add(span.0))
    }
}

impl std::ops::Sub<Span> for Time {
    type Output = Time;
    fn sub(self, span: Span) -> Time {
        Time::from_nanos(self.nanos().saturating_sub(span.0))
    }
}

impl std::ops::Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl std::ops::Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl std::ops::Mul<i64> for Span {
    type Output = Span;
    fn mul(self, times: i64) -> Span {
        Span(self.0.saturating_mul(times))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.nanos())) {
            Ok(t) => fmt::Display::fmt(&t, f),
            Err(_) => write!(f, "{} ns", self.nanos()),
        }
    }
}

impl fmt::Display for Span {
    /// Words for people: `850 ms`, `12 s`, `4 min`, `3 h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.millis();
        match ms.abs() {
            0..1_000 => write!(f, "{ms} ms"),
            1_000..120_000 => write!(f, "{} s", ms / 1_000),
            120_000..7_200_000 => write!(f, "{} min", ms / 60_000),
            7_200_000..172_800_000 => write!(f, "{} h", ms / 3_600_000),
            _ => write!(f, "{} d", ms / 86_400_000),
        }
    }
}

impl FromStr for Time {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Time, TimeError> {
        if let Some(nanos) = crate::instant::nanos(text) {
            return Ok(Time::from_nanos(nanos));
        }
        let t: jiff::Timestamp = text.parse().map_err(|_| TimeError)?;
        i64::try_from(t.as_nanosecond())
            .map(Time::from_nanos)
            .map_err(|_| TimeError)
    }
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an RFC 3339 time between the years 1678 and 2261")
    }
}

impl std::error::Error for TimeError {}

impl Serialize for Time {
    /// Text where people read it, else nanoseconds.
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match s.is_human_readable() {
            true => s.collect_str(self),
            false => s.serialize_i64(self.nanos()),
        }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Time, D::Error> {
        if !d.is_human_readable() {
            return i64::deserialize(d).map(Time::from_nanos);
        }
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Time;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 time")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Time, E> {
                text.parse().map_err(E::custom)
            }
        }
        d.deserialize_str(Visitor)
    }
}

impl JsonSchema for Time {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": "date-time", "description": "RFC 3339, UTC, up to nanoseconds"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_time_takes_no_room_and_the_order_is_that_of_nanoseconds() {
        assert_eq!(size_of::<Option<Time>>(), size_of::<Time>());
        let nanos = [i64::MIN, NEVER, NEVER + 1, -1, 0, 1, i64::MAX];
        let times = nanos.map(Time::from_nanos);
        assert!(times.is_sorted());
        assert_eq!(times[1], Time::MIN);
        for (time, nanos) in times.iter().zip(nanos) {
            assert_eq!(time.nanos(), if nanos == NEVER { i64::MIN } else { nanos });
        }
    }

    #[test]
    fn text_form_round_trips() {
        for text in [
            "2026-03-02T10:00:00Z",
            "1999-12-31T23:59:59.123456789Z",
            "1969-07-20T20:17:40.5Z",
        ] {
            assert_eq!(text.parse::<Time>().unwrap().to_string(), text);
        }
        assert_eq!(
            "2026-03-02T11:00:00+01:00".parse::<Time>().unwrap().to_string(),
            "2026-03-02T10:00:00Z"
        );
        assert!("9999-01-01T00:00:00Z".parse::<Time>().is_err());
        assert!("yesterday".parse::<Time>().is_err());
    }
}
