//! The commonest form of a time, read without a general parser: `2026-03-02T10:00:00Z`, with up to nine digits of a
//! fraction. It is the form in which we write times ourselves, and a record holds dozens of them.

/// Days before each month of a year that begins with March.
const BEFORE: [i64; 12] = [306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275];
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;

/// Nanoseconds since the Unix epoch; `None` where the text has another form, is no date, or needs a closer look.
pub(crate) fn nanos(text: &str) -> Option<i64> {
    let (head, rest) = text.as_bytes().split_first_chunk::<19>()?;
    let digits = |from: usize, to: usize| -> Option<i64> {
        head[from..to].iter().try_fold(0, |number, byte| {
            byte.is_ascii_digit()
                .then(|| number * 10 + i64::from(byte - b'0'))
        })
    };
    if (head[4], head[7], head[10], head[13], head[16]) != (b'-', b'-', b'T', b':', b':') {
        return None;
    }
    let (year, month, day) = (digits(0, 4)?, digits(5, 7)?, digits(8, 10)?);
    let (hour, minute, second) = (digits(11, 13)?, digits(14, 16)?, digits(17, 19)?);
    // Leap seconds and the last days of months are for a closer look, as are the ends of the range.
    let plain = (1_700..2_200).contains(&year)
        && (1..=12).contains(&month)
        && (1..=28).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !plain {
        return None;
    }
    let fraction = match rest {
        [b'Z'] => 0,
        [b'.', fraction @ .., b'Z'] if (1..=9).contains(&fraction.len()) => {
            let digits = fraction.iter().try_fold(0, |number, byte| {
                byte.is_ascii_digit()
                    .then(|| number * 10 + i64::from(byte - b'0'))
            })?;
            digits * 10_i64.pow(9 - fraction.len() as u32)
        }
        _ => return None,
    };
    // A year that begins with March has its leap day at its end (Hinnant, http://howardhinnant.github.io/date_algorithms.html).
    let year = if month <= 2 { year - 1 } else { year };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + BEFORE[month as usize - 1] + day - 1 - EPOCH;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
    Some(seconds * 1_000_000_000 + fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<i64> {
        let time: jiff::Timestamp = text.parse().ok()?;
        i64::try_from(time.as_nanosecond()).ok()
    }

    #[test]
    fn what_is_read_here_is_what_the_general_parser_reads() {
        let mut read = 0;
        for year in [
            1_700, 1_899, 1_900, 1_970, 1_999, 2_000, 2_024, 2_026, 2_100, 2_199,
        ] {
            for month in 1..=12 {
                for day in 1..=31 {
                    for rest in [
                        "T00:00:00Z",
                        "T23:59:59.5Z",
                        "T10:07:03.000000001Z",
                        "T12:30:00.123456Z",
                    ] {
                        let text = format!("{year}-{month:02}-{day:02}{rest}");
                        if let Some(nanos) = nanos(&text) {
                            read += 1;
                            assert_eq!(Some(nanos), parsed(&text), "{text}");
                        } else {
                            assert!(day > 28, "{text}");
                        }
                    }
                }
            }
        }
        assert_eq!(read, 10 * 12 * 28 * 4);
    }

    #[test]
    fn everything_else_is_left_to_it() {
        for text in [
            "",
            "2026-03-02",
            "2026-03-02T10:00:00",
            "2026-03-02T10:00:00+01:00",
            "2026-03-02t10:00:00z",
            "2026-03-02 10:00:00Z",
            "2026-13-02T10:00:00Z",
            "2026-00-02T10:00:00Z",
            "2026-02-30T10:00:00Z",
            "2026-03-02T24:00:00Z",
            "2026-03-02T10:60:00Z",
            "2026-03-02T10:00:60Z",
            "2026-03-02T10:00:00.Z",
            "2026-03-02T10:00:00.1234567890Z",
            "2026-03-02T10:00:00.12x4Z",
            "9999-03-02T10:00:00Z",
            "+026-03-02T10:00:00Z",
            "2026-03-02T10:00:00ZZ",
            "２026-03-02T10:00:00Z",
        ] {
            assert_eq!(nanos(text), None, "{text}");
        }
    }
}
