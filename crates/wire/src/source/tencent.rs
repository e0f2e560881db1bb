//! Alarm callbacks of Tencent Cloud, of metrics and of events.
//! <https://www.tencentcloud.com/document/product/248/38209>: the policy, the object and the metric are the identity; a
//! session is a message and differs each time. Times are of China, where nothing else is said.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "tencent-cloud",
    forms: "alarm callbacks of metrics and of events",
    reference: "https://www.tencentcloud.com/document/product/248/38209",
    detect: |v| has(v, &["alarmStatus", "alarmPolicyInfo"]) && v.get("alarmObjInfo").is_some(),
    decode,
};

const SHAPE: Shape = Shape {
    title: &["alarmPolicyInfo.policyName"],
    severity: &["alarmPolicyInfo.level", "alarmLevel"],
    entities: &[
        ("region", "alarmObjInfo.region"),
        ("account", "alarmObjInfo.appId"),
    ],
    ..EMPTY
};

/// Names of dimensions that say which machine it is, best first.
const MACHINES: [&str; 7] = [
    "deviceName", "instanceName", "unInstanceId", "instanceId", "InstanceId", "deviceLanIp", "objId",
];

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("tencent-cloud", &SHAPE, value);
    let what = ["metricShowName", "eventShowName", "metricName", "eventName"]
        .iter()
        .find_map(|name| f.glance(&format!("alarmPolicyInfo.conditions.{name}")));
    d.text = match (
        what.clone(),
        f.glance("alarmPolicyInfo.conditions.calcType"),
        f.glance("alarmPolicyInfo.conditions.calcValue"),
    ) {
        (Some(what), Some(than), Some(limit)) => {
            let unit = f
                .glance("alarmPolicyInfo.conditions.calcUnit")
                .unwrap_or_default();
            let now = f
                .glance("alarmPolicyInfo.conditions.currentValue")
                .unwrap_or_default();
            compact_str::format_compact!("{what} {than} {limit} {unit}: {now}")
        }
        (what, _, _) => what.unwrap_or_default(),
    };
    d.host = MACHINES
        .iter()
        .find_map(|name| f.glance(&format!("alarmObjInfo.dimensions.{name}")));
    let metric = ["metricName", "eventName"]
        .iter()
        .find_map(|name| f.glance(&format!("alarmPolicyInfo.conditions.{name}")));
    d.key = Some(join(&[
        &f.glance("alarmPolicyInfo.policyId").unwrap_or_default(),
        d.host.as_deref().unwrap_or_default(),
        &metric.unwrap_or_default(),
    ]));
    let over = f.text("alarmStatus").as_deref() == Some("0");
    d.over(over);
    d.starts_at = local(f.text("firstOccurTime"));
    d.ends_at = local(f.text("recoverTime")).filter(|_| over);
    let lasted = f.glance("durationTime").and_then(|n| n.parse::<i64>().ok());
    d.ts = d.ends_at.or_else(|| {
        let lasted = model::Span::from_secs(lasted.unwrap_or(0).clamp(0, 86_400 * 365));
        d.starts_at.map(|from| from + lasted)
    });
    sink.rest(&f, d, None);
}

/// A time of China that names no zone.
fn local(text: Option<Text>) -> Option<Time> {
    let text = text?;
    when::any(&compact_str::format_compact!("{text} +0800"), None).or_else(|| when::any(&text, None))
}
