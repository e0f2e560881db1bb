//! Times in any form that senders use.
//!
//! Senders write epochs in four units, RFC 3339 with any number of digits, RFC 2822, syslog's time without a year,
//! `ctime`, and local forms with zone names. A form that names no zone is read as UTC. Times outside the years 1971 to
//! 2200 are no times: year 1 and 0 are how Go and JSON say "never".

use model::Time;
use serde_json::Value;

/// Seconds since the epoch at the end of the year 2200.
const SECS_MAX: i64 = 7_289_654_400;
const SECS_MIN: i64 = 1;

/// Reads RFC 3339 and its near relations: any separator between date and time, any number of digits, a comma for the
/// dot, zones as `Z`, `+02:00`, `+0200`, `+02` or none (UTC).
pub fn iso(text: &str) -> Option<Time> {
    let b = text.as_bytes();
    if b.len() < 10 || !matches!(b[4], b'-' | b'/' | b'.') || b[7] != b[4] {
        return None;
    }
    let (year, month, day) = (digits(&b[0..4])?, digits(&b[5..7])?, digits(&b[8..10])?);
    if b.len() == 10 {
        return civil(year, month, day, [0, 0, 0], 0, 0);
    }
    if b.len() < 16 || !matches!(b[10], b'T' | b't' | b' ' | b'_') || b[13] != b':' {
        return None;
    }
    let (hour, minute) = (digits(&b[11..13])?, digits(&b[14..16])?);
    let mut rest = &b[16..];
    let mut second = 0;
    if let [b':', a, c, tail @ ..] = rest {
        second = digits(&[*a, *c])?;
        rest = tail;
    }
    let mut nanos = 0;
    if let [b'.' | b',' | b':', tail @ ..] = rest
        && tail.first().is_some_and(u8::is_ascii_digit)
    {
        let len = tail.iter().take_while(|b| b.is_ascii_digit()).count();
        nanos = fraction(&tail[..len]);
        rest = &tail[len..];
    }
    let offset = match rest {
        [] | [b'Z' | b'z'] => 0,
        _ => zone(std::str::from_utf8(rest).ok()?.trim())?,
    };
    civil(year, month, day, [hour, minute, second], nanos, offset)
}

/// Reads a number: seconds, milliseconds, microseconds or nanoseconds since the epoch, told apart by size; or a compact
/// `YYYYMMDDhhmmss`.
pub fn number(text: &str) -> Option<Time> {
    let (whole, frac) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || whole.len() > 19 || !whole.bytes().chain(frac.bytes()).all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let n: i64 = whole.parse().ok()?;
    if whole.len() == 14 && (19_710_000_000_000..22_010_000_000_000).contains(&n) {
        let b = whole.as_bytes();
        let at = |from: usize| digits(&b[from..from + 2]);
        return civil(digits(&b[..4])?, at(4)?, at(6)?, [at(8)?, at(10)?, at(12)?], 0, 0);
    }
    let unit: i64 = match n {
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    };
    let below = i64::from(fraction(frac.as_bytes())) * unit / 1_000_000_000;
    let nanos = n.checked_mul(unit)?.checked_add(below)?;
    let secs = nanos.div_euclid(1_000_000_000);
    // A handful of seconds is a duration or a counter, never a time.
    if (100_000_000..=SECS_MAX).contains(&secs) {
        Some(Time::from_nanos(nanos))
    } else {
        None
    }
}

/// Reads any form. `near` is a time known to be close; it supplies the year to forms that have none.
pub fn any(text: &str, near: Option<Time>) -> Option<Time> {
    let text = text.trim();
    // Go's zero time stands in every alert that fires; nothing else need be tried.
    if text.len() > 64 || text.starts_with("0001-01-01") {
        return None;
    }
    iso(text).or_else(|| number(text)).or_else(|| words(text, near))
}

/// Reads a JSON string or number, or an object such as `{"$date": …}`, `{"seconds": …, "nanos": …}`.
pub fn value(value: &Value, near: Option<Time>) -> Option<Time> {
    match value {
        Value::String(text) => any(text, near),
        Value::Number(n) => match n.as_f64() {
            // Large floats are printed with an exponent; small ones shortest, which is what the sender wrote.
            Some(f) if n.is_f64() && f.abs() >= 1e15 => number(&format!("{f:.0}")),
            _ => number(&n.to_string()),
        },
        Value::Object(map) => {
            if let Some(date) = map.get("$date").or_else(|| map.get("iso8601")) {
                return self::value(date, near);
            }
            let secs = map.get("seconds")?.as_i64()?;
            let nanos = map.get("nanos").and_then(Value::as_i64).unwrap_or(0);
            number(&secs.to_string()).map(|t| t + model::Span::from_nanos(nanos.clamp(0, 999_999_999)))
        }
        _ => None,
    }
}

/// Whether the text is a way to say "no time": Go's and .NET's zero times, 0, an empty string.
pub fn is_never(text: &str) -> bool {
    let text = text.trim();
    text.is_empty()
        || text.starts_with("0001-01-01")
        || text.starts_with("0000-00-00")
        || text.starts_with("1970-01-01T00:00:00")
        || text.bytes().all(|b| matches!(b, b'0' | b'.' | b'-'))
        || matches!(text, "null" | "None" | "N/A" | "n/a" | "undefined" | "unknown")
}

/// Forms with words: RFC 2822, `ctime`, syslog, and what people write. Tokens decide, not their order, but for
/// all-numeric dates.
fn words(text: &str, near: Option<Time>) -> Option<Time> {
    let (mut year, mut month, mut day) = (None, None, None);
    let (mut clock, mut nanos, mut offset, mut afternoon) = (None, 0, 0, None);
    let text = &text
        .replace("GMT + ", "GMT+")
        .replace("GMT - ", "GMT-")
        .replace('(', " (");
    for token in text.split([' ', ',', '\t']).filter(|t| !t.is_empty()) {
        let b = token.as_bytes();
        let lower = token.to_ascii_lowercase();
        if let Some(m) = month_name(&lower) {
            month = Some(m);
        } else if token.contains(':') && b[0].is_ascii_digit() && clock.is_none() {
            let (hms, frac, rest) = clock_token(token)?;
            clock = Some(hms);
            nanos = frac;
            match rest.to_ascii_lowercase().as_str() {
                "" => {}
                "am" => afternoon = Some(false),
                "pm" => afternoon = Some(true),
                _ => offset = zone(rest)?,
            }
        } else if matches!(lower.trim_matches('.'), "am" | "pm" | "a.m" | "p.m") {
            afternoon = Some(lower.starts_with('p'));
        } else if clock.is_some() && matches!(b[0], b'+' | b'-') {
            offset = zone(token)?;
        } else if b[0].is_ascii_digit() {
            if let Some(parts) = numeric_date(token) {
                let (y, m, d) = parts?;
                (year, day) = (Some(y), Some(d));
                month = Some(m);
            } else {
                let n = digits(
                    lower
                        .trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '.')
                        .as_bytes(),
                )?;
                if n > 31 || b.len() == 4 {
                    year = Some(n);
                } else {
                    day = Some(n);
                }
            }
        } else if model::weekday(lower.trim_end_matches('.')).is_some()
            || matches!(lower.as_str(), "at" | "on" | "the" | "of")
        {
        } else {
            offset = zone(token.trim_matches(|c| matches!(c, '(' | ')')))?;
        }
    }
    let (month, day) = (month?, day?);
    let mut hms = clock.unwrap_or([0, 0, 0]);
    match afternoon {
        Some(true) if hms[0] < 12 => hms[0] += 12,
        Some(false) if hms[0] == 12 => hms[0] = 0,
        _ => {}
    }
    match year {
        Some(year) => civil(year, month, day, hms, nanos, offset),
        None => {
            // The year in which it lies nearest before, or at most a day after, the time known to be close.
            let near = near?;
            let this = civil_year(near);
            [this + 1, this, this - 1]
                .into_iter()
                .filter_map(|y| civil(y, month, day, hms, nanos, offset))
                .find(|t| t.since(near) <= model::Span::from_hours(24))
        }
    }
}

/// `hh:mm[:ss[.fraction]]` and what is glued behind it.
fn clock_token(token: &str) -> Option<([i64; 3], i32, &str)> {
    let end = token
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.'))
        .unwrap_or(token.len());
    let (clock, rest) = token.split_at(end);
    let (hms, frac) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = hms.split(':').map(|p| digits(p.as_bytes()));
    let hms = [parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?];
    Some((hms, fraction(frac.as_bytes()), rest))
}

/// `2024/05/01`, `01/05/2024`, `1.5.2024`, `01-May-2024`. The inner `None` is a date that cannot be.
fn numeric_date(token: &str) -> Option<Option<(i64, i64, i64)>> {
    let separator = token.chars().find(|c| matches!(c, '/' | '.' | '-'))?;
    let parts: Vec<&str> = token.trim_end_matches('.').split(separator).collect();
    let [a, b, c] = parts[..] else { return None };
    let number = |t: &str| digits(t.as_bytes());
    if let Some(month) = month_name(&b.to_ascii_lowercase()) {
        return Some(number(a).zip(number(c)).map(|(d, y)| (full_year(y), month, d)));
    }
    let (Some(x), Some(y), Some(z)) = (number(a), number(b), number(c)) else {
        return Some(None);
    };
    Some(if a.len() == 4 {
        Some((x, y, z))
    } else if separator == '.' || x > 12 {
        Some((full_year(z), y, x))
    } else {
        // With a slash the American order is the more common one among monitoring tools.
        Some((full_year(z), x, y))
    })
}

fn full_year(year: i64) -> i64 {
    if year < 100 { 2000 + year } else { year }
}

fn month_name(lower: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
        "november", "december",
    ];
    let lower = lower.trim_end_matches('.');
    if lower.len() < 3 {
        return None;
    }
    MONTHS
        .iter()
        .position(|m| m.starts_with(lower) || (lower == "sept" && *m == "september"))
        .map(|i| i as i64 + 1)
}

/// Whether a word is the abbreviation of a zone.
pub(crate) fn is_zone(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic()) && zone(word).is_some()
}

/// Seconds east of UTC: `+02:00`, `-0500`, `+2`, `UTC`, `CEST`, `GMT+1`, `+02:00[Europe/Berlin]`.
fn zone(text: &str) -> Option<i64> {
    let text = text.split('[').next().unwrap_or(text).trim();
    if let Some(rest) = ["UTC", "GMT", "utc", "gmt"]
        .iter()
        .find_map(|p| text.strip_prefix(p))
        && !rest.is_empty()
    {
        return zone(rest);
    }
    if let [sign @ (b'+' | b'-'), rest @ ..] = text.as_bytes() {
        // `+01.00` is what .NET's and Go's own layouts write by mistake.
        let plain: Vec<u8> = rest
            .iter()
            .copied()
            .filter(|b| !matches!(b, b':' | b'.'))
            .collect();
        let (hours, minutes) = match plain.len() {
            1 | 2 => (digits(&plain)?, 0),
            3 => (digits(&plain[..1])?, digits(&plain[1..])?),
            4 => (digits(&plain[..2])?, digits(&plain[2..])?),
            _ => return None,
        };
        if hours > 18 || minutes > 59 {
            return None;
        }
        let secs = hours * 3600 + minutes * 60;
        return Some(if *sign == b'-' { -secs } else { secs });
    }
    // Abbreviations as their most common meaning among tools that print them.
    let quarters = match text.to_ascii_uppercase().as_str() {
        "" | "Z" | "UTC" | "GMT" | "WET" | "UCT" => 0,
        "CET" | "MET" | "BST" | "WEST" | "MEZ" | "WAT" => 4,
        "CEST" | "MEST" | "EET" | "MESZ" | "SAST" | "CAT" => 8,
        "EEST" | "IDT" | "MSK" | "TRT" | "EAT" | "AST_ARABIA" => 12,
        "GST" => 16,
        "PKT" => 20,
        "IST" => 22,
        "ICT" | "WIB" => 28,
        "SGT" | "HKT" | "AWST" | "PHT" | "WITA" => 32,
        "JST" | "KST" => 36,
        "ACST" => 38,
        "AEST" => 40,
        "ACDT" => 42,
        "AEDT" => 44,
        "NZST" => 48,
        "NZDT" => 52,
        "BRT" | "ART" => -12,
        "EDT" | "AST" => -16,
        "EST" | "CDT" => -20,
        "CST" | "MDT" => -24,
        "MST" | "PDT" => -28,
        "PST" | "AKDT" => -32,
        "AKST" => -36,
        "HST" => -40,
        _ => return None,
    };
    Some(quarters * 900)
}

fn digits(b: &[u8]) -> Option<i64> {
    if b.is_empty() || b.len() > 9 {
        return None;
    }
    b.iter().try_fold(0, |n, b| {
        if b.is_ascii_digit() {
            Some(n * 10 + i64::from(b - b'0'))
        } else {
            None
        }
    })
}

/// Digits after the second, as nanoseconds; further digits than nine are cut.
fn fraction(b: &[u8]) -> i32 {
    let mut nanos = 0;
    for i in 0..9 {
        nanos = nanos * 10 + b.get(i).map_or(0, |b| i32::from(b.wrapping_sub(b'0') % 10));
    }
    nanos
}

fn civil(
    year: i64,
    month: i64,
    day: i64,
    [hour, minute, second]: [i64; 3],
    nanos: i32,
    offset: i64,
) -> Option<Time> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    // A leap second is written as 60; the next second is near enough.
    if !(1..=days_in_month).contains(&day) || hour > 24 || minute > 59 || second > 60 {
        return None;
    }
    // Days since 1970-01-01 <https://howardhinnant.github.io/date_algorithms.html#days_from_civil>.
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y - era * 400;
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let days =
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    let secs = days * 86_400 + hour * 3600 + minute * 60 + second - offset;
    if (SECS_MIN..=SECS_MAX).contains(&secs) {
        Some(Time::from_nanos(secs * 1_000_000_000 + i64::from(nanos)))
    } else {
        None
    }
}

/// What "until the year 9999" is read as: later than every end that anybody means.
pub const FOREVER: Time = Time::from_secs(SECS_MAX);

/// Whether a text names a year after 2200, as ends that are meant never to come do.
pub fn is_forever(text: &str) -> bool {
    let b = text.trim().as_bytes();
    b.len() >= 10 && matches!(b[4], b'-' | b'/') && digits(&b[..4]).is_some_and(|year| year > 2200)
}

/// The year of a time.
fn civil_year(time: Time) -> i64 {
    // <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>
    let z = time.secs().div_euclid(86_400) + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z - era * 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    yoe + era * 400 + i64::from((5 * doy + 2) / 153 >= 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_that_senders_use() {
        let near = Some("2026-01-02T00:00:00Z".parse().unwrap());
        for (text, want) in [
            ("2026-03-02T10:00:00Z", "2026-03-02T10:00:00Z"),
            (
                "2026-03-02T10:00:00.1234567891Z",
                "2026-03-02T10:00:00.123456789Z",
            ),
            ("2026-03-02T10:00:00.5+02:00", "2026-03-02T08:00:00.5Z"),
            ("2026-03-02T10:00:00.000-0330", "2026-03-02T13:30:00Z"),
            ("2026-03-02 10:00:00", "2026-03-02T10:00:00Z"),
            ("2026-03-02 10:00:00 UTC", "2026-03-02T10:00:00Z"),
            ("2026-03-02 10:00:00 +0100", "2026-03-02T09:00:00Z"),
            ("2026-03-02T10:00:00,250Z", "2026-03-02T10:00:00.25Z"),
            ("2026-03-02T10:00", "2026-03-02T10:00:00Z"),
            ("2026.03.02 10:00:00", "2026-03-02T10:00:00Z"),
            ("2026/03/02 10:00:00", "2026-03-02T10:00:00Z"),
            ("2026-03-02", "2026-03-02T00:00:00Z"),
            ("2026-03-02T10:00:00+01:00[Europe/Berlin]", "2026-03-02T09:00:00Z"),
            ("1772445600", "2026-03-02T10:00:00Z"),
            ("1772445600.25", "2026-03-02T10:00:00.25Z"),
            ("1772445600250", "2026-03-02T10:00:00.25Z"),
            ("1772445600250000", "2026-03-02T10:00:00.25Z"),
            ("1772445600250000001", "2026-03-02T10:00:00.250000001Z"),
            ("20260302100000", "2026-03-02T10:00:00Z"),
            ("Mon, 02 Mar 2026 10:00:00 +0000", "2026-03-02T10:00:00Z"),
            ("Mon Mar  2 11:00:00 CET 2026", "2026-03-02T10:00:00Z"),
            ("Mon Mar  2 10:00:00 2026", "2026-03-02T10:00:00Z"),
            ("2 March 2026 10:00 UTC", "2026-03-02T10:00:00Z"),
            ("March 2nd, 2026 at 10:00 AM", "2026-03-02T10:00:00Z"),
            ("03/02/2026 10:00:00 PM", "2026-03-02T22:00:00Z"),
            ("03/02/2026 12:00AM", "2026-03-02T00:00:00Z"),
            ("02.03.2026 10:00:00", "2026-03-02T10:00:00Z"),
            ("31/03/2026 10:00", "2026-03-31T10:00:00Z"),
            ("2026-03-02 18:00:00(UTC+08:00)", "2026-03-02T10:00:00Z"),
            ("02-Mar-2026 10:00:00 EST", "2026-03-02T15:00:00Z"),
            ("Dec 31 23:59:58", "2025-12-31T23:59:58Z"),
            ("Jan  2 03:04:05", "2026-01-02T03:04:05Z"),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
        ] {
            assert_eq!(
                any(text, near).map(|t| t.to_string()).as_deref(),
                Some(want),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "0",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "2026-13-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "yesterday",
            "12",
            "-5",
            "1e9",
            "2026-03-02T25:00:00Z",
            "99999999999999999999",
            "日本語のテキストです",
            "2026-03-02Tab:cd:00Z",
            "::::::::::::::::::",
            "- - -",
        ] {
            assert_eq!(any(text, None), None, "{text}");
        }
    }

    #[test]
    fn agrees_with_jiff() {
        for secs in (1..7_000_000_000_i64).step_by(86_399 * 37) {
            let time = Time::from_secs(secs);
            assert_eq!(iso(&time.to_string()), Some(time));
            assert_eq!(civil_year(time).to_string(), time.to_string()[..4]);
        }
    }
}
