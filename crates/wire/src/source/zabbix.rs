//! Zabbix: webhook media types with the usual macro names, and real-time export of events.
//!
//! <https://www.zabbix.com/documentation/current/en/manual/config/notifications/media/webhook>,
//! <https://www.zabbix.com/documentation/current/en/manual/appendix/protocols/real_time_export>. The trigger (and host)
//! is the identity where it is sent; else the problem's event id, which its recovery repeats.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "zabbix",
    forms: "webhook media types, real-time export",
    reference: "https://www.zabbix.com/documentation/current/en/manual/config/notifications/media/webhook",
    detect,
    decode,
};

const WORDS: [&str; 6] = [
    "Not classified", "Information", "Warning", "Average", "High", "Disaster",
];

fn detect(value: &Value) -> bool {
    if is_export(value) || is_problem(value) || is_trigger(value) {
        return true;
    }
    if !value.is_object() {
        return false;
    }
    let names = Names::of(value, plain);
    let any = |keys: &[&str]| names.any(keys);
    // Monitors have triggers elsewhere; here hosts have them.
    let elsewhere = any(&["monitorid", "monitorname"]);
    !elsewhere
        && any(&["eventid", "triggerid", "eventname", "triggername"])
        && any(&[
            "triggerid", "trigger", "eventnseverity", "eventvalue", "triggerstatus", "triggerseverity",
            "eventseverity", "eventtags", "eventrecoverydate", "eventupdatestatus", "triggervalue",
            "zabbixurl", "itemid", "triggerurl",
        ])
        && any(&[
            "host", "hostname", "hostip", "eventname", "triggername", "name", "hosts", "subject",
            "alertsubject", "hosthost",
        ])
}

fn is_export(value: &Value) -> bool {
    has(value, &["clock", "value", "eventid"])
}

/// What `problem.get` and `event.get` of the API give.
fn is_problem(value: &Value) -> bool {
    has(value, &["eventid", "objectid", "clock", "name"])
}

/// What `trigger.get` gives.
fn is_trigger(value: &Value) -> bool {
    has(value, &["triggerid", "description", "lastchange"])
}

fn decode(value: &Value, sink: &mut Sink<'_>) {
    // `{EVENT.ID}`, `event_id` and `eventId` are one.
    let v = &rekeyed(value, plain);
    let (f, mut d) = sink.read("zabbix", &EMPTY, v);
    if is_export(value) || is_problem(value) || is_trigger(value) {
        return export(&f, d, sink);
    }
    d.title = f
        .first(&[
            "eventname", "triggername", "trigger", "name", "subject", "alertsubject", "title",
        ])
        .unwrap_or_default();
    d.text = f
        .first(&[
            "eventopdata", "alertmessage", "message", "triggerdescription", "description", "text", "body",
        ])
        .unwrap_or_default();
    let value = f.first(&["eventvalue", "triggervalue", "value"]);
    let word = f.first(&["eventstatus", "triggerstatus", "status", "state"]);
    let acked = f
        .glance("eventackstatus")
        .or_else(|| f.glance("acked"))
        .is_some_and(|a| matches!(a.as_str(), "Yes" | "1"));
    let known = match (value.as_deref(), word.as_deref().map(str::trim)) {
        (Some("0"), _) => Some(State::Resolved),
        (Some("1"), _) => Some(State::Firing),
        (_, Some(word)) => state::word(word),
        _ => None,
    };
    d.state(if known == Some(State::Firing) && acked {
        Some(State::Acked)
    } else {
        known
    });
    let number = f.first(&["eventnseverity", "triggernseverity"]);
    let name = f.first(&["eventseverity", "triggerseverity", "severity", "priority"]);
    severity(&mut d, name.or(number));
    let host = f.first(&["hostname", "hosthost", "host", "hostdns"]);
    d.key = match f.text("triggerid") {
        Some(trigger) => Some(trigger),
        None => f.first(&["eventid", "problemid", "id"]),
    };
    d.host = host.or_else(|| f.first(&["hostip", "hostconn", "hosts.0.name", "hosts.0.host"]));
    d.starts_at = date(&f, "eventdate", "eventtime").or_else(|| date(&f, "date", "time"));
    let over = d.status == Some(Status::Resolved);
    d.ends_at = date(&f, "eventrecoverydate", "eventrecoverytime").filter(|_| over);
    d.ts = d
        .ends_at
        .or_else(|| f.time(&["eventtimestamp", "timestamp", "clock", "datetime", "lastreceived"]));
    d.link(
        f.first(&["triggerurl", "eventurl", "url", "link", "zabbixurl"]),
        "zabbix",
    );
    for name in ["eventtagsjson", "eventtags", "triggertags", "tags"] {
        if let Some(t) = f.take(name) {
            match t.as_str().and_then(|t| serde_json::from_str::<Value>(t).ok()) {
                Some(parsed) => tags(&parsed, &mut d),
                None => tags(t, &mut d),
            }
        }
    }
    f.rest_into(&mut d);
    if d.title.is_empty() {
        return sink.unreadable("event_name", "a Zabbix notification without a name");
    }
    sink.event(d);
}

fn export(f: &Fields<'_>, mut d: Draft, sink: &mut Sink<'_>) {
    // A problem that is over names the event that ended it.
    let over = f.glance("reventid").is_some_and(|id| id != "0");
    let resolved = f.text("value").as_deref() == Some("0") || over;
    let acked = f.glance("acknowledged").as_deref() == Some("1");
    d.over_or_taken(resolved, acked);
    d.key = f.first(&["peventid", "eventid", "triggerid"]);
    d.title = f
        .first(&["name", "description"])
        .unwrap_or_else(|| Text::const_new("problem"));
    severity(&mut d, f.first(&["severity", "priority"]));
    d.host = f.first(&["hosts.0.host", "hosts.0.name"]);
    let ns = f.text("ns").and_then(|n| n.parse::<i64>().ok()).unwrap_or(0);
    d.ts = f
        .time(&["clock", "lastchange"])
        .map(|t| t + model::Span::from_nanos(ns.clamp(0, 999_999_999)));
    if let Some(t) = f.take("tags") {
        tags(t, &mut d);
    }
    sink.rest(f, d, None);
}

fn severity(d: &mut Draft, word: Option<Text>) {
    let number = word.as_deref().and_then(|w| w.parse::<usize>().ok());
    let word = number
        .and_then(|n| WORDS.get(n))
        .map(|w| Text::const_new(w))
        .or(word);
    let level = match word.as_deref() {
        Some("Not classified") => Some(Severity::Unknown),
        Some("Average") => Some(Severity::Warning),
        Some("High") => Some(Severity::Error),
        Some("Disaster") => Some(Severity::Critical),
        _ => None,
    };
    d.severity_as(word, level);
}

fn date(f: &Fields<'_>, date: &str, time: &str) -> Option<Time> {
    let both = compact_str::format_compact!("{} {}", f.text(date)?, f.text(time)?);
    when::any(&both, None)
}
