//! The formats in which security devices write their events into syslog: the Common Event Format,
//! `CEF:0|vendor|product|version|class|name|severity|key=value …`, and the Log Event Extended Format,
//! `LEEF:2.0|vendor|product|version|class|sign|key=value…`.
//!
//! <https://www.ibm.com/docs/en/dsm?topic=overview-leef-event-components>,
//! <https://www.microfocus.com/documentation/arcsight/arcsight-smartconnectors/pdfdoc/common-event-format-v25/common-event-format-v25.pdf>

use serde_json::{Map, Value};

/// Fields of an event, at most.
const FIELDS_MAX: usize = 256;

/// The event that a message holds, by the names that everybody else uses; `None` when it holds none.
pub(super) fn value(message: &str) -> Option<Value> {
    let message = message.trim();
    if let Some(rest) = message.strip_prefix("LEEF:") {
        return extended(rest);
    }
    let mut rest = message.strip_prefix("CEF:")?;
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
    let by_name = rest.contains("dvchost=");
    for (key, value) in extension(rest) {
        let key = match key {
            "dvchost" | "deviceHostName" => "host",
            "dvc" if !by_name => "host",
            "rt" | "deviceReceiptTime" => "timestamp",
            "externalId" => "alertId",
            other => other,
        };
        fields.insert(key.to_owned(), value.into());
    }
    fields.insert("title".to_owned(), name.as_str().into());
    fields.insert("severity".to_owned(), level(severity).into());
    of_product(&mut fields, [vendor, product, version, class]);
    Some(Value::Object(fields))
}

/// What stands behind `LEEF:`. A tab is between the fields unless version 2 names another sign, itself or by its number.
fn extended(rest: &str) -> Option<Value> {
    let header: Vec<&str> = rest.splitn(6, '|').collect();
    let [format, vendor, product, version, class, mut rest] = header[..] else {
        return None;
    };
    let mut sign = '\t';
    if let Some((named, behind)) = rest.split_once('|')
        && format.starts_with('2')
        && !named.contains('=')
    {
        let number = named.trim_start_matches('0').strip_prefix('x');
        let of_number = |digits| char::from_u32(u32::from_str_radix(digits, 16).ok()?);
        sign = number
            .and_then(of_number)
            .or(named.chars().next())
            .unwrap_or(sign);
        rest = behind;
    }
    let pairs = rest.split(sign).filter_map(|pair| pair.split_once('='));
    let mut fields = Map::new();
    for (key, value) in pairs.take(FIELDS_MAX) {
        let (key, value) = match key.trim() {
            "dvchost" | "identHostName" => ("host", value),
            "devTime" => ("timestamp", value),
            "sev" => ("severity", level(value)),
            "name" | "eventName" => ("title", value),
            key => (key, value),
        };
        fields.insert(key.to_owned(), value.into());
    }
    let called = fields.get("cat").cloned().unwrap_or_else(|| class.into());
    fields.entry("title").or_insert(called);
    of_product(&mut fields, [vendor, product, version, class]);
    Some(Value::Object(fields))
}

/// Both formats say in their head whose product saw what class of event.
fn of_product(fields: &mut Map<String, Value>, head: [&str; 4]) {
    for (key, value) in ["vendor", "product.name", "product.version", "class_id"]
        .into_iter()
        .zip(head)
    {
        fields.insert(key.to_owned(), value.into());
    }
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

/// `key=value key=value`, where values hold blanks and end before the next key; a sign without a blank between it and the
/// one before stands within a value.
fn extension(text: &str) -> impl Iterator<Item = (&str, String)> {
    let mut behind = 0;
    let keys = bare(text, '=').filter_map(move |sign| {
        let before = &text[behind..sign];
        let blank = before.rfind(' ').map(|blank| behind + blank + 1);
        let start = blank.or((behind == 0).then_some(0));
        behind = sign + 1;
        start.filter(|start| *start < sign).map(|start| (start, sign))
    });
    // One more, where the last ends.
    let keys: Vec<(usize, usize)> = keys.take(FIELDS_MAX + 1).collect();
    (0..keys.len().min(FIELDS_MAX)).map(move |i| {
        let (start, sign) = keys[i];
        let end = keys.get(i + 1).map_or(text.len(), |(next, _)| *next);
        (&text[start..sign], unescaped(text[sign + 1..end].trim()))
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

    #[test]
    fn the_extended_format_names_the_sign_between_its_fields() {
        for text in [
            "LEEF:2.0|a|ids|1|77|^|cat=probe^sev=8^dvchost=till-3",
            "LEEF:2.0|a|ids|1|77|0x5E|cat=probe^sev=8^dvchost=till-3",
            "LEEF:1.0|a|ids|1|77|cat=probe\tsev=8\tdvchost=till-3",
        ] {
            let read = value(text).unwrap();
            let of = |name: &str| read[name].as_str().unwrap().to_owned();
            assert_eq!(
                [of("title"), of("severity"), of("host"), of("class_id")],
                ["probe", "high", "till-3", "77"],
                "{text}"
            );
        }
    }

    #[test]
    fn a_sign_within_a_value_is_no_key() {
        let read = value("CEF:0|a|b|1|c|d|5|request=/x?a=1&b=2 dvc=10.0.0.1 =").unwrap();
        assert_eq!(
            (&read["request"], &read["host"]),
            (&"/x?a=1&b=2".into(), &"10.0.0.1 =".into())
        );
    }

    /// Work that grows with the square of these would not end while anybody waits.
    #[test]
    fn large_and_hostile() {
        for many in ["=", " =", "a=", " a=", "\\=", "a b"] {
            let text = format!("CEF:0|a|b|c|d|e|5|{}", many.repeat(1_000_000));
            let read = value(&text).unwrap();
            assert!(read.as_object().unwrap().len() <= FIELDS_MAX + 6);
        }
    }
}
