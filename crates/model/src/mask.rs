//! Hides in a title what varies between two sayings of the same thing, and keeps what tells two things apart.
//!
//! Readings, times, hashes and addresses become `#`. A reading keeps what sort of reading it is: `90 ms`, `2 min` and
//! `1m32s` are all a time (`#s`), `900 GB` and `1.5 TB` an amount of data (`#B`), `90 %` is neither. Numbers that name one
//! of several things are kept, because two ports, two neighbours or two interfaces of one device are two alerts, and the
//! recovery of one must not end the other (librenms/librenms#15815, alerta/alerta-contrib#295): `port 443`, `ifIndex 7`,
//! `neighbor 10.0.0.1`, `Gi1/0/7`.
//!
//! The lists are fixed: a key that was learned would move on between a firing and its recovery.

use crate::{Text, phrase::is_one_of};

/// Words after which a whole number names a thing, with the most digits that such a number has.
const NUMBERED: [(&str, usize); 22] = [
    ("port", 5),
    ("ifindex", 10),
    ("interface", 10),
    ("vlan", 4),
    ("vni", 8),
    ("slot", 3),
    ("bay", 3),
    ("blade", 3),
    ("rack", 4),
    ("lun", 4),
    ("drive", 3),
    ("disk", 3),
    ("fan", 2),
    ("psu", 2),
    ("supply", 2),
    ("sensor", 4),
    ("tunnel", 5),
    ("gpu", 2),
    ("shard", 5),
    ("partition", 5),
    ("replica", 3),
    ("node", 4),
];

/// Words after which an address or a number names whom one talks to.
const PEERS: [&str; 5] = ["neighbor", "neighbour", "peer", "nbr", "endpoint"];

/// Ports from here on are those of clients, drawn anew for each connection (Linux' `ip_local_port_range`).
const CLIENT_PORTS: u32 = 32_768;

/// Digits of a part of the name of an interface, as in `xe-0/0/47`.
const PART_DIGITS: usize = 3;

/// Characters, digits, turns for each step, turns from small to capital letters, and letters of one part, of a word that
/// nobody made up.
const TOKEN_MIN: usize = 10;
const TOKEN_DIGITS: usize = 2;
const TOKEN_TURNS: f64 = 0.4;
const TOKEN_HUMPS: usize = 2;
const TOKEN_PART: usize = 3;

/// Words beside which a whole number of three digits is the code of an answer (RFC 9110), and names what is wrong.
const CODES: [&str; 5] = ["http", "https", "status", "code", "statuscode"];

/// What a code is of, though there are several.
const ANSWERS: [&str; 5] = ["errors", "responses", "answers", "replies", "codes"];

/// So much in a time.
const RATES: [&str; 4] = ["per", "rps", "qps", "tps"];

const TIMES: [&str; 30] = [
    "ns",
    "us",
    "µs",
    "ms",
    "s",
    "sec",
    "secs",
    "second",
    "seconds",
    "m",
    "min",
    "mins",
    "minute",
    "minutes",
    "h",
    "hr",
    "hrs",
    "hour",
    "hours",
    "d",
    "day",
    "days",
    "w",
    "week",
    "weeks",
    "month",
    "months",
    "year",
    "years",
    "milliseconds",
];

/// In small letters.
const SIZES: [&str; 14] = [
    "b", "byte", "bytes", "kb", "mb", "gb", "tb", "pb", "kib", "mib", "gib", "tib", "pib", "eib",
];

/// What was just before a word, with nothing but a space, `#` or `=` between.
#[derive(Clone, Copy)]
struct Before<'a> {
    word: &'a str,
    /// The word was hidden, and whether that had a unit already.
    hidden: bool,
    measured: bool,
    /// The word before that was hidden.
    after_hidden: bool,
}

const NOTHING: Before<'static> = Before {
    word: "",
    hidden: false,
    measured: false,
    after_hidden: false,
};

/// Replaces what varies between two sayings of the same thing: numbers, hashes, addresses, times.
///
/// A word is volatile when it holds a digit and is not a name: it starts with a digit, or is long and hexadecimal, or
/// more than half of it is digits. `web3`, `db-07` and `srv01a02b03` are names and stay. Separators are kept.
pub fn mask(text: &str) -> Text {
    let mut out = Text::with_capacity(text.len());
    let mut rest = text;
    let mut before = NOTHING;
    while let Some(c) = rest.chars().next() {
        if !in_word(c) {
            // `1,234` and `+12` are a number as `1234` and `12` are.
            let in_number =
                (c == ',' && before.hidden && !before.measured) || (c == '+' && !out.ends_with(in_word));
            if in_number && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
                rest = &rest[1..];
                continue;
            }
            if c == '%' && out.ends_with('#') {
                out.push(' ');
            }
            if !matches!(c, ' ' | '#' | '=') {
                before = NOTHING;
            }
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let (word, tail) = rest.split_at(end_of_word(rest, out.ends_with('/')));
        let bare = word.trim_end_matches(['.', ':', '-', '_']);
        let end = &word[bare.len()..];
        let keeps = bare.contains('/') || names_a_thing(before, bare, &rest[bare.len()..]);
        let mut now = Before {
            word: bare,
            hidden: false,
            measured: false,
            after_hidden: before.hidden,
        };
        if !keeps && is_volatile(bare) {
            let unit = unit(bare);
            if unit == "s" && out.ends_with("#s ") {
                // 2 h 5 min is as much a time as 5 min.
                out.truncate(out.len() - "#s ".len());
            }
            // A unit stays, so that "90ms" and "90%" differ as conditions.
            if !out.ends_with('#') {
                out.push('#');
            }
            out.push_str(unit);
            (now.hidden, now.measured) = (true, !unit.is_empty());
        } else if before.hidden && !before.measured && out.ends_with("# ") {
            match sort_of(bare) {
                Some(sort) => {
                    let since = out.len() - "# ".len();
                    out.truncate(since);
                    let again = sort == "s" && out.ends_with("#s ");
                    out.truncate(if again { since - "#s ".len() } else { since });
                    out.push('#');
                    out.push_str(sort);
                }
                // One pod, two pods.
                None => out.push_str(singular(bare)),
            }
        } else {
            out.push_str(bare);
        }
        out.push_str(end);
        before = if end.is_empty() { now } else { NOTHING };
        rest = tail;
    }
    out
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | ':')
}

/// Where the word ends with which a text begins. The parts of `Gi1/0/7` are one word, those of a path are not.
fn end_of_word(text: &str, in_path: bool) -> usize {
    let end = |text: &str| text.find(|c: char| !in_word(c)).unwrap_or(text.len());
    let mut first = end(text);
    // `1.2e+06`
    if text.starts_with(|c: char| c.is_ascii_digit())
        && text[..first].ends_with(['e', 'E'])
        && let Some(power) = text[first..].strip_prefix('+')
    {
        first += 1 + power.find(|c: char| !c.is_ascii_digit()).unwrap_or(power.len());
    }
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    if in_path || !begins || !text[..first].ends_with(|c: char| c.is_ascii_digit()) {
        return first;
    }
    let mut at = first;
    while let Some(part) = text[at..].strip_prefix('/') {
        let length = end(part);
        let is_part =
            (1..=PART_DIGITS).contains(&length) && part[..length].bytes().all(|b| b.is_ascii_digit());
        if !is_part {
            // What goes on otherwise is a path from its beginning.
            return if length == 0 { at } else { first };
        }
        at += 1 + length;
    }
    at
}

/// Whether a number or address is the name of one of several things, by the word before it.
fn names_a_thing(before: Before<'_>, word: &str, tail: &str) -> bool {
    let address = |b: u8| b.is_ascii_hexdigit() || matches!(b, b'.' | b':');
    if before.word.is_empty() || !word.bytes().all(address) {
        return false;
    }
    if PEERS.iter().any(|peer| before.word.eq_ignore_ascii_case(peer)) {
        return true;
    }
    let whole = !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    if !whole {
        return false;
    }
    if is_code(before, word) {
        return !is_counted(tail);
    }
    let kind = NUMBERED
        .iter()
        .find(|(kind, _)| before.word.eq_ignore_ascii_case(kind));
    let Some((kind, digits)) = kind else {
        return false;
    };
    let client =
        *kind == "port" && (before.after_hidden || word.parse::<u32>().is_ok_and(|n| n >= CLIENT_PORTS));
    word.len() <= *digits && !is_measured(tail) && !client
}

/// Whether what follows a number makes a reading of it.
fn is_measured(tail: &str) -> bool {
    tail.trim_start().starts_with(['%', '°']) || sort_of(next_word(tail)).is_some()
}

/// Whether what follows a number says what it counts: a unit, several things, or a rate of them. Of `HTTP 500 errors` and
/// `HTTP 404 responses` the number says which.
fn is_counted(tail: &str) -> bool {
    let next = next_word(tail);
    let rate = tail.trim_start()[next.len()..].strip_prefix('/');
    let several =
        next.len() > 3 && next.ends_with('s') && !["ss", "us", "is"].iter().any(|end| next.ends_with(end));
    is_measured(tail)
        || rate.is_some_and(|unit| is_time(next_word(unit)))
        || several && !is_one_of(next, &ANSWERS)
        || is_one_of(next, &RATES)
}

fn next_word(tail: &str) -> &str {
    let tail = tail.trim_start();
    &tail[..tail.find(|c: char| !c.is_alphanumeric()).unwrap_or(tail.len())]
}

fn is_volatile(word: &str) -> bool {
    // A sign before it makes a number no name.
    let word = word.trim_start_matches('-');
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 {
        return false;
    }
    if is_token(word) {
        return true;
    }
    // A class of answers is a name: `5xx`.
    let is_class = matches!(word.as_bytes(), [b'1'..=b'5', b'x' | b'X', b'x' | b'X']);
    if is_class {
        return false;
    }
    let hexadecimal = word.len() >= 8 && word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    word.starts_with(|c: char| c.is_ascii_digit())
        || hexadecimal
        || digits * 2 > word.len() && !is_place(word)
}

/// Whether a word names a place by counting in several steps, as `srv01a02b03` does: small letters and short numbers in turn.
fn is_place(word: &str) -> bool {
    let parts = word
        .as_bytes()
        .chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit());
    let numbers = parts.filter(|part| part[0].is_ascii_digit());
    let is_small = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.bytes().all(is_small)
        && numbers.clone().count() >= 2
        && numbers.map(<[u8]>::len).all(|long| long <= 2)
}

/// Whether a number is the code of an answer, by the word before it.
fn is_code(before: Before<'_>, word: &str) -> bool {
    let beside = |code: &&str| before.word.eq_ignore_ascii_case(code);
    let code = word.len() == 3
        && word.bytes().all(|b| b.is_ascii_digit())
        && matches!(word.as_bytes()[0], b'1'..=b'5');
    code && CODES.iter().any(beside)
}

/// Whether a word was drawn by a machine, as the id of a session is: small letters, capitals and digits are all mixed, it
/// goes from one to another as often as chance does, no part is as long as a word, and behind a number it goes on now with
/// a small letter, now with a capital, where a scheme of names does one of both: `OAuth2Client`, `Ipv4To6Gw1`. What is in
/// small letters throughout may be the name of a place, `rack1row2pdu3`, and is kept: a token that is missed is an alert
/// more, a name that is lost ends another's alert.
fn is_token(word: &str) -> bool {
    let bytes = word.as_bytes();
    if bytes.len() < TOKEN_MIN || !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return false;
    }
    let pairs = |of: fn(u8, u8) -> bool| bytes.windows(2).filter(|pair| of(pair[0], pair[1])).count();
    let humps = pairs(|a, b| a.is_ascii_lowercase() && b.is_ascii_uppercase());
    let turns = humps + pairs(|a, b| a.is_ascii_digit() != b.is_ascii_digit());
    let on_small = pairs(|a, b| a.is_ascii_digit() && b.is_ascii_lowercase());
    let on_capital = pairs(|a, b| a.is_ascii_digit() && b.is_ascii_uppercase());
    let is_part = |a: &u8, b: &u8| {
        a.is_ascii_digit() == b.is_ascii_digit() && !(a.is_ascii_lowercase() && b.is_ascii_uppercase())
    };
    let mut parts = bytes.chunk_by(is_part);
    bytes.iter().filter(|b| b.is_ascii_digit()).count() >= TOKEN_DIGITS
        && turns as f64 >= TOKEN_TURNS * (bytes.len() - 1) as f64
        && humps >= TOKEN_HUMPS
        && on_small > 0
        && on_capital > 0
        && parts.all(|part| part.len() <= TOKEN_PART || part[0].is_ascii_digit())
}

/// The unit that is glued to a number.
fn unit(word: &str) -> &str {
    // `1.2e-05`
    if word.parse::<f64>().is_ok() {
        return "";
    }
    let is_letter = |c: char| !c.is_ascii_digit() && !matches!(c, '.' | ':' | '-' | '_');
    let mut units = word.split(|c| !is_letter(c)).filter(|unit| !unit.is_empty());
    if word.contains(is_letter) && units.all(|unit| TIMES.contains(&unit)) {
        return "s";
    }
    let unit = word.trim_start_matches(|c| !is_letter(c));
    match sort_of(unit) {
        Some(sort) => sort,
        None if unit.len() <= 3 && unit.bytes().all(|b| b.is_ascii_alphabetic()) => unit,
        None => "",
    }
}

/// What sort of reading a unit makes of a number: a time or an amount of data.
fn sort_of(unit: &str) -> Option<&'static str> {
    if TIMES.contains(&unit) {
        return Some("s");
    }
    let size = SIZES.iter().any(|size| unit.eq_ignore_ascii_case(size)) && unit != "b";
    size.then_some("B")
}

/// Whether a word is a unit of time.
pub(crate) fn is_time(word: &str) -> bool {
    TIMES.contains(&word)
}

fn singular(word: &str) -> &str {
    let plural = word.len() > 3 && word.ends_with('s') && !word.ends_with("ss");
    if plural { &word[..word.len() - 1] } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mask_keeps_names_and_hides_readings() {
        for (text, masked) in [
            ("CPU on web3 is at 91.4 %", "CPU on web3 is at # %"),
            ("CPU on web3 is at 99 %", "CPU on web3 is at # %"),
            ("lag 94s on pg-3", "lag #s on pg-3"),
            (
                "job 7f3c9a1b2d failed at 2026-03-02T10:00:00Z",
                "job # failed at #",
            ),
            ("10.0.0.7:9100 unreachable", "# unreachable"),
            ("session a8F3kQ9zLmP2xW rejected", "session # rejected"),
            ("session Zq71LmvB0ntRk4 rejected", "session # rejected"),
            ("session K3v9bTr5Ws1NqA rejected", "session # rejected"),
            ("upload fT9xKq2LpZ7b4 stuck", "upload # stuck"),
            // What is asked for in an address is the thing itself.
            (
                "probe of 10.0.0.5:9115/probe?target=shop-1 fails",
                "probe of #/probe?target=shop-1 fails",
            ),
            (
                "OAuth2Client2Failed on m5d-4xlarge",
                "OAuth2Client2Failed on m5d-4xlarge",
            ),
            ("日本 3 件", "日本 # 件"),
            ("429 for /api/v1/123/items", "# for /api/v1/#/items"),
        ] {
            assert_eq!(mask(text), masked, "{text}");
        }
    }

    #[test]
    fn one_reading_in_other_units_is_the_same_condition() {
        for same in [
            &[
                "p99 1m32s over 500ms",
                "p99 58s over 500ms",
                "p99 2 min over 0.5 s",
            ][..],
            &["Only 1.5 TB free", "Only 900 GB free", "Only 12.4MiB free"],
            &[
                "expires in 3 days",
                "expires in 1 day",
                "expires in 20 hours",
                "expires in 1 day 2 hours",
            ],
            &["1 pod not ready", "3 pods not ready"],
            &["92% used", "93.5 % used", "100% used"],
            &["1,234 rows wait", "12,345 rows wait", "999 rows wait"],
            &["-3 C at the door", "+12 C at the door", "7 C at the door"],
            &["rate 1.2e+06 over 1e-05", "rate 912 over 0.1"],
        ] {
            for text in same {
                assert_eq!(mask(text), mask(same[0]), "{text}");
            }
        }
        assert_ne!(mask("latency over 90ms"), mask("latency over 90%"));
    }

    #[test]
    fn what_a_number_names_is_told_apart() {
        for (one, other) in [
            ("TCP port 443 is closed", "TCP port 8443 is closed"),
            ("linkDown ifIndex 7", "linkDown ifIndex 8"),
            ("linkDown ifIndex=7", "linkDown ifIndex=8"),
            ("BGP neighbor 10.0.0.1 Down", "BGP neighbor 10.0.0.2 Down"),
            ("peer 2001:db8::1 lost", "peer 2001:db8::2 lost"),
            ("Interface Gi1/0/7 down", "Interface Gi1/0/8 down"),
            ("ge-10/12/10 is down", "ge-10/12/11 is down"),
            ("Disk 4 failed", "Disk 5 failed"),
            ("Power supply 1 failed", "Power supply 2 failed"),
            ("5xx of shop", "4xx of shop"),
            ("shard 12 unassigned", "shard 13 unassigned"),
            ("HTTP 500 rate is high", "HTTP 404 rate is high"),
            ("answers with status 502", "answers with status 429"),
            ("HTTP 500 errors of shop", "HTTP 404 errors of shop"),
            ("HTTP 500: timeouts", "HTTP 404: timeouts"),
            ("HTTP 500 status", "HTTP 404 status"),
            ("HTTP 500 get/put", "HTTP 404 get/put"),
            ("rack1row2pdu3 down", "rack1row2pdu4 down"),
            ("Ipv4To6Gw1 lost", "Ipv4To6Gw2 lost"),
            ("srv01a02b03 lost", "srv01a02b04 lost"),
            ("dc1r2s3n4p5 lost", "dc1r2s3n4p6 lost"),
            ("eu1az2r3n04 lost", "eu1az2r3n05 lost"),
            ("no p4d24xlarge", "no c6i32xlarge"),
            ("DC1R2S3N4P5 lost", "DC1R2S3N4P6 lost"),
            ("Dc1Rack2RowA3PduB1 lost", "Dc1Rack2RowA3PduB2 lost"),
            ("HTTPServer2XMLParser3 lost", "HTTPServer2XMLParser4 lost"),
            ("dc1rowA2podB3 lost", "dc1rowA2podB4 lost"),
            // It may be either, and is kept.
            ("run k8x2p9qwz1t4 failed", "run k8x2p9qwz1t5 failed"),
        ] {
            assert_ne!(mask(one), mask(other), "{one}");
        }
        // Readings behind the same words, and the ports of clients.
        for (one, other) in [
            ("Disk 93 % full", "Disk 95 % full"),
            ("Disk 93% full", "Disk 95% full"),
            ("disk 900 GB free", "disk 12 GB free"),
            (
                "Failed password from 10.0.0.1 port 4242 ssh2",
                "Failed password from 10.0.0.9 port 5151 ssh2",
            ),
            ("closed by port 51234", "closed by port 60000"),
            ("HTTP 312 requests failed", "HTTP 287 requests failed"),
            ("HTTP 500 ms", "HTTP 510 ms"),
            ("status 200 ms", "status 210 ms"),
            ("code 150 %", "code 160 %"),
            ("http 499 req/s", "http 487 req/s"),
            ("http 499/s", "http 487/s"),
            ("http 499 per second", "http 487 per second"),
            ("batch status 431 rows behind", "batch status 287 rows behind"),
        ] {
            assert_eq!(mask(one), mask(other), "{one}");
        }
    }
}
