//! Maintenance windows that come again: weekdays and hours in a time zone, in the words of Alertmanager's time intervals
//! (`weekdays`, `times`, `location`).
//!
//! The hours are those on a wall clock, so a window from 02:00 stays at 02:00 when daylight saving begins or ends. Where
//! the clock skips an hour, a time within it is the first one after it; where it repeats an hour, a window begins with the
//! first and ends with the second of the two, so that what was planned is covered. The rules of all zones are built in:
//! a machine with older rules would fold other windows from the same journal.

use jiff::{
    Timestamp,
    civil::Time as Clock,
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};
use model::{Text, Time};
use serde::{Deserialize, Serialize};

/// When a window comes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Calendar {
    /// Monday first.
    weekdays: [bool; 7],
    /// Minutes after midnight; an end not after its beginning is on the next day.
    from: u16,
    until: u16,
    location: Text,
}

impl Calendar {
    /// Reads `monday:friday,sunday`, `22:00-02:00`, `Europe/Berlin`. No weekdays: every day. No location: UTC.
    pub(crate) fn parse(weekdays: &str, times: &str, location: &str) -> Option<Calendar> {
        let (from, until) = times.split_once('-')?;
        let location = if location.is_empty() { "UTC" } else { location };
        zone(location)?;
        Some(Calendar {
            weekdays: days(weekdays)?,
            from: minutes(from)?,
            until: minutes(until)?,
            location: location.into(),
        })
    }

    /// The window that holds at `t`, else the next one; `None` if there is none within a fortnight.
    pub(crate) fn at_or_after(&self, t: Time) -> Option<(Time, Time)> {
        let zone = zone(&self.location)?;
        let mut day = zone
            .to_datetime(Timestamp::from_second(t.secs()).ok()?)
            .date()
            .yesterday()
            .ok()?;
        for _ in 0..15 {
            let next = day.tomorrow().ok()?;
            if self.weekdays[day.weekday().to_monday_zero_offset() as usize] {
                let end_day = if self.until > self.from { day } else { next };
                let from = instant(day.at_time(self.from), &zone, Edge::Begin)?;
                let until = instant(end_day.at_time(self.until), &zone, Edge::End)?;
                if until > from && until > t {
                    return Some((from, until));
                }
            }
            day = next;
        }
        None
    }
}

/// A date at so many minutes after midnight.
trait AtMinutes {
    fn at_time(self, minutes: u16) -> jiff::civil::DateTime;
}

impl AtMinutes for jiff::civil::Date {
    fn at_time(self, minutes: u16) -> jiff::civil::DateTime {
        let clock = Clock::new((minutes / 60) as i8, (minutes % 60) as i8, 0, 0);
        self.to_datetime(clock.expect("less than a day of minutes"))
    }
}

enum Edge {
    Begin,
    End,
}

fn instant(at: jiff::civil::DateTime, zone: &TimeZone, edge: Edge) -> Option<Time> {
    let ambiguous = zone.to_ambiguous_timestamp(at);
    let timestamp = match (ambiguous.offset(), edge) {
        (AmbiguousOffset::Fold { .. }, Edge::End) => ambiguous.later(),
        (AmbiguousOffset::Fold { .. }, Edge::Begin) => ambiguous.earlier(),
        // By the clock before the change the time lies after it, by the clock after the change before it.
        (AmbiguousOffset::Gap { .. }, _) => {
            let change = zone.following(ambiguous.earlier().ok()?).next();
            Ok(change?.timestamp())
        }
        (AmbiguousOffset::Unambiguous { .. }, _) => ambiguous.compatible(),
    };
    Some(Time::from_secs(timestamp.ok()?.as_second()))
}

fn zone(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    // 24:00 is the end of the day, which is the beginning of the next one.
    let valid = (hour < 24 && minute < 60) || (hour, minute) == (24, 0);
    valid.then_some((hour * 60 + minute) % (24 * 60))
}

fn days(text: &str) -> Option<[bool; 7]> {
    if text.trim().is_empty() {
        return Some([true; 7]);
    }
    let index = |word: &str| model::weekday(word.trim());
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = match part.split_once(':') {
            Some((first, last)) => (index(first)?, index(last)?),
            None => (index(part)?, index(part)?),
        };
        let length = (last + 7 - first) % 7;
        (0..=length).for_each(|i| days[(first + i) % 7] = true);
    }
    Some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(calendar: &Calendar, after: &str) -> (String, String) {
        let (from, until) = calendar.at_or_after(after.parse().unwrap()).unwrap();
        (from.to_string(), until.to_string())
    }

    #[test]
    fn keeps_to_the_wall_clock_when_summer_time_begins() {
        let sundays = Calendar::parse("sunday", "01:00-04:00", "Europe/Berlin").unwrap();
        let (from, until) = next(&sundays, "2026-03-21T12:00:00Z");
        assert_eq!(
            (from.as_str(), until.as_str()),
            ("2026-03-22T00:00:00Z", "2026-03-22T03:00:00Z")
        );
        // That night has no 02:00 to 03:00: an hour less.
        let (from, until) = next(&sundays, "2026-03-28T12:00:00Z");
        assert_eq!(
            (from.as_str(), until.as_str()),
            ("2026-03-29T00:00:00Z", "2026-03-29T02:00:00Z")
        );
        // And in autumn 02:30 comes twice: the window covers both.
        let autumn = Calendar::parse("sun", "02:00-02:30", "Europe/Berlin").unwrap();
        let (from, until) = next(&autumn, "2026-10-24T12:00:00Z");
        assert_eq!(
            (from.as_str(), until.as_str()),
            ("2026-10-25T00:00:00Z", "2026-10-25T01:30:00Z")
        );
    }

    #[test]
    fn a_time_that_the_clock_skips_is_the_first_one_after_it() {
        let skips = |times: &str| {
            let calendar = Calendar::parse("", times, "Europe/London").unwrap();
            next(&calendar, "2026-03-28T12:00:00Z")
        };
        // 01:00 to 02:00 is not on the clock of the 29th.
        for (times, from, until) in [
            ("01:30-02:30", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"),
            ("00:30-01:30", "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"),
            // Nothing is left of this one in that night.
            ("01:10-01:50", "2026-03-30T00:10:00Z", "2026-03-30T00:50:00Z"),
        ] {
            assert_eq!(skips(times), (from.to_owned(), until.to_owned()), "{times}");
        }
    }

    #[test]
    fn goes_over_midnight_and_holds_meanwhile() {
        let nights = Calendar::parse("monday:friday", "22:00-02:00", "").unwrap();
        // Saturday 01:00 is still Friday's.
        let (from, until) = next(&nights, "2026-03-07T01:00:00Z");
        assert_eq!(
            (from.as_str(), until.as_str()),
            ("2026-03-06T22:00:00Z", "2026-03-07T02:00:00Z")
        );
        let (from, _) = next(&nights, "2026-03-07T02:00:00Z");
        assert_eq!(from, "2026-03-09T22:00:00Z");
        for (days, times, zone) in [
            ("funday", "1:00-2:00", ""),
            ("", "25:00-26:00", ""),
            ("", "1-2", ""),
            ("", "1:00-2:00", "Mars/Base"),
        ] {
            assert_eq!(Calendar::parse(days, times, zone), None, "{days} {times} {zone}");
        }
    }
}
