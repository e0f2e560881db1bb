//! Plain JSON by best guess, when no source knows the shape: the names that senders commonly choose, at the top or in
//! the usual wrappers. It needs words to say and one more sign of an alert; otherwise the body is refused.

use super::{
    guess::{Guess, name_of},
    prelude::*,
};
use crate::level;

/// Names in the order in which they are believed. Compared without case and separators.
const TITLE: [&str; 37] = [
    "title",
    "alertname",
    "alerttitle",
    "rulename",
    "monitorname",
    "checkname",
    "problemtitle",
    "problemname",
    "conditionname",
    "subject",
    "alarmname",
    "eventname",
    "headline",
    "alert",
    "trigger",
    "name",
    "summary",
    "shortdescription",
    "shortmessage",
    "check",
    "sensor",
    "rule",
    "alarm",
    "problem",
    "event",
    "message",
    "msg",
    "description",
    "text",
    "reason",
    "error",
    "output",
    "logmessage",
    "policyname",
    "metricname",
    "metric",
    "alerttype",
];
const TEXT: [&str; 22] = [
    "text",
    "message",
    "description",
    "details",
    "body",
    "msg",
    "longdescription",
    "summary",
    "detail",
    "content",
    "output",
    "info",
    "reason",
    "comment",
    "errormessage",
    "errordescription",
    "error",
    "note",
    "fullmessage",
    "additionalinfo",
    "lastmessage",
    "shortmessage",
];
const STATE: [&str; 17] = [
    "status",
    "state",
    "alertstate",
    "currentstate",
    "currentstatus",
    "newstate",
    "newstatus",
    "statename",
    "action",
    "transition",
    "eventtype",
    "triggertype",
    "event",
    "alertevent",
    "notificationtype",
    "statustext",
    "overallstate",
];
/// Names whose value is a state only if it is one of the usual words.
const STATE_IF_KNOWN: [&str; 6] = ["type", "alerttype", "condition", "phase", "result", "alert"];
const SEVERITY: [&str; 14] = [
    "severity",
    "severitylevel",
    "severityname",
    "priority",
    "level",
    "criticality",
    "urgency",
    "loglevel",
    "importance",
    "impact",
    "sev",
    "prio",
    "alertlevel",
    "class",
];
const KEY: [&str; 27] = [
    "dedupkey",
    "deduplicationkey",
    "dedupekey",
    "fingerprint",
    "alias",
    "alertkey",
    "incidentkey",
    "correlationkey",
    "correlationid",
    "eventkey",
    "alertid",
    "incidentid",
    "problemid",
    "issueid",
    "alarmid",
    "monitorid",
    "checkid",
    "sensorid",
    "ruleid",
    "identifier",
    "externalid",
    "uniqueid",
    "key",
    "uid",
    "uuid",
    "id",
    "number",
];
const TS: [&str; 31] = [
    "timestamp",
    "ts",
    "time",
    "@timestamp",
    "datetime",
    "date",
    "occurredat",
    "eventtime",
    "eventdate",
    "triggertime",
    "triggeredat",
    "firedat",
    "detectedat",
    "lastoccurrence",
    "lasteventtime",
    "lastseen",
    "updatedat",
    "updatedon",
    "lastupdated",
    "createdat",
    "createdon",
    "created",
    "raisedat",
    "issued",
    "when",
    "timestampms",
    "epoch",
    "publishedat",
    "receivedat",
    "creationdate",
    "lastreceived",
];
const STARTS: [&str; 12] = [
    "startedat",
    "startsat",
    "starttime",
    "startdate",
    "start",
    "openedat",
    "firstseen",
    "firstoccurrence",
    "firsteventtime",
    "activeat",
    "begin",
    "since",
];
const ENDS: [&str; 10] = [
    "resolvedat",
    "closedat",
    "endedat",
    "recoveredat",
    "clearedat",
    "endsat",
    "endtime",
    "enddate",
    "resolvedon",
    "resolutiontime",
];
const SERVICE: [&str; 17] = [
    "service",
    "servicename",
    "application",
    "applicationname",
    "app",
    "appname",
    "component",
    "project",
    "projectname",
    "system",
    "product",
    "subsystem",
    "module",
    "workload",
    "function",
    "repository",
    "job",
];
const HOST: [&str; 23] = [
    "host",
    "hostname",
    "node",
    "nodename",
    "nodelabel",
    "server",
    "servername",
    "instance",
    "device",
    "devicename",
    "machine",
    "computer",
    "fqdn",
    "resource",
    "resourcename",
    "target",
    "affectedentity",
    "entity",
    "ip",
    "ipaddress",
    "agent",
    "asset",
    "itemname",
];
const LINK: [&str; 15] = [
    "url",
    "link",
    "alerturl",
    "incidenturl",
    "detailsurl",
    "permalink",
    "htmlurl",
    "dashboardurl",
    "weburl",
    "generatorurl",
    "href",
    "deeplink",
    "sourceurl",
    "responseurl",
    "linkurl",
];
const RUNBOOK: [&str; 4] = ["runbook", "runbookurl", "playbook", "playbookurl"];
const LISTS: [&str; 13] = [
    "alerts",
    "events",
    "incidents",
    "records",
    "items",
    "results",
    "messages",
    "issues",
    "notifications",
    "alarms",
    "problems",
    "data",
    "result",
];

/// Decodes by best guess; `false` when there is too little to go by.
pub(crate) fn decode(value: &Value, source: Option<&str>, sink: &mut Sink<'_>) -> bool {
    for name in LISTS {
        if let Some(Value::Array(items)) = value.get(name)
            && !items.is_empty()
            && items.iter().all(Value::is_object)
        {
            let before = sink.count();
            let found = items
                .iter()
                .filter(|item| sink.inner(item) || one(item, source, sink))
                .count();
            if found == items.len() {
                return true;
            }
            // All or none: half a list would be half read.
            sink.undo(before);
        }
    }
    one(value, source, sink)
}

fn one(value: &Value, source: Option<&str>, sink: &mut Sink<'_>) -> bool {
    let guess = Guess::new(value);
    let f = sink.fields(value);
    let mut d = Draft::new(source.unwrap_or("generic"));
    d.title = guess
        .text(&f, &TITLE, names_something)
        .or_else(|| guess.text(&f, &TITLE, |_| true))
        .unwrap_or_default();
    let severity = guess.find(&SEVERITY, |v| {
        name_of(v).is_some_and(|w| w.len() <= 24 && !v.is_boolean())
    });
    let known = state_of(&guess, &f, &mut d);
    d.ts = date_and_time(&guess).or_else(|| time(&guess, &f, &TS));
    d.starts_at = time(&guess, &f, &STARTS);
    d.ends_at = time(&guess, &f, &ENDS);
    d.service = guess.name(&f, &SERVICE);
    d.host = guess.name(&f, &HOST);
    let title = d.title.clone();
    let text = guess.text(&f, &TEXT, |text| *text != *title);
    d.key = guess.glance(&KEY);
    let signs = [
        known.is_some(),
        severity.is_some(),
        d.ts.is_some() || d.starts_at.is_some(),
        d.service.is_some(),
        d.host.is_some(),
        text.is_some(),
        d.key.is_some(),
        model::strip_status_prefix(&d.title).len() < d.title.len(),
        is_test(&d.title),
    ];
    if d.title.is_empty() && known.is_some() {
        // A state of something: that is what it is called.
        d.title = d.service.clone().or_else(|| d.host.clone()).unwrap_or_default();
    }
    // Chat cards say by colour what they say by nothing else.
    if d.status.is_none() {
        d.state(match guess.glance(&["color"]).as_deref() {
            Some("good") => Some(State::Resolved),
            Some("danger" | "warning") => Some(State::Firing),
            _ => None,
        });
    }
    if d.title.is_empty() || !signs.contains(&true) {
        return false;
    }
    d.text = text.unwrap_or_default();
    if let Some(v) = severity {
        let word = name_of(v);
        let level = word.as_deref().and_then(number);
        d.severity_as(word, level);
        f.mark(v);
    }
    if let Some(v) = guess.find(&LINK, |v| {
        scalar(v).is_some_and(|l| crate::draft::is_web_address(&l))
    }) {
        d.link(scalar(v), "source");
        f.mark(v);
    }
    d.runbook = guess.text(&f, &RUNBOOK, |_| true);
    let mut named = Draft::default();
    for name in ["tags", "labels"] {
        if let Some(v) = guess.find(&[name], |_| true) {
            tags(v, &mut named);
            f.mark(v);
        }
    }
    words_of_the_title(&mut d);
    if d.key.is_none() {
        d.key = Some(identity(&d, &named));
    }
    for (name, value) in named.labels.iter() {
        d.label(name, value);
    }
    if d.severity_original.is_none() {
        let said = ["severity", "priority"].iter().find_map(|n| named.labels.get(n));
        d.severity_word(said.map(Text::from));
    }
    // A level that says that all is well.
    let cleared = d.severity_original.as_deref().and_then(state::word) == Some(State::Resolved);
    if d.status.is_none() && cleared {
        d.state(Some(State::Resolved));
    }
    f.rest_into(&mut d);
    match other_than_alert(&d) {
        Some(kind) => sink.other(kind, d),
        None => sink.event(d),
    }
    true
}

/// The state, from a word, a flag, or an end that is named.
fn state_of(guess: &Guess<'_>, f: &Fields<'_>, d: &mut Draft) -> Option<State> {
    let exact = |v: &Value| !v.is_boolean() && scalar(v).is_some_and(|w| state::word(&w).is_some());
    let within = |v: &Value| scalar(v).is_some_and(|w| state::within(&w).is_some());
    let found = guess
        .find(&STATE, exact)
        .or_else(|| guess.find(&STATE, within))
        .or_else(|| guess.find(&STATE_IF_KNOWN, exact));
    let known = if let Some(v) = found {
        let word = scalar(v).unwrap_or_default();
        f.mark(v);
        let known = state::word(&word).or_else(|| state::within(&word));
        // `status: critical` says how bad it is, too.
        if known == Some(State::Firing) && level::word(&word).is_some() {
            d.severity_word(Some(word.clone()));
        }
        d.label("state", word);
        known
    } else if let Some(over) = guess.flag(&[
        "resolved",
        "isresolved",
        "recovered",
        "fixed",
        "cleared",
        "closed",
    ]) {
        Some(if over { State::Resolved } else { State::Firing })
    } else if let Some(holds) = guess.flag(&["firing", "active", "isactive", "triggered", "down", "failing"])
    {
        Some(if holds { State::Firing } else { State::Resolved })
    } else {
        guess
            .find(&ENDS[..5], |v| when::value(v, None).is_some())
            .map(|_| State::Resolved)
    };
    d.state(known);
    known
}

/// `[RESOLVED] …`, `OK: …`, `[P1] …`: what the words before a title say, when nothing else does.
fn words_of_the_title(d: &mut Draft) {
    let title = d.title.clone();
    let bare = model::strip_status_prefix(&title);
    let before = &title[..title.len() - bare.len()];
    for word in before
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
    {
        if d.status.is_none() {
            d.state(state::word(word));
        }
        if d.severity_original.is_none() && level::word(word).is_some_and(|l| l != Severity::Info) {
            d.severity_word(Some(word.into()));
        }
    }
}

/// What an alert is about, for those that carry no identity: where, what, and the labels that the sender chose. The
/// other fields of an unknown shape vary as often as not.
fn identity(d: &Draft, named: &Draft) -> Text {
    let mut labels = model::Hash128::new("labels of plain JSON");
    let mut some = false;
    for (name, value) in named.labels.iter() {
        let varies = matches!(
            name,
            "severity" | "priority" | "status" | "state" | "value" | "level"
        );
        if !varies {
            labels.part(name.as_bytes()).part(value.as_bytes());
            some = true;
        }
    }
    let suffix = if some {
        format!("{:08x}", labels.finish() >> 96)
    } else {
        String::new()
    };
    join(&[
        d.service.as_deref().unwrap_or_default(),
        d.host.as_deref().unwrap_or_default(),
        &model::mask(&state::without_words(model::strip_status_prefix(&d.title))),
        &suffix,
    ])
}

fn is_test(title: &str) -> bool {
    const TESTS: [&str; 6] = [
        "this is a test",
        "test notification",
        "test message",
        "test alert from",
        "webhook test",
        "test webhook",
    ];
    let said = title.to_ascii_lowercase();
    TESTS.iter().any(|t| said.contains(t))
}

/// Tests, beats and changes that say that they are.
fn other_than_alert(d: &Draft) -> Option<OtherKind> {
    let kind = ["state", "type", "event_type", "kind", "eventType", "event"]
        .iter()
        .find_map(|name| d.labels.get(name))
        .unwrap_or_default()
        .to_ascii_lowercase();
    if kind == "test" || is_test(&d.title) {
        Some(OtherKind::Test)
    } else if matches!(kind.as_str(), "heartbeat" | "ping" | "keepalive" | "keep-alive") {
        Some(OtherKind::Heartbeat)
    } else if matches!(
        kind.as_str(),
        "deployment" | "deploy" | "release" | "change" | "rollback"
    ) {
        Some(OtherKind::Change)
    } else if matches!(kind.as_str(), "maintenance" | "downtime") {
        Some(OtherKind::Maintenance)
    } else {
        None
    }
}

/// Whether a text names something: a state, a level, a number or an address does not.
fn names_something(text: &str) -> bool {
    state::word(text).is_none()
        && level::word(text).is_none()
        && text.parse::<f64>().is_err()
        && !text.starts_with('<')
        && !crate::draft::is_web_address(text)
        && when::any(text, None).is_none()
}

fn time(guess: &Guess<'_>, f: &Fields<'_>, names: &[&str]) -> Option<Time> {
    let value = guess.find(names, |v| when::value(v, None).is_some())?;
    f.mark(value);
    when::value(value, None)
}

/// A date and a time of day in two fields.
fn date_and_time(guess: &Guess<'_>) -> Option<Time> {
    let date = guess.glance(&["date", "eventdate"]).filter(|d| d.len() <= 11)?;
    let clock = guess
        .glance(&["time", "eventtime"])
        .filter(|t| t.contains(':') && t.len() <= 15)?;
    when::any(&compact_str::format_compact!("{date} {clock}"), None)
}

/// 1 to 5 as most tools that number severities mean them: 1 is the worst.
fn number(word: &str) -> Option<Severity> {
    match word {
        "1" => Some(Severity::Critical),
        "2" => Some(Severity::Error),
        "3" => Some(Severity::Warning),
        "4" => Some(Severity::Notice),
        "5" => Some(Severity::Info),
        _ => None,
    }
}
