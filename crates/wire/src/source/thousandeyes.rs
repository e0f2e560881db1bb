//! ThousandEyes: the classic webhook and custom webhooks over the documented variables.
//!
//! <https://docs.thousandeyes.com/product-documentation/alerts/integrations/webhooks>. The alert's id is the identity.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "thousandeyes",
    forms: "classic webhook, custom webhook",
    reference: "https://docs.thousandeyes.com/product-documentation/integration-guides/custom-webhooks/webhook-vars",
    detect: |v| {
        v.get("eventType")
            .and_then(Value::as_str)
            .is_some_and(|t| t.contains("ALERT_NOTIFICATION") || t == "WEBHOOK_TEST")
            || v.get("alert").is_some_and(|a| {
                has(a, &["ruleExpression"])
                    || has(a, &["ruleName", "testName"])
                    || has(a, &["alertId", "ruleId"])
            })
            || find(v, "alert.rule.expression").is_some()
    },
    decode,
};

const SHAPE: Shape = Shape {
    title: &["alert.ruleName", "alert.rule.name"],
    text: &["alert.ruleExpression", "alert.rule.expression"],
    severity: &["alert.severity", "alert.severity.name", "alert.rule.severity"],
    key: &["alert.alertId"],
    starts_at: &[
        "alert.dateStartZoned", "alert.dateStart", "alert.startDate", "alert.startTime", "alert.firstSeen",
    ],
    ends_at: &[
        "alert.dateEndZoned", "alert.dateEnd", "alert.endDate", "alert.endTime",
    ],
    service: &["alert.testName", "alert.test.name"],
    host: &[
        "alert.hostname",
        "alert.agentName",
        "alert.targets.0",
        "alert.testTargetsDescription.0",
        "alert.test.targets.0",
    ],
    entities: &[("agent", "alert.agentName")],
    links: &[
        ("alert.permalink", "alert"),
        ("alert.link", "alert"),
        ("alert.details.link", "alert"),
    ],
    ..EMPTY
};

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let f = sink.fields(value);
    let kind = f.first(&["eventType", "type.name", "type"]);
    let mut d = SHAPE.read("thousandeyes", &f);
    d.key = d.key.take().or_else(|| f.first(&["alert.id", "eventId", "id"]));
    // Repeated in full beside the alert.
    for copy in ["agentAlert", "testAlert"] {
        let _ = f.take(copy);
    }
    let clear = kind
        .as_deref()
        .is_some_and(|k| k.to_ascii_uppercase().contains("CLEAR") || k == "1")
        || f.glance("alert.active").is_some_and(|a| a == "0" || a == "false");
    d.over(clear);
    let test = kind.as_deref().is_some_and(|k| k.contains("TEST"));
    f.rest_into(&mut d);
    if d.title.is_empty() {
        d.title = kind.unwrap_or_else(|| Text::const_new("alert"));
    }
    if test {
        sink.other(OtherKind::Test, d)
    } else {
        sink.event(d)
    }
}
