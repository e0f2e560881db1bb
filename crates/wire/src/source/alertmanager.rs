//! Prometheus and Alertmanager: webhook versions 3 and 4, API v2 (posted by Prometheus, or read back), a single alert,
//! and Grafana's unified alerting, which sends the same form with fields of its own.
//!
//! <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>,
//! <https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>,
//! <https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/>
//!
//! `endsAt` ahead of the present is a lease, not a recovery: Prometheus sends it with every firing alert.
//! No field says when a state was observed, so `ts` is the time of receipt (in a file without one, `startsAt`).

use std::borrow::Cow;

use model::{EventKind, Labels, Status, Text, Time};
use serde::Deserialize;
use serde_json::Value;

use super::{Sink, Source};
use crate::{draft::Draft, fields::labels_from, lax::LaxRef, names, state, when};

pub(crate) const SOURCE: Source = Source {
    name: "alertmanager",
    forms: "webhook v3 and v4, API v2 arrays, single alerts, Prometheus' own lists of alerts and of rules; Grafana unified alerting",
    reference: "https://prometheus.io/docs/alerting/latest/configuration/#webhook_config",
    detect,
    decode,
};

/// The webhook's body.
#[derive(Deserialize)]
struct Webhook<'a> {
    #[serde(borrow)]
    alerts: Vec<Alert<'a>>,
    #[serde(default, borrow)]
    status: LaxRef<'a>,
    #[serde(default, rename = "externalURL", borrow)]
    external_url: LaxRef<'a>,
    #[serde(default, rename = "groupKey", borrow)]
    group_key: LaxRef<'a>,
    #[serde(default, rename = "commonAnnotations", borrow)]
    common_annotations: Pairs<'a>,
    #[serde(default, rename = "orgId", borrow)]
    org_id: LaxRef<'a>,
    #[serde(default, rename = "truncatedAlerts", borrow)]
    truncated: LaxRef<'a>,
}

/// One alert. Every field may be missing or of another type.
#[derive(Deserialize, Default)]
#[serde(default, expecting = "an alert")]
struct Alert<'a> {
    #[serde(alias = "state", borrow)]
    status: LaxRef<'a>,
    #[serde(borrow)]
    labels: Pairs<'a>,
    #[serde(borrow)]
    annotations: Pairs<'a>,
    #[serde(rename = "startsAt", alias = "activeAt", borrow)]
    starts_at: LaxRef<'a>,
    #[serde(rename = "endsAt", borrow)]
    ends_at: LaxRef<'a>,
    #[serde(rename = "generatorURL", borrow)]
    generator_url: LaxRef<'a>,
    #[serde(borrow)]
    fingerprint: LaxRef<'a>,
    #[serde(borrow)]
    name: LaxRef<'a>,
    #[serde(rename = "silenceURL", borrow)]
    silence_url: LaxRef<'a>,
    #[serde(rename = "dashboardURL", borrow)]
    dashboard_url: LaxRef<'a>,
    #[serde(rename = "panelURL", borrow)]
    panel_url: LaxRef<'a>,
    #[serde(rename = "imageURL", borrow)]
    image_url: LaxRef<'a>,
    #[serde(rename = "valueString", borrow)]
    value_string: LaxRef<'a>,
    #[serde(borrow)]
    values: LaxRef<'a>,
}

/// Names and values in the sender's order.
#[derive(Default)]
struct Pairs<'a>(Vec<(Cow<'a, str>, LaxRef<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Pairs<'a>, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Pairs<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of names and values")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'de>, A::Error> {
                let mut pairs = Vec::with_capacity(8);
                while let Some((Name(name), value)) = map.next_entry::<Name<'de>, LaxRef<'de>>()? {
                    pairs.push((name, value));
                }
                Ok(Pairs(pairs))
            }
            fn visit_unit<E: serde::de::Error>(self) -> Result<Pairs<'de>, E> {
                Ok(Pairs::default())
            }
        }
        d.deserialize_any(Visitor)
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl Pairs<'_> {
    fn get(&self, name: &str) -> Option<Text> {
        self.0
            .iter()
            .rev()
            .find(|(n, _)| n == name)
            .and_then(|(_, v)| v.text())
    }
    fn first(&self, names: &[&str]) -> Option<Text> {
        names.iter().find_map(|name| self.get(name))
    }
    /// What an alert without a name is called: by the labels that tell it from others.
    fn named(&self) -> Option<Text> {
        let telling = self.0.iter().filter(|(name, _)| name != "severity");
        let pairs: Vec<String> = telling
            .filter_map(|(name, value)| Some(format!("{name}={}", value.as_str()?)))
            .take(4)
            .collect();
        Some(pairs.join(", ").into()).filter(|name: &Text| !name.is_empty())
    }
}

/// What holds for all alerts of a body.
#[derive(Default)]
struct Group {
    source: &'static str,
    external_url: Option<Text>,
    title: Option<Text>,
    annotations: Vec<(Text, Text)>,
    /// All of them are over; what says of itself that it fires still does.
    over: bool,
}

fn detect(value: &Value) -> bool {
    let is_alert = |v: &Value| {
        v.get("labels").is_some_and(Value::is_object)
            && (["startsAt", "endsAt", "generatorURL", "annotations", "activeAt"]
                .iter()
                .any(|k| v.get(k).is_some())
                || v.get("fingerprint").is_some() && crate::fields::find(v, "labels.alertname").is_some())
            // Others have labels and a fingerprint, too, but say elsewhere what is wrong.
            && v.get("title").is_none()
            && (v.get("severity").is_none() || v.get("lastReceived").is_none())
    };
    if let Some(list) = crate::fields::find(value, "data.alerts") {
        return list
            .as_array()
            .is_some_and(|a| !a.is_empty() && a.iter().all(is_alert));
    }
    if is_of_rules(value) || is_of_groups(value) {
        return true;
    }
    match value {
        Value::Array(items) => !items.is_empty() && items.iter().all(is_alert),
        Value::Object(map) => match map.get("alerts") {
            Some(Value::Array(alerts)) => {
                alerts
                    .iter()
                    .any(|a| a.get("labels").is_some_and(Value::is_object))
                    && alerts.iter().all(|a| !a.is_object() || a.get("labels").is_some())
                    || alerts.is_empty() && (map.contains_key("groupLabels") || map.contains_key("receiver"))
            }
            Some(_) => false,
            None => is_alert(value) && value.get("alertname").is_none(),
        },
        _ => false,
    }
}

/// What Prometheus (and Thanos, Mimir, Loki) lists as its rules, with the alerts of each.
fn is_of_rules(value: &Value) -> bool {
    let groups = crate::fields::find(value, "data.groups").and_then(Value::as_array);
    groups.is_some_and(|groups| !groups.is_empty() && groups.iter().all(|g| g.get("rules").is_some()))
}

/// What Alertmanager lists as groups: alerts under a receiver.
fn is_of_groups(value: &Value) -> bool {
    value.as_array().is_some_and(|groups| {
        !groups.is_empty()
            && groups
                .iter()
                .all(|g| g.get("alerts").is_some_and(Value::is_array) && g.get("receiver").is_some())
    })
}

fn of_rules(value: &Value, sink: &mut Sink<'_>) {
    let list = |value: &'_ Value, name: &str| {
        value
            .get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let groups = crate::fields::find(value, "data.groups").and_then(Value::as_array);
    let before = sink.count();
    for rule in groups
        .into_iter()
        .flatten()
        .flat_map(|group| list(group, "rules"))
    {
        let alerts = list(&rule, "alerts");
        if !alerts.is_empty() {
            decode(&Value::Array(alerts), sink);
        }
    }
    if sink.count() == before {
        sink.other(
            crate::found::OtherKind::Notice,
            Draft {
                title: "no rule fires".into(),
                ..Draft::new("prometheus")
            },
        );
    }
}

fn decode(value: &Value, sink: &mut Sink<'_>) {
    if let Some(list) = crate::fields::find(value, "data.alerts") {
        return decode(list, sink);
    }
    if is_of_rules(value) {
        return of_rules(value, sink);
    }
    if is_of_groups(value) {
        for group in value.as_array().into_iter().flatten() {
            if let Some(alerts) = group.get("alerts") {
                decode(alerts, sink);
            }
        }
        return;
    }
    let result = match value {
        Value::Array(_) => Vec::<Alert<'_>>::deserialize(value).map(|alerts| api(alerts, sink)),
        _ if value.get("alerts").is_some() => Webhook::deserialize(value).map(|webhook| body(webhook, sink)),
        _ => Alert::deserialize(value).map(|alert| api(vec![alert], sink)),
    };
    if let Err(error) = result {
        match without_unreadable(value, sink) {
            Some(readable) => decode(&readable, sink),
            None => sink.unreadable("alerts", &error.to_string()),
        }
    }
}

/// A body without those of its alerts that cannot be read, each of which is refused by itself: one of them costs the
/// others nothing. `None` where that leaves none, or the fault is not in them.
fn without_unreadable(value: &Value, sink: &mut Sink<'_>) -> Option<Value> {
    let alerts = value.get("alerts")?.as_array()?;
    let read: Vec<_> = alerts.iter().map(Alert::deserialize).collect();
    if !read.iter().any(Result::is_ok) || !read.iter().any(Result::is_err) {
        return None;
    }
    let mut readable = Vec::new();
    for (i, (alert, read)) in alerts.iter().zip(&read).enumerate() {
        match read {
            Ok(_) => readable.push(alert.clone()),
            Err(error) => sink.unreadable(&format!("alerts.{i}"), &error.to_string()),
        }
    }
    let mut body = value.as_object()?.clone();
    body.insert("alerts".to_owned(), Value::Array(readable));
    Some(Value::Object(body))
}

/// Decodes a body in one pass when its beginning looks like ours; `false` when it is something else, or has errors.
pub(crate) fn fast(text: &str, sink: &mut Sink<'_>) -> bool {
    let head = &text.as_bytes()[..text.len().min(2_048)];
    let holds = |what: &str| memchr::memmem::find(head, what.as_bytes()).is_some();
    if text.starts_with('[') {
        // Groups hold a receiver and their alerts.
        if holds("\"alerts\"")
            || !holds("\"labels\"")
            || !(holds("\"startsAt\"") || holds("\"generatorURL\""))
        {
            return false;
        }
        let Ok(alerts) = serde_json::from_str::<Vec<Alert<'_>>>(text) else {
            return false;
        };
        if alerts.is_empty() || alerts.iter().any(|a| a.labels.0.is_empty()) {
            return false;
        }
        api(alerts, sink);
        return true;
    }
    if !holds("\"alerts\"") || !holds("\"labels\"") {
        return false;
    }
    match serde_json::from_str::<Webhook<'_>>(text) {
        Ok(webhook)
            if !webhook.alerts.is_empty() && webhook.alerts.iter().all(|a| !a.labels.0.is_empty()) =>
        {
            body(webhook, sink);
            true
        }
        _ => false,
    }
}

fn body(webhook: Webhook<'_>, sink: &mut Sink<'_>) {
    let grafana = webhook.org_id != LaxRef::Nothing || webhook.alerts.iter().any(Alert::is_grafana);
    let mut group = Group {
        source: if grafana { "grafana" } else { "alertmanager" },
        external_url: webhook
            .external_url
            .text()
            .filter(|url| crate::draft::is_web_address(url)),
        title: webhook.group_key.text().map(|key| said_once(&key)),
        annotations: Vec::new(),
        over: webhook.status.text().as_deref() == Some("resolved"),
    };
    for (name, value) in webhook.common_annotations.0 {
        if let Some(value) = value.text() {
            group.annotations.push((name.as_ref().into(), said_once(&value)));
        }
    }
    if webhook.alerts.is_empty() {
        sink.other(
            crate::found::OtherKind::Notice,
            Draft {
                title: "no alerts".into(),
                ..Draft::new(group.source)
            },
        );
        return;
    }
    let truncated = webhook.truncated.text().filter(|n| n != "0");
    for alert in webhook.alerts {
        one(alert, &group, truncated.as_ref(), sink);
    }
}

/// A text that is copied for each alert; no field of an alert holds more of it.
fn said_once(text: &str) -> Text {
    crate::bounds::prefix(text, 2 * crate::draft::TEXT_BYTES_MAX).into()
}

fn api(alerts: Vec<Alert<'_>>, sink: &mut Sink<'_>) {
    let group = Group {
        source: "prometheus",
        ..Group::default()
    };
    for alert in alerts {
        one(alert, &group, None, sink);
    }
}

fn one(alert: Alert<'_>, group: &Group, truncated: Option<&Text>, sink: &mut Sink<'_>) {
    let mut draft = Draft::new(group.source);
    draft.scraped = true;
    draft.labels = Labels::with_capacity((alert.labels.0.len() + alert.annotations.0.len()).min(64));
    draft.starts_at = time(&mut draft, "startsAt", alert.starts_at.as_str());
    draft.ends_at = time(&mut draft, "endsAt", alert.ends_at.as_str());
    let nested = match &alert.status {
        LaxRef::Nested(status) => crate::fields::text_at(status, "state"),
        _ => None,
    };
    let word = alert.status.as_str().or(nested.as_deref());
    let word = word.or(group.over.then_some("resolved"));
    status(&mut draft, word, sink.context.received_at);

    let note = |names: &[&str]| {
        alert.annotations.first(names).or_else(|| {
            names
                .iter()
                .find_map(|n| group.annotations.iter().find(|(name, _)| name == n))
                .map(|(_, v)| v.clone())
        })
    };
    let summary = note(&["summary", "title", "__summary__"]);
    let description = note(&["description", "message", "msg", "info", "text"]);
    let title = alert.labels.first(&[
        "alertname", "alert_name", "rulename", "__alert_rule_name__", "alert",
    ]);
    // Some name the rule beside the labels.
    draft.title = title
        .or_else(|| alert.name.text())
        .or_else(|| summary.clone())
        .or_else(|| description.clone())
        .or_else(|| alert.labels.named())
        .or_else(|| group.title.clone())
        .unwrap_or_default();
    draft.text = match (summary, description) {
        (Some(a), Some(b)) if a != b => compact_str::format_compact!("{a}\n{b}"),
        (a, b) => b.or(a).unwrap_or_default(),
    };
    draft.runbook = note(&["runbook_url", "runbook", "runbookUrl", "__runbook_url__"]);
    draft.severity_word(
        alert
            .labels
            .first(&["severity", "level", "priority"])
            .or_else(|| note(&["severity", "priority"])),
    );
    let fingerprint = alert.fingerprint.text();

    for (name, value) in alert.labels.0 {
        match value {
            LaxRef::Scalar(value) => draft.label(&name, &*value),
            LaxRef::Nothing => {}
            LaxRef::Nested(value) => labels_from(&value, &name, &mut draft),
        }
    }
    if names::labels_identify(&draft.labels) {
        let mut key = Text::with_capacity("prometheus:".len() + 16);
        key.push_str("prometheus:");
        match fingerprint {
            Some(fingerprint) => key.push_str(&fingerprint),
            None => key.push_str(&compact_str::format_compact!(
                "{:016x}",
                fingerprint_of(&draft.labels)
            )),
        }
        draft.key = Some(key);
        draft.key_is_whole = true;
    } else if let Some(fingerprint) = fingerprint {
        draft.label("annotation.fingerprint", fingerprint);
    }
    for (name, value) in alert.annotations.0 {
        annotation(&mut draft, &name, &value);
    }
    if let LaxRef::Nested(values) = alert.values {
        labels_from(&values, "annotation.values", &mut draft);
    }
    if let Some(text) = alert.value_string.text() {
        draft.label("annotation.valueString", text);
    }
    if let Some(count) = truncated {
        draft.label("annotation.truncatedAlerts", count.clone());
    }
    draft.link(alert.generator_url.text(), "source");
    draft.link(alert.dashboard_url.text(), "dashboard");
    draft.link(alert.panel_url.text(), "panel");
    draft.link(alert.silence_url.text(), "silence");
    draft.link(alert.image_url.text(), "image");
    draft.link(group.external_url.clone(), group.source);
    // A rule that always fires says that the whole chain lives.
    if matches!(
        draft.title.as_str(),
        "Watchdog" | "DeadMansSwitch" | "DeadMansSnitch" | "DeadManSwitch"
    ) {
        draft.kind = EventKind::Heartbeat;
        draft.status = Some(Status::Info);
    }
    sink.event(draft);
}

impl Alert<'_> {
    fn is_grafana(&self) -> bool {
        self.dashboard_url != LaxRef::Nothing
            || self.silence_url != LaxRef::Nothing
            || self.value_string != LaxRef::Nothing
    }
}

/// Annotations that no field took; links become links.
fn annotation(draft: &mut Draft, name: &str, value: &LaxRef<'_>) {
    const TAKEN: [&str; 9] = [
        "summary", "title", "description", "message", "runbook_url", "runbook", "runbookUrl", "__summary__",
        "__runbook_url__",
    ];
    if TAKEN.contains(&name) {
        return;
    }
    if let Some(value) = value.as_str() {
        if crate::draft::is_web_address(value) {
            draft.link(Some(value.into()), name);
        }
        let mut full = Text::const_new("annotation.");
        full.push_str(name);
        draft.label(&full, value);
    }
}

/// The status field decides; without one, an end that has passed does.
fn status(draft: &mut Draft, word: Option<&str>, received_at: Option<Time>) {
    match word {
        // The API's word for an alert that a silence or an inhibition keeps from being sent; it still fires.
        Some("suppressed" | "active" | "unprocessed") => {
            draft.status = Some(Status::Firing);
            if word == Some("suppressed") {
                draft.label("annotation.state", "suppressed");
            }
        }
        Some(word) => draft.state(state::word(word)),
        None => {
            let over = draft
                .ends_at
                .zip(received_at)
                .is_some_and(|(end, now)| end <= now);
            draft.status = Some(if over { Status::Resolved } else { Status::Firing });
        }
    }
}

/// A time; one that is impossible is kept as a label and the event is flagged.
fn time(draft: &mut Draft, name: &str, text: Option<&str>) -> Option<Time> {
    let text = text?;
    let time = when::any(text, None);
    if time.is_none() && !when::is_never(text) {
        draft.skewed = true;
        draft.label(&format!("annotation.{name}"), text);
    }
    time
}

/// Prometheus' own identity of a label set: FNV-1a over sorted names and values with 0xff between.
///
/// <https://github.com/prometheus/common/blob/main/model/signature.go>. Posted alerts carry no fingerprint; this is the
/// one that Alertmanager would give them, so both ways in meet in one alert.
fn fingerprint_of(labels: &Labels) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    for (name, value) in labels.iter() {
        name.bytes().for_each(&mut add);
        add(0xff);
        value.bytes().for_each(&mut add);
        add(0xff);
    }
    hash
}
