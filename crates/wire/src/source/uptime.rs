//! Smaller uptime monitors: Better Stack, UptimeRobot, StatusCake, OpenStatus, updown.io, Oh Dear.
//!
//! <https://betterstack.com/docs/uptime/webhooks/>, <https://uptimerobot.com/help/web-hook-alert-contacts/>,
//! <https://docs.openstatus.dev/alerting/providers/webhook>.

use super::prelude::*;

pub(crate) const BETTERSTACK: Source = Source {
    name: "betterstack",
    forms: "incident webhook",
    reference: "https://betterstack.com/docs/uptime/webhooks/",
    detect: |v| {
        find(v, "data.attributes.cause").is_some()
            || find(v, "data.type").and_then(Value::as_str) == Some("incident")
                && find(v, "data.attributes").is_some()
    },
    decode: betterstack,
};

pub(crate) const ROBOT: Source = Source {
    name: "uptimerobot",
    forms: "UptimeRobot, StatusCake and OpenStatus webhooks",
    reference: "https://uptimerobot.com/help/web-hook-alert-contacts/",
    detect: |v| {
        let names = Names::of(v, str::to_lowercase);
        names.any(&["monitorfriendlyname"])
            || names.all(&["monitorid", "alerttype"])
            || names.all(&["crontimestamp", "monitor"])
            || names.all(&["statuscode", "url", "status", "name"])
    },
    decode: robot,
};

pub(crate) const OHDEAR: Source = Source {
    name: "ohdear",
    forms: "notifications of checks",
    reference: "https://ohdear.app/docs/integrations/webhooks/introduction",
    detect: |v| {
        let kind = v.get("type").and_then(Value::as_str);
        kind.is_some_and(|kind| kind.ends_with("Notification"))
            && (v.get("site").is_some_and(Value::is_object) || v.get("monitor").is_some_and(Value::is_object))
    },
    decode: ohdear,
};

pub(crate) const UPDOWN: Source = Source {
    name: "updown",
    forms: "check webhooks, one or an array",
    reference: "https://updown.io/api#webhooks",
    detect: |v| all_are(v, is_updown),
    decode: |v, sink| each(v).iter().for_each(|v| updown(v, sink)),
};

fn is_updown(v: &Value) -> bool {
    find(v, "check.token").is_some()
        && v.get("event")
            .and_then(Value::as_str)
            .is_some_and(|e| e.starts_with("check."))
}

const SITE: Shape = Shape {
    title: &["type"],
    text: &[
        "run.result_payload.message",
        "run.result_payload.errorMessage",
        "run.summary",
    ],
    ts: &["dateTime", "run.ended_at", "run.started_at"],
    service: &["site.label", "monitor.label", "site.url", "monitor.url"],
    links: &[("site.url", "site"), ("monitor.url", "site")],
    ..EMPTY
};

const UPDOWN_CHECK: Shape = Shape {
    title: &["check.alias", "check.url"],
    text: &["downtime.error", "check.error", "description"],
    key: &["check.token"],
    ts: &["time"],
    starts_at: &["downtime.started_at", "check.down_since"],
    ends_at: &["downtime.ended_at"],
    service: &["check.alias"],
    links: &[("check.url", "target")],
    ..EMPTY
};

const INCIDENT: Shape = Shape {
    title: &[
        "data.attributes.name",
        "data.attributes.monitor_name",
        "data.attributes.cause",
    ],
    text: &["data.attributes.cause", "data.attributes.response_content"],
    key: &["data.id"],
    starts_at: &["data.attributes.started_at"],
    ends_at: &["data.attributes.resolved_at"],
    service: &["data.attributes.name"],
    links: &[
        ("data.attributes.origin_url", "origin"),
        ("data.attributes.url", "target"),
        ("data.attributes.screenshot_url", "screenshot"),
    ],
    ..EMPTY
};

const MONITOR: Shape = Shape {
    title: &["monitorfriendlyname", "name", "monitor.name"],
    text: &["alertdetails", "message", "errormessage"],
    key: &["monitorid"],
    ts: &["alertdatetime", "crontimestamp", "timestamp"],
    service: &["monitorfriendlyname", "name", "monitor.name"],
    host: &["ip"],
    links: &[
        ("monitorurl", "target"),
        ("url", "target"),
        ("monitor.url", "target"),
    ],
    ..EMPTY
};

fn betterstack(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("betterstack", &INCIDENT, value);
    let acked = f
        .peek("data.attributes.acknowledged_at")
        .is_some_and(|v| !v.is_null());
    d.over_or_taken(d.ends_at.is_some(), acked);
    // When it came to stand as it does.
    d.ts = d.ts.or(d.ends_at);
    d.ts = d.ts.or_else(|| f.time(&["data.attributes.acknowledged_at"]));
    d.service = d.service.take().or_else(|| Some(d.title.clone()));
    d.severity = Some(Severity::Error);
    sink.rest(&f, d, None);
}

fn updown(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("updown", &UPDOWN_CHECK, value);
    let event = f.text("event").unwrap_or_default();
    d.service = d.service.take().or_else(|| Some(d.title.clone()));
    // A certificate or a performance drop is another matter than the site being down.
    let about = event.split('.').nth(1).unwrap_or_default();
    let about = about.split('_').next().unwrap_or_default();
    if !matches!(about, "down" | "up" | "still") {
        d.key = d.key.take().map(|key| join(&[&key, about]));
    }
    let over = matches!(
        event.as_str(),
        "check.up" | "check.ssl_valid" | "check.ssl_renewed"
    );
    d.over(over);
    d.severity = Some(if over { Severity::Info } else { Severity::Error });
    d.ts = d.ts.or(if over { d.ends_at } else { d.starts_at });
    d.label("event", event);
    sink.rest(&f, d, None);
}

/// The site and the kind of check are the identity; what a notification is called ends in what happened to the check.
fn ohdear(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("ohdear", &SITE, value);
    let site = f.first(&["site.id", "monitor.id", "site.url", "monitor.url"]);
    let check = d.title.split("Check").next().unwrap_or_default();
    d.key = Some(join(&[&site.unwrap_or_default(), check]));
    let over = state::within(&d.title) == Some(State::Resolved);
    d.over(over);
    let warns = d.title.contains("Warning") || d.title.contains("ExpiresSoon");
    d.severity = Some(match (over, warns) {
        (true, _) => Severity::Info,
        (false, true) => Severity::Warning,
        (false, false) => Severity::Error,
    });
    sink.rest(&f, d, None);
}

fn robot(value: &Value, sink: &mut Sink<'_>) {
    let v = &lowered(value);
    let f = sink.fields(v);
    let name = if has(v, &["monitorid", "alerttype"]) || has(v, &["monitorfriendlyname"]) {
        "uptimerobot"
    } else if v.get("monitor").is_some() {
        "openstatus"
    } else {
        "statuscake"
    };
    let mut d = MONITOR.read(name, &f);
    d.service = Some(d.title.clone());
    d.key = d
        .key
        .take()
        .or_else(|| f.first(&["monitor.id", "checkid", "testid"]))
        .or_else(|| Some(d.title.clone()));
    // UptimeRobot: 1 down, 2 up, 3 certificate.
    let word = f.first(&["alerttypefriendlyname", "alerttype", "status"]);
    d.state(match word.as_deref() {
        Some("1" | "3") => Some(State::Firing),
        Some("2") => Some(State::Resolved),
        Some(other) => state::word(other),
        None => None,
    });
    d.severity = Some(if d.status == Some(Status::Resolved) {
        Severity::Info
    } else {
        Severity::Error
    });
    d.severity_original = word;
    sink.rest(&f, d, None);
}
