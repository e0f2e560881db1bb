//! IBM Netcool/OMNIbus: rows of the alert table. Node, group and key are the identity, because the identifier tells a
//! problem from its resolution; severity goes from 0 (clear) to 5 (critical).
//! <https://www.ibm.com/docs/en/netcoolomnibus/8.1?topic=tables-alertsstatus-table>.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "netcool",
    forms: "rows of alerts.status, one or many",
    reference: "https://www.ibm.com/docs/en/netcoolomnibus/8.1?topic=tables-alertsstatus-table",
    detect: |v| match v {
        Value::Array(rows) => !rows.is_empty() && rows.iter().all(is_row),
        v => is_row(v),
    },
    decode: |v, sink| match v {
        Value::Array(rows) => rows.iter().for_each(|row| decode(row, sink)),
        v => decode(v, sink),
    },
};

const SHAPE: Shape = Shape {
    title: &["Summary"],
    key: &["Node", "AlertGroup", "AlertKey"],
    ts: &["LastOccurrence", "StateChange"],
    starts_at: &["FirstOccurrence"],
    host: &["Node"],
    service: &["Service"],
    links: &[("URL", "alert")],
    ..EMPTY
};

fn is_row(v: &Value) -> bool {
    has(v, &["Node", "AlertGroup", "Severity", "Summary"])
}

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("netcool", &SHAPE, value);
    let word = f.text("Severity");
    let level = word.as_deref().and_then(|word| {
        Some(match word {
            "0" => Severity::Info,
            "1" => Severity::Unknown,
            "2" | "3" => Severity::Warning,
            "4" => Severity::Error,
            "5" => Severity::Critical,
            _ => return None,
        })
    });
    // A resolution (type 2) and a row that was cleared say the same.
    let over = word.as_deref() == Some("0") || f.glance("Type").as_deref() == Some("2");
    let taken = f.glance("Acknowledged").as_deref() == Some("1");
    d.severity_as(word, level);
    d.state(Some(match (over, taken) {
        (true, _) => State::Resolved,
        (false, true) => State::Acked,
        _ => State::Firing,
    }));
    sink.rest(&f, d, None);
}
