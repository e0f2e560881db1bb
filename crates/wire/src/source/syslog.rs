//! Syslog: lines of RFC 5424 and RFC 3164 as they come from the wire, and records that a collector made JSON of.
//!
//! <https://www.rfc-editor.org/rfc/rfc5424>, <https://www.rfc-editor.org/rfc/rfc3164>. Syslog has no recovery and no
//! identity: host, program and the message with its readings masked stand for one.

use super::{generic::told, prelude::*};
use crate::{
    found::{Rejection, Stage},
    level,
};

pub(crate) const SOURCE: Source = Source {
    name: "syslog",
    forms: "RFC 5424 and RFC 3164 lines, octet-counted frames, JSON of rsyslog, fluentd, journald and telegraf, GELF; messages of CEF, of names and values, and of JSON",
    reference: "https://www.rfc-editor.org/rfc/rfc5424",
    detect: |v| {
        let v = &lowered(v);
        let any = |keys: &[&str]| keys.iter().any(|k| v.get(k).is_some());
        v.get("name").and_then(Value::as_str) == Some("syslog") && v.get("fields").is_some()
            || any(&[
                "facility", "syslogfacility", "syslogfacility-text", "facility_code", "syslog_facility",
            ]) && any(&[
                "severity", "priority", "syslogseverity", "syslogseverity-text", "severity_code", "level",
                "pri", "syslog_severity",
            ]) && any(&["message", "msg", "rawmsg", "short_message"])
            || any(&["_systemd_unit", "syslog_identifier"]) && any(&["message"])
            || has(v, &["version", "host", "short_message"])
    },
    decode,
};

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
    "local7",
];

/// Whether a text begins like a syslog line or an octet-counted frame of one.
pub(crate) fn may_be(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    let pri = text
        .strip_prefix('<')
        .and_then(|r| r.split_once('>'))
        .map(|(p, _)| p);
    pri.is_some_and(|p| !p.is_empty() && p.len() <= 3 && p.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether a text is an event in the Common Event Format, as some write it without what syslog puts before it.
pub(crate) fn is_bare(text: &str) -> bool {
    text.starts_with("CEF:")
}

/// Decodes lines of bare events.
pub(crate) fn bare_lines_of(text: &str, sink: &mut Sink<'_>) {
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        finish(
            Draft {
                text: line.into(),
                ..Draft::new("syslog")
            },
            sink,
        );
    }
}

/// Decodes a body of one or several lines; a line that does not begin with a priority belongs to the one before.
pub(crate) fn lines_of(text: &str, sink: &mut Sink<'_>) {
    let mut record = String::new();
    for line in text.lines() {
        if may_be(line) && !record.is_empty() {
            one(&record, sink);
            record.clear();
        }
        if !record.is_empty() {
            record.push('\n');
        }
        record.push_str(line);
    }
    one(&record, sink);
}

fn one(line: &str, sink: &mut Sink<'_>) {
    // A frame's length before the priority, as TCP senders write it.
    let line = match line.split_once(' ') {
        Some((count, rest)) if rest.starts_with('<') && count.bytes().all(|b| b.is_ascii_digit()) => rest,
        _ => line,
    };
    let Some((pri, rest)) = line.strip_prefix('<').and_then(|r| r.split_once('>')) else {
        return;
    };
    let Some(pri) = pri.parse::<u8>().ok().filter(|p| *p < 192) else {
        return sink.reject(
            Rejection::new(
                Stage::Parse,
                format!("syslog priority {pri:?} is not between 0 and 191"),
            )
            .at(1),
        );
    };
    let mut d = Draft::new("syslog");
    let (level, word) = level::syslog(pri % 8);
    d.severity_as(Some(Text::const_new(word)), Some(level));
    d.label("facility", FACILITIES[usize::from(pri / 8)]);
    let version = rest.split(' ').next().unwrap_or_default();
    let is_5424 = !version.is_empty() && version.len() <= 3 && version.bytes().all(|b| b.is_ascii_digit());
    if is_5424 {
        rfc5424(&rest[version.len()..], &mut d)
    } else {
        rfc3164(rest, &mut d, sink.context.near())
    }
    finish(d, sink);
}

fn finish(mut d: Draft, sink: &mut Sink<'_>) {
    told::take(&mut d, sink);
    d.title = d.text.split('\n').next().unwrap_or_default().trim().into();
    if d.title.is_empty() {
        d.title = d
            .service
            .clone()
            .unwrap_or_else(|| Text::const_new("(no message)"));
    }
    // The fields of a log line vary as often as not.
    d.about = Some(model::Labels::new());
    let bad = matches!(
        d.severity,
        Some(Severity::Critical | Severity::Error | Severity::Warning)
    );
    // Devices tell of a link that is back at the level at which they told of its loss.
    let back = state::said(&d.title) == Some(State::Resolved);
    d.status = Some(match (back, bad) {
        (true, _) => Status::Resolved,
        (_, true) => Status::Firing,
        _ => Status::Info,
    });
    sink.event(d);
}

/// `SP TIMESTAMP SP HOSTNAME SP APP-NAME SP PROCID SP MSGID SP STRUCTURED-DATA [SP MSG]`; `-` says nothing.
fn rfc5424(rest: &str, d: &mut Draft) {
    let mut rest = rest.trim_start_matches(' ');
    let mut next = || {
        let (field, tail) = rest.split_once(' ').unwrap_or((rest, ""));
        rest = tail;
        Some(field).filter(|f| !f.is_empty() && *f != "-")
    };
    let (stamp, host, app, process, id) = (next(), next(), next(), next(), next());
    d.ts = stamp.and_then(when::iso);
    d.host = host.map(Text::from);
    d.service = app.map(Text::from);
    if let Some(process) = process {
        d.label("annotation.procid", process);
    }
    if let Some(id) = id {
        d.label("msgid", id);
    }
    let message = structured(rest, d);
    d.text = message.trim_start_matches('\u{feff}').trim().into();
}

/// Reads structured data and gives what follows it.
fn structured<'t>(text: &'t str, d: &mut Draft) -> &'t str {
    if let Some(rest) = text.strip_prefix('-') {
        return rest.strip_prefix(' ').unwrap_or(rest);
    }
    let mut rest = text;
    while let Some(inner) = rest.strip_prefix('[') {
        let Some(end) = element_end(inner) else {
            return rest;
        };
        let element = &inner[..end];
        let (id, mut params) = element.split_once(' ').unwrap_or((element, ""));
        while let Some((name, tail)) = params.split_once("=\"") {
            let Some(close) = value_end(tail) else { break };
            let value = tail[..close]
                .replace("\\\"", "\"")
                .replace("\\]", "]")
                .replace("\\\\", "\\");
            d.label(&format!("{id}.{}", name.trim()), value);
            params = &tail[close + 1..];
        }
        rest = &inner[end + 1..];
    }
    rest.strip_prefix(' ').unwrap_or(rest)
}

fn element_end(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (i, b) in text.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b']' if !quoted => return Some(i),
            _ => {}
        }
    }
    None
}

fn value_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (i, b) in text.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(i),
            _ => {}
        }
    }
    None
}

/// `Mmm dd hh:mm:ss HOST TAG[pid]: MSG`, with RFC 3339 for the time where a relay is newer.
fn rfc3164(rest: &str, d: &mut Draft, near: Option<Time>) {
    let mut rest = announced(rest.trim_start(), d);
    // Routers end the time with a colon and name no host behind it.
    let mut hostless = false;
    let first = rest.split(' ').next().unwrap_or_default();
    if let Some(time) = when::iso(first).filter(|_| first.len() > 10) {
        d.ts = Some(time);
        rest = rest[first.len()..].trim_start();
    } else if rest.len() >= 15
        && rest.is_char_boundary(15)
        && rest.as_bytes()[9] == b':'
        && rest.as_bytes()[12] == b':'
    {
        // Without a year; only a time known to be close can tell which.
        (d.ts, hostless, rest) = stamped(rest, 15, near);
    } else if rest.len() >= 20
        && rest.is_char_boundary(20)
        && rest.as_bytes()[14] == b':'
        && rest.as_bytes()[17] == b':'
        && when::any(&rest[..20], near).is_some()
    {
        // With a year, as firewalls write it.
        (d.ts, hostless, rest) = stamped(rest, 20, near);
    } else {
        d.text = rest.into();
        return;
    }
    if let Some((host, tail)) = rest.split_once(' ')
        && !host.ends_with(':')
        && !hostless
    {
        d.host = Some(host.into());
        rest = tail.trim_start();
    }
    let end = rest
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/')))
        .unwrap_or(rest.len());
    let (tag, tail) = rest.split_at(end);
    let after = match tail.strip_prefix('[').and_then(|t| t.split_once(']')) {
        Some((pid, after)) => {
            d.label("annotation.procid", pid);
            after
        }
        None => tail,
    };
    match after.strip_prefix(':') {
        // Where a program would stand routers number their messages.
        Some(message) if tag.bytes().all(|b| b.is_ascii_digit()) => {
            if !tag.is_empty() {
                d.label("annotation.number", tag);
            }
            d.text = message.trim().into();
        }
        // An event in one of the formats of security devices begins with its name.
        Some(_) if tag == "CEF" || tag == "LEEF" => d.text = rest.into(),
        Some(message) => {
            d.service = Some(tag.into());
            d.text = message.trim().into();
        }
        _ => d.text = rest.trim().into(),
    }
}

/// What follows the number and the name that routers put before the time, and the mark of a clock that nobody set.
fn announced<'t>(line: &'t str, d: &mut Draft) -> &'t str {
    // Any year will do.
    let near = Some(Time::from_secs(1_000_000_000));
    let is_time = |text: &str| {
        let begins = |len: usize| {
            text.get(..len)
                .is_some_and(|time| when::any(time, near).is_some())
        };
        begins(15) || begins(20)
    };
    let unmarked = |text: &'t str| Some(text.trim_start_matches(['*', '.'])).filter(|text| is_time(text));
    let (number, rest) = match line.split_once(": ") {
        Some((number, rest)) if number.bytes().all(|b| b.is_ascii_digit()) => (number, rest),
        _ => ("", line),
    };
    let named = || rest.split_once(": ").filter(|(host, _)| !host.contains(' '));
    let (host, rest) = match unmarked(rest) {
        Some(rest) => (None, rest),
        None => match named().and_then(|(host, rest)| Some((host, unmarked(rest)?))) {
            Some((host, rest)) => (Some(host), rest),
            None => return line,
        },
    };
    if !number.is_empty() {
        d.label("annotation.number", number);
    }
    d.host = host.map(Text::from);
    rest
}

/// The time that a line begins with, whether a colon ends it, and what follows. Behind its first `len` bytes some write
/// parts of a second, and a zone.
fn stamped(line: &str, len: usize, near: Option<Time>) -> (Option<Time>, bool, &str) {
    let mut end = len;
    if let Some(parts) = line[len..].strip_prefix('.') {
        let digits = parts.bytes().take_while(u8::is_ascii_digit).count();
        end += if (1..=9).contains(&digits) { 1 + digits } else { 0 };
    }
    let (time, rest) = line.split_at(end);
    let (zone, rest) = zone_before(rest.trim_start_matches(' ')).unwrap_or(("", rest));
    let zoned = when::any(&compact_str::format_compact!("{time} {zone}"), near);
    let ts = zoned.or_else(|| when::any(time, near));
    match rest.strip_prefix(':') {
        Some(rest) => (ts, true, rest.trim_start()),
        None => (ts, false, rest.trim_start()),
    }
}

/// A zone, and what follows it and shows that it is none of the hosts that are named in capitals: the colon that ends
/// the time, or a host.
fn zone_before(text: &str) -> Option<(&str, &str)> {
    let len = text.bytes().take_while(u8::is_ascii_uppercase).count();
    let (word, tail) = text.split_at(len);
    if !(3..=5).contains(&len) {
        return None;
    }
    let known = when::is_zone(word);
    let shown = match tail.strip_prefix(':') {
        // A message of a router begins with a sign, that of a program does not.
        Some(message) => known || message.trim_start().starts_with('%'),
        None => known && tail.starts_with(' ') && (matches!(word, "UTC" | "GMT") || begins_with_host(tail)),
    };
    shown.then_some((word, tail))
}

/// Whether a host begins what follows: a name with what names of hosts have and words have not, or one before a program.
fn begins_with_host(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    let (Some(first), Some(next)) = (words.next(), words.next()) else {
        return false;
    };
    let is_name = first.starts_with(|c: char| c.is_ascii_alphanumeric())
        && first
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    is_name && (next.contains(':') || first.contains(|c: char| !c.is_ascii_alphabetic()))
}

/// A record that a collector has made JSON of.
fn decode(value: &Value, sink: &mut Sink<'_>) {
    let v = &lowered(value);
    let (f, mut d) = sink.read("syslog", &EMPTY, v);
    let facility = f.first(&[
        "syslogfacility-text", "tags.facility", "facility", "syslogfacility", "syslog_facility",
        "facility_code",
    ]);
    let facility = facility.map(|n| {
        n.parse::<usize>()
            .ok()
            .and_then(|n| FACILITIES.get(n))
            .map_or(n, |w| Text::const_new(w))
    });
    if let Some(facility) = facility {
        d.label("facility", facility);
    }
    let word = f.first(&[
        "syslogseverity-text", "tags.severity", "severity", "syslogseverity", "severity_code", "level",
        "priority", "pri", "syslog_severity",
    ]);
    match word.as_deref().and_then(|w| w.parse::<u8>().ok()) {
        Some(code) => {
            let (level, word) = level::syslog(code % 8);
            d.severity_as(Some(Text::const_new(word)), Some(level));
        }
        None => d.severity_word(word),
    }
    d.host = f.first(&[
        "hostname", "tags.hostname", "_hostname", "host", "fromhost", "tags.source", "source", "tags.host",
    ]);
    d.service = f.first(&[
        "appname", "app-name", "app_name", "tags.appname", "programname", "program", "syslog_identifier",
        "_systemd_unit", "ident", "tag", "syslogtag", "app",
    ]);
    d.text = f
        .first(&["message", "msg", "fields.message", "short_message", "rawmsg"])
        .unwrap_or_default();
    d.ts = f.time(&[
        "timereported",
        "fields.timestamp",
        "timestamp",
        "@timestamp",
        "time",
        "__realtime_timestamp",
        "_source_realtime_timestamp",
        "timegenerated",
    ]);
    for name in ["procid", "fields.procid", "pid", "_pid", "syslog_pid"] {
        if let Some(process) = f.text(name) {
            d.label("annotation.procid", process);
        }
    }
    f.rest_into(&mut d);
    finish(d, sink);
}
