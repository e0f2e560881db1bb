//! Plain JSON by best guess, when no source knows the shape: the names that senders commonly choose, at the top or in
//! one usual wrapper. It needs words to say and one more sign of an alert; otherwise the body is refused.

use super::prelude::*;

/// Names in the order in which they are believed. Compared without case and separators.
const TITLE: [&str; 25] = [
    "title",
    "alertname",
    "alerttitle",
    "rulename",
    "monitorname",
    "checkname",
    "problemtitle",
    "problemname",
    "subject",
    "alarmname",
    "eventname",
    "alert",
    "name",
    "summary",
    "shortdescription",
    "event",
    "message",
    "msg",
    "headline",
    "problem",
    "alarm",
    "description",
    "text",
    "reason",
    "error",
];
const TEXT: [&str; 18] = [
    "text",
    "message",
    "description",
    "details",
    "body",
    "msg",
    "alertmessage",
    "longdescription",
    "summary",
    "detail",
    "content",
    "output",
    "info",
    "reason",
    "comment",
    "errormessage",
    "error",
    "note",
];
const STATE: [&str; 17] = [
    "status",
    "state",
    "alertstatus",
    "alertstate",
    "currentstate",
    "newstate",
    "eventstatus",
    "eventaction",
    "action",
    "transition",
    "eventtype",
    "type",
    "alerttype",
    "condition",
    "incidentstatus",
    "phase",
    "result",
];
const SEVERITY: [&str; 14] = [
    "severity",
    "priority",
    "level",
    "alertseverity",
    "criticality",
    "urgency",
    "severitylevel",
    "loglevel",
    "eventseverity",
    "importance",
    "alertlevel",
    "alertpriority",
    "impact",
    "sev",
];
const KEY: [&str; 26] = [
    "dedupkey",
    "deduplicationkey",
    "dedupekey",
    "fingerprint",
    "alias",
    "alertkey",
    "incidentkey",
    "correlationkey",
    "eventkey",
    "alertid",
    "incidentid",
    "problemid",
    "issueid",
    "alarmid",
    "monitorid",
    "checkid",
    "eventid",
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
const TS: [&str; 22] = [
    "timestamp",
    "ts",
    "time",
    "@timestamp",
    "datetime",
    "date",
    "eventtime",
    "occurredat",
    "eventtimestamp",
    "alerttime",
    "triggeredat",
    "createdat",
    "created",
    "firedat",
    "detectedat",
    "updatedat",
    "lastupdated",
    "starttime",
    "startedat",
    "startsat",
    "eventdate",
    "publishedat",
];
const SERVICE: [&str; 15] = [
    "service",
    "servicename",
    "application",
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
    "job",
];
const HOST: [&str; 18] = [
    "host",
    "hostname",
    "node",
    "nodename",
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
    "ip",
    "ipaddress",
    "agent",
];
const LINK: [&str; 12] = [
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
    "problemurl",
];
const WRAPPERS: [&str; 16] = [
    "alert",
    "event",
    "incident",
    "data",
    "payload",
    "problem",
    "issue",
    "notification",
    "alarm",
    "body",
    "attributes",
    "detail",
    "monitor",
    "check",
    "object",
    "record",
];
const LISTS: [&str; 12] = [
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
    let Some(title) = guess.text(&f, &TITLE) else {
        return false;
    };
    let mut d = Draft::new(source.unwrap_or("generic"));
    d.title = title;
    let state = guess.find(&STATE, |v| scalar(v).is_some_and(|w| state::word(&w).is_some()));
    let severity = guess.find(&SEVERITY, |v| scalar(v).is_some_and(|w| w.len() <= 24));
    let ts = guess.find(&TS, |v| when::value(v, None).is_some());
    let service = guess.text(&f, &SERVICE);
    let host = guess.text(&f, &HOST);
    let text = guess.text(&f, &TEXT);
    let key = guess.glance(&KEY);
    let signs = [
        state.is_some(),
        severity.is_some(),
        ts.is_some(),
        service.is_some(),
        host.is_some(),
        text.is_some(),
        key.is_some(),
    ];
    if signs.iter().filter(|s| **s).count() == 0 {
        return false;
    }
    d.text = text.filter(|t| *t != d.title).unwrap_or_default();
    if let Some(v) = state {
        let word = scalar(v).unwrap_or_default();
        let known = state::word(&word);
        d.state(known);
        d.label("state", word);
        f.mark(v);
    }
    if let Some(v) = severity {
        let word = scalar(v);
        let level = word.as_deref().and_then(number);
        d.severity_as(word, level);
        f.mark(v);
    }
    if let Some(v) = ts {
        d.ts = when::value(v, None);
        f.mark(v);
    }
    d.service = service;
    d.host = host;
    // A number alone may count notifications; the words of the alert tell more.
    d.key = key;
    if let Some(v) = guess.find(&LINK, |v| {
        scalar(v).is_some_and(|l| crate::draft::is_web_address(&l))
    }) {
        d.link(scalar(v), "source");
        f.mark(v);
    }
    for name in ["tags", "labels"] {
        if let Some(v) = guess.find(&[name], |_| true) {
            tags(v, &mut d);
            f.mark(v);
        }
    }
    if d.status.is_none() {
        // `[RESOLVED] …`, `OK: …`
        let bare = model::strip_status_prefix(&d.title);
        if bare.len() < d.title.len() {
            let word: String = d
                .title
                .chars()
                .skip_while(|c| !c.is_alphabetic())
                .take_while(|c| c.is_alphabetic())
                .collect();
            d.state(state::word(&word));
        }
    }
    f.rest_into(&mut d);
    sink.event(d);
    true
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

/// Fields at the top and in one wrapper, by plain name.
struct Guess<'v> {
    levels: Vec<Vec<(String, &'v Value)>>,
}

impl<'v> Guess<'v> {
    fn new(value: &'v Value) -> Guess<'v> {
        let level = |v: &'v Value| -> Vec<(String, &'v Value)> {
            v.as_object()
                .map_or_else(Vec::new, |m| m.iter().map(|(k, v)| (plain(k), v)).collect())
        };
        let top = level(value);
        let mut levels: Vec<Vec<(String, &'v Value)>> = Vec::new();
        for name in WRAPPERS {
            for (_, inner) in top.iter().filter(|(k, v)| k == name && v.is_object()) {
                levels.push(level(inner));
            }
        }
        levels.insert(0, top);
        Guess { levels }
    }

    /// The first name, in their order, whose value fits; what stands at the top is believed first.
    fn find(&self, names: &[&str], fits: impl Fn(&Value) -> bool) -> Option<&'v Value> {
        self.levels.iter().find_map(|level| {
            names
                .iter()
                .find_map(|name| level.iter().find(|(k, v)| k == name && fits(v)).map(|(_, v)| *v))
        })
    }

    fn text(&self, f: &Fields<'_>, names: &[&str]) -> Option<Text> {
        let value = self.find(names, |v| {
            scalar(v).is_some_and(|t| !t.is_empty()) && !v.is_boolean()
        })?;
        f.mark(value);
        scalar(value)
    }

    fn glance(&self, names: &[&str]) -> Option<Text> {
        self.find(names, |v| scalar(v).is_some() && !v.is_boolean())
            .and_then(scalar)
    }
}

fn plain(key: &str) -> String {
    key.chars()
        .filter(|c| c.is_alphanumeric() || *c == '@')
        .flat_map(char::to_lowercase)
        .collect()
}
