//! Nagios, Icinga 2 and Checkmk: notification macros as JSON in any spelling, and Icinga 2's event streams.
//!
//! <https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/macrolist.html>,
//! <https://icinga.com/docs/icinga-2/latest/doc/12-icinga2-api/#event-streams>,
//! <https://docs.checkmk.com/latest/en/notifications.html#environment_variables>. Host and service description are the
//! identity; the state's word is the severity.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "nagios",
    forms: "notification macros of Nagios, Icinga and Checkmk; Icinga 2 event streams",
    reference: "https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/macrolist.html",
    detect,
    decode,
};

fn detect(value: &Value) -> bool {
    if !value.is_object() {
        return false;
    }
    if is_stream(value) {
        return true;
    }
    // Nearly all that come by are told by their names, without a copy of what they hold.
    let names = Names::of(value, spelling);
    if !names.any(&["host", "hostname", "hostalias", "hostdisplayname"]) {
        return false;
    }
    let v = &rekeyed(value, spelling);
    let any = |keys: &[&str]| keys.iter().any(|k| v.get(k).is_some());
    // `{type: RECOVERY, host, service, state}`, and states of hosts and services as objects.
    if v.get("type").and_then(Value::as_str).is_some_and(is_notification)
        && any(&["host", "hostname"])
        && any(&["state", "output", "service"])
    {
        return true;
    }
    if v.get("host").is_some_and(is_named) && any(&["service", "notification", "notificationtype"]) {
        return find(v, "host.state").is_some() || find(v, "service.state").is_some();
    }
    if has(v, &["host", "state", "output", "checkcommand"]) {
        return true;
    }
    any(&["notificationtype", "hoststate", "servicestate", "what"])
        && any(&["hostname", "hostalias", "hostdisplayname", "host"])
        && any(&[
            "servicestate", "hoststate", "servicedesc", "serviceoutput", "hostoutput", "hostaddress",
            "servicename", "state", "checkcommand",
        ])
}

/// A record of Icinga 2's event streams.
fn is_stream(value: &Value) -> bool {
    const KINDS: [&str; 14] = [
        "CheckResult", "StateChange", "Notification", "AcknowledgementSet", "AcknowledgementCleared",
        "CommentAdded", "CommentRemoved", "DowntimeAdded", "DowntimeRemoved", "DowntimeStarted",
        "DowntimeTriggered", "ObjectCreated", "ObjectModified", "Flapping",
    ];
    has(value, &["type", "host", "check_result"])
        || has(value, &["type", "host", "notification_type"])
        || value
            .get("type")
            .and_then(Value::as_str)
            .is_some_and(|kind| KINDS.contains(&kind))
            && ["host", "comment", "downtime", "object_name"]
                .iter()
                .any(|k| value.get(k).is_some())
}

fn is_notification(word: &str) -> bool {
    let word = word.to_ascii_uppercase();
    matches!(
        word.as_str(),
        "PROBLEM" | "RECOVERY" | "ACKNOWLEDGEMENT" | "CUSTOM"
    ) || word.starts_with("FLAPPING")
        || word.starts_with("DOWNTIME")
}

fn is_named(value: &Value) -> bool {
    value.get("name").is_some() || value.get("display_name").is_some()
}

fn decode(value: &Value, sink: &mut Sink<'_>) {
    if is_stream(value) {
        return icinga(value, sink);
    }
    let checkmk = value.as_object().is_some_and(|m| {
        m.contains_key("check_command")
            || m.keys()
                .any(|k| k.starts_with("NOTIFY_") || k.to_ascii_lowercase().contains("omd"))
    });
    let icinga = value
        .as_object()
        .is_some_and(|m| m.keys().any(|k| k.to_ascii_lowercase().contains("icinga")));
    let v = &rekeyed(value, spelling);
    let f = sink.fields(v);
    let mut d = Draft::new(if checkmk {
        "checkmk"
    } else if icinga {
        "icinga2"
    } else {
        "nagios"
    });
    let kind = f.first(&["notificationtype", "notification.type", "type"]);
    let host = f.first(&[
        "hostname", "host.name", "host", "hostdisplayname", "hostalias", "host.display_name",
    ]);
    let check = f.first(&[
        "servicedesc", "servicedescription", "servicename", "service.name", "servicedisplayname", "service",
        "checkname",
    ]);
    let word = match &check {
        Some(_) => f.first(&[
            "servicestate", "service.state", "serviceshortstate", "state", "status",
        ]),
        None => f.first(&["hoststate", "host.state", "hostshortstate", "state", "status"]),
    };
    let word = word.map(|word| named(&word, check.is_some()).map_or(word, Text::const_new));
    let output = v.get("output").or_else(|| v.get("serviceoutput")).is_some();
    d.title = match &check {
        // A script that sends the output and a line besides has put its title there.
        _ if output && f.peek("summary").is_some() => f.text("summary").unwrap_or_default(),
        Some(check) => check.clone(),
        None => compact_str::format_compact!("Host {}", host.as_deref().unwrap_or_default()),
    };
    d.text = lines([
        f.first(if check.is_some() {
            &[
                "serviceoutput", "service.output", "service.check_output", "output", "message", "summary",
            ]
        } else {
            &[
                "hostoutput", "host.output", "host.check_output", "output", "message", "summary",
            ]
        }),
        f.first(if check.is_some() {
            &["longserviceoutput", "longoutput"]
        } else {
            &["longhostoutput", "longoutput"]
        }),
    ]);
    d.key = Some(join(&[
        host.as_deref().unwrap_or_default(),
        check.as_deref().unwrap_or_default(),
    ]));
    state_of(&mut d, kind.as_deref(), word.as_deref());
    severity(&mut d, word);
    d.ts = f.time(&[
        "timet", "microtime", "timestamp", "longdatetime", "shortdatetime", "datetime", "date", "time",
    ]);
    d.starts_at = f.time(&["lastservicestatechange", "lasthoststatechange", "laststatechange"]);
    d.entity("check", check);
    d.host = host;
    d.link(
        f.first(&[
            "serviceactionurl", "hostactionurl", "serviceurl", "hosturl", "url",
        ]),
        "check",
    );
    d.runbook = f.first(&["servicenotesurl", "hostnotesurl", "notesurl"]);
    let other = other_of(kind.as_deref());
    if let Some(kind) = kind {
        d.label("notification_type", kind);
    }
    sink.rest(&f, d, other);
}

/// An event stream's record.
fn icinga(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("icinga2", &EMPTY, value);
    let kind = f.text("type").unwrap_or_default();
    let at = |name: &str| {
        [
            name.to_owned(),
            format!("comment.{name}"),
            format!("downtime.{name}"),
        ]
    };
    let [host, check] = ["host", "service"].map(|name| at(name).iter().find_map(|path| f.text(path)));
    let (host, check) = (
        host.or_else(|| at("host_name").iter().find_map(|path| f.text(path))),
        check.or_else(|| at("service_name").iter().find_map(|path| f.text(path))),
    );
    d.title = check
        .clone()
        .unwrap_or_else(|| compact_str::format_compact!("Host {}", host.as_deref().unwrap_or_default()));
    d.key = Some(join(&[
        host.as_deref().unwrap_or_default(),
        check.as_deref().unwrap_or_default(),
    ]));
    d.text = f
        .first(&[
            "check_result.output", "text", "comment", "comment.text", "downtime.comment",
        ])
        .unwrap_or_default();
    d.ts = f.time(&["timestamp", "check_result.execution_end"]);
    let number = f.first(&["state", "check_result.state"]);
    let word = number
        .as_deref()
        .and_then(|number| named(number, check.is_some()));
    let notification = f.text("notification_type");
    state_of(&mut d, notification.as_deref(), word);
    severity(&mut d, word.map(Text::from));
    d.entity("check", check);
    d.host = host;
    let other = match kind.as_str() {
        "AcknowledgementSet" => {
            d.state(Some(State::Acked));
            None
        }
        "DowntimeAdded" | "DowntimeStarted" | "DowntimeRemoved" | "DowntimeTriggered" => {
            Some(OtherKind::Maintenance)
        }
        "CommentAdded" | "CommentRemoved" | "Flapping" | "ObjectCreated" | "ObjectModified"
        | "ObjectDeleted" => Some(OtherKind::Notice),
        _ => other_of(notification.as_deref()),
    };
    sink.rest(&f, d, other);
}

/// The word for the number of a state, of a service or else of a host.
fn named(number: &str, of_service: bool) -> Option<&'static str> {
    let whole = number.split('.').next().and_then(|n| n.parse::<u32>().ok())?;
    Some(match (whole, of_service) {
        (0, true) => "OK",
        (1, true) => "WARNING",
        (2, true) => "CRITICAL",
        (_, true) => "UNKNOWN",
        (0, false) => "UP",
        (_, false) => "DOWN",
    })
}

fn state_of(d: &mut Draft, kind: Option<&str>, word: Option<&str>) {
    let kind = kind.map(str::to_ascii_uppercase);
    d.state(match kind.as_deref() {
        Some("RECOVERY" | "OK" | "UP") => Some(State::Resolved),
        Some("ACKNOWLEDGEMENT") => Some(State::Acked),
        _ => match word.map(str::to_ascii_uppercase).as_deref() {
            Some("UNKNOWN" | "UNREACHABLE" | "UNREACH" | "PENDING") => Some(State::Firing),
            Some(word) => state::word(word),
            None => Some(State::Firing),
        },
    });
}

fn severity(d: &mut Draft, word: Option<Text>) {
    let level = match word.as_deref().map(str::to_ascii_uppercase).as_deref() {
        Some("DOWN" | "CRIT" | "CRITICAL") => Some(Severity::Critical),
        Some("UNREACHABLE" | "UNREACH") => Some(Severity::Error),
        Some("OK" | "UP") => Some(Severity::Info),
        Some("UNKNOWN" | "PENDING") => Some(Severity::Unknown),
        _ => None,
    };
    d.severity_as(word, level);
}

/// Notifications that tell of no condition.
fn other_of(kind: Option<&str>) -> Option<OtherKind> {
    let kind = kind?.to_ascii_uppercase();
    if kind.starts_with("DOWNTIME") {
        Some(OtherKind::Maintenance)
    } else if kind.starts_with("FLAPPING") || kind == "CUSTOM" {
        Some(OtherKind::Notice)
    } else {
        None
    }
}

/// Keys without case, separators and the prefixes of the three families.
fn spelling(key: &str) -> String {
    let plain = plain(key);
    let families = ["notify", "nagios", "icinga"];
    let rest = families.iter().find_map(|family| plain.strip_prefix(family));
    rest.filter(|rest| !rest.is_empty()).unwrap_or(&plain).to_owned()
}
