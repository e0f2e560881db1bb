//! The Common Event Format, in which security devices write their events into syslog:
//! `CEF:0|vendor|product|version|class|name|severity|key=value …`.
//!
//! <https://www.microfocus.com/documentation/arcsight/arcsight-smartconnectors/pdfdoc/common-event-format-v25/common-event-format-v25.pdf>

use serde_json::{Map, Value};

/// Fields of an event, at most.
const FIELDS_MAX: usize = 256;

/// The event that a message holds, by the names that everybody else uses; `None` when it holds none.
pub(super) fn value(message: &str) -> Option<Value> {
    let mut rest = message.trim().strip_prefix("CEF:")?;
    let mut header = Vec::with_capacity(7);
    for _ in 0..7 {
        let end = bare(rest, '|').next()?;
        header.push(unescaped(&rest[..end]));
        rest = &rest[end + 1..];
    }
    let [_, vendor, product, version, class, name, severity] = &header[..] else {
        return None;
    };
    let mut fields = Map::new();
    for (key, value) in extension(rest).take(FIELDS_MAX) {
        let key = match key {
            "dvchost" | "deviceHostName" => "host",
            "dvc" if !rest.contains("dvchost=") => "host",
            "rt" | "deviceReceiptTime" => "timestamp",
            "externalId" => "alertId",
            other => other,
        };
        fields.insert(key.to_owned(), value.into());
    }
    for (key, value) in [
        ("title", name.as_str()),
        ("severity", level(severity)),
        ("vendor", vendor),
        ("product.name", product),
        ("product.version", version),
        ("class_id", class),
    ] {
        fields.insert(key.to_owned(), value.into());
    }
    Some(Value::Object(fields))
}

/// Ten is the worst here.
fn level(severity: &str) -> &str {
    match severity.parse::<u8>() {
        Ok(0..=3) => "low",
        Ok(4..=6) => "medium",
        Ok(7..=8) => "high",
        Ok(9..=10) => "critical",
        _ if severity.eq_ignore_ascii_case("very-high") => "critical",
        _ => severity,
    }
}

/// `key=value key=value`, where values hold blanks and end before the next key.
fn extension(text: &str) -> impl Iterator<Item = (&str, String)> {
    let signs: Vec<usize> = bare(text, '=').collect();
    let key_of = move |sign: usize| text[..sign].rfind(' ').map_or(0, |blank| blank + 1);
    let ends: Vec<usize> = signs
        .iter()
        .skip(1)
        .map(|next| key_of(*next))
        .chain([text.len()])
        .collect();
    signs.into_iter().zip(ends).map(move |(sign, end)| {
        let value = text.get(sign + 1..end).unwrap_or_default();
        (&text[key_of(sign)..sign], unescaped(value.trim()))
    })
}

/// Where a sign stands that no backslash takes its meaning.
fn bare(text: &str, sign: char) -> impl Iterator<Item = usize> {
    let mut escaped = false;
    text.char_indices().filter_map(move |(at, c)| {
        let found = c == sign && !escaped;
        escaped = c == '\\' && !escaped;
        found.then_some(at)
    })
}

fn unescaped(text: &str) -> String {
    let (mut out, mut escaped) = (String::with_capacity(text.len()), false);
    for c in text.chars() {
        match c {
            '\\' if !escaped => escaped = true,
            'n' if escaped => {
                out.push('\n');
                escaped = false;
            }
            c => {
                out.push(c);
                escaped = false;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_hold_blanks_and_escapes() {
        let read =
            value(r"CEF:0|a\|b|fw|1|17|Login \\ failed|8|msg=40 tries\=many dvchost=fw-1 rt=1777881600000")
                .unwrap();
        for (name, want) in [
            ("vendor", "a|b"),
            ("title", r"Login \ failed"),
            ("severity", "high"),
            ("msg", "40 tries=many"),
            ("host", "fw-1"),
            ("timestamp", "1777881600000"),
        ] {
            assert_eq!(read[name], want);
        }
        assert_eq!(value("CEF:0|a|b|c"), None);
    }
}
