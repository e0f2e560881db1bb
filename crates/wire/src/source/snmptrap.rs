//! SNMP traps as JSON (telegraf, snmptrapd handlers, Logstash) and as telegraf's line protocol.
//!
//! <https://github.com/influxdata/telegraf/tree/master/plugins/inputs/snmp_trap>, <https://www.rfc-editor.org/rfc/rfc3418>.
//! The agent and the trap are the identity; for links the interface, so that `linkUp` ends `linkDown`.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "snmptrap",
    forms: "traps of telegraf, snmptrapd and Logstash as JSON, telegraf line protocol",
    reference: "https://github.com/influxdata/telegraf/tree/master/plugins/inputs/snmp_trap",
    detect: |v| {
        v.get("name").and_then(Value::as_str) == Some("snmp_trap")
            || v.as_object().is_some_and(|m| {
                m.keys().any(|k| {
                    k.to_ascii_lowercase().contains("snmptrapoid")
                        || matches!(k.as_str(), "trap_oid" | "trapOid" | "trapOID" | "snmp_trap_oid")
                })
            })
            || find(v, "variables.0.oid").is_some() && v.get("version").is_some()
            || has(v, &["enterprise", "agent"])
            || has(v, &["enterprise", "agent_addr"])
            || has(v, &["oid", "varbinds"])
            || bindings(v).any(|(oid, _)| oid.to_ascii_lowercase().contains("snmptrapoid"))
    },
    decode,
};

/// The standard traps by the last number of their OID below `.1.3.6.1.6.3.1.1.5`.
const STANDARD: [&str; 6] = [
    "coldStart", "warmStart", "linkDown", "linkUp", "authenticationFailure", "egpNeighborLoss",
];

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("snmptrap", &EMPTY, value);
    let oid = value
        .as_object()
        .and_then(|m| {
            m.iter()
                .find(|(k, _)| k.to_ascii_lowercase().contains("snmptrapoid"))
        })
        .and_then(|(_, v)| scalar(v))
        .or_else(|| {
            let mut bound = bindings(value);
            bound
                .find(|(oid, _)| oid.to_ascii_lowercase().contains("snmptrapoid"))
                .and_then(|(_, v)| scalar(v))
        });
    let oid = f
        .first(&[
            "tags.oid", "trap_oid", "trapOid", "trapOID", "snmp_trap_oid", "oid",
        ])
        .or(oid);
    let name = f
        .first(&["tags.name", "trap_name", "trapName"])
        .or_else(|| text_at(value, "name").filter(|n| n != "snmp_trap"));
    d.title = name
        .or_else(|| oid.as_deref().map(trap_name))
        .or_else(|| f.first(&["message", "enterprise"]))
        .unwrap_or_else(|| Text::const_new("trap"));
    d.text = f
        .first(&["message", "description", "fields.message"])
        .unwrap_or_default();
    d.host = f.first(&[
        "tags.source", "tags.agent_address", "hostname", "agent_addr", "agentAddress", "agent", "source",
        "source_ip", "host", "tags.host",
    ]);
    // `UDP: [192.0.2.1]:161->[192.0.2.9]:162`, as snmptrapd tells of it.
    if d.host.is_none()
        && let Some(from) = f.glance("PDUInfo.receivedfrom")
        && let Some((address, _)) = from.split_once('[').and_then(|(_, rest)| rest.split_once(']'))
    {
        d.host = Some(address.into());
    }
    d.ts = f.time(&["timestamp", "@timestamp", "time", "received_at"]);
    d.severity_word(f.first(&["severity", "tags.severity"]));
    let interface = value
        .as_object()
        .into_iter()
        .flat_map(|m| {
            m.iter()
                .chain(m.get("fields").and_then(Value::as_object).into_iter().flatten())
        })
        .find(|(k, _)| k.contains("ifIndex") || k.contains("ifName") || k.contains("ifDescr"))
        .and_then(|(_, v)| scalar(v))
        .or_else(|| interface_of_binding(value))
        .unwrap_or_default();
    // A name that ends in a recovery, `tunnelUp`, speaks of the condition that it ends.
    let is_name = !d.title.contains(' ');
    let ended = Some(model::condition(&d.title)).filter(|ended| is_name && *ended != d.title);
    let (state, level, what) = match (d.title.as_str(), ended) {
        ("linkDown", _) => (State::Firing, Severity::Error, Text::const_new("link")),
        ("linkUp", _) => (State::Resolved, Severity::Info, Text::const_new("link")),
        ("coldStart" | "warmStart", _) => (State::Firing, Severity::Notice, d.title.clone()),
        ("authenticationFailure", _) => (State::Firing, Severity::Warning, d.title.clone()),
        (_, Some(ended)) => (State::Resolved, Severity::Info, ended),
        (_, None) => (State::Firing, d.severity.unwrap_or_default(), d.title.clone()),
    };
    d.state(Some(state));
    d.severity = d.severity.or(Some(level));
    d.key = Some(join(&[d.host.as_deref().unwrap_or_default(), &what, &interface]));
    if let Some(oid) = oid {
        d.label("oid", oid);
    }
    if !interface.is_empty() {
        d.entity("interface", Some(interface));
    }
    // The community string is a password.
    let _ = f.take("tags.community");
    let _ = f.take("community");
    let _ = f.take("PDUInfo.community");
    sink.rest(&f, d, None);
}

/// The bindings of a trap: a list of `{oid, value}`, or an object.
fn bindings(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let bound = ["varbinds", "VarBinds", "variables", "bindings", "var_binds"]
        .iter()
        .find_map(|name| value.get(name));
    let listed = bound.and_then(Value::as_array).into_iter().flatten();
    let listed = listed.filter_map(|binding| {
        let oid = binding.get("oid").or_else(|| binding.get("name"))?.as_str()?;
        Some((oid, binding.get("value")?))
    });
    let keyed = bound.and_then(Value::as_object).into_iter().flatten();
    listed.chain(keyed.map(|(oid, value)| (oid.as_str(), value)))
}

/// The interface's number among bindings: `ifIndex` is `.1.3.6.1.2.1.2.2.1.1`.
fn interface_of_binding(value: &Value) -> Option<Text> {
    const INDEX: &str = "1.3.6.1.2.1.2.2.1.1";
    let is_index = |oid: &str| {
        let rest = oid.trim_start_matches('.').strip_prefix(INDEX);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) || oid.contains("ifIndex")
    };
    bindings(value)
        .find(|(oid, _)| is_index(oid))
        .and_then(|(_, value)| scalar(value))
}

fn trap_name(oid: &str) -> Text {
    let dotted = oid
        .trim_start_matches('.')
        .trim_start_matches("iso.")
        .trim_start_matches("1.");
    let number = dotted
        .strip_prefix("3.6.1.6.3.1.1.5.")
        .and_then(|n| n.parse::<usize>().ok());
    match number.and_then(|n| STANDARD.get(n.wrapping_sub(1))) {
        Some(name) => Text::const_new(name),
        // `SNMPv2-MIB::linkDown` says its name.
        None => oid.rsplit("::").next().unwrap_or(oid).into(),
    }
}

/// A line of InfluxDB's line protocol as `{name, tags, fields, timestamp}`.
///
/// <https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/>
pub(crate) fn line_protocol(line: &str) -> Option<Value> {
    let head_end = unquoted(line, ' ')?;
    let (head, rest) = (&line[..head_end], line[head_end + 1..].trim_start());
    let (fields, stamp) = match unquoted(rest, ' ') {
        Some(at) => (&rest[..at], rest[at + 1..].trim()),
        None => (rest, ""),
    };
    let mut parts = split(head, ',').into_iter();
    let name = parts.next().filter(|n| !n.is_empty())?;
    let mut tags = serde_json::Map::new();
    for part in parts {
        let (k, v) = part.split_once('=')?;
        tags.insert(plain(k), plain(v).into());
    }
    let mut values = serde_json::Map::new();
    for part in split(fields, ',') {
        let (k, v) = part.split_once('=')?;
        values.insert(plain(k), field(v));
    }
    let mut out = serde_json::json!({"name": plain(name), "tags": tags, "fields": values});
    if let (Some(map), Ok(stamp)) = (out.as_object_mut(), stamp.parse::<i64>()) {
        map.insert("timestamp".into(), stamp.into());
    }
    Some(out)
}

/// The first `what` that is neither escaped nor inside quotes.
fn unquoted(text: &str, what: char) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (i, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            c if c == what && !quoted => return Some(i),
            _ => {}
        }
    }
    None
}

fn split(text: &str, at: char) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some(i) = unquoted(rest, at) {
        parts.push(&rest[..i]);
        rest = &rest[i + 1..];
    }
    parts.push(rest);
    parts
}

fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some(&next)) if matches!(next, ' ' | ',' | '=' | '"' | '\\') => {
                out.push(next);
                chars.next();
            }
            _ => out.push(c),
        }
    }
    out
}

fn field(text: &str) -> Value {
    if let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
        return plain(inner).into();
    }
    let digits = text.trim_end_matches(['i', 'u']);
    digits
        .parse::<i64>()
        .map(Value::from)
        .or_else(|_| digits.parse::<f64>().map(Value::from))
        .unwrap_or_else(|_| match text {
            "t" | "T" | "true" => true.into(),
            "f" | "F" | "false" => false.into(),
            other => other.into(),
        })
}
