//! Datadog's webhook. Its body is the user's own template over `$VARIABLES`, so names vary; those of the documentation
//! and of the variables themselves are read, in any case.
//!
//! <https://docs.datadoghq.com/integrations/webhooks/>. `$AGGREG_KEY` identifies a monitor's group; without it the
//! monitor and its scope do.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "datadog",
    forms: "webhook with the usual variable names",
    reference: "https://docs.datadoghq.com/integrations/webhooks/",
    detect,
    decode,
};

fn detect(value: &Value) -> bool {
    let names = Names::of(value, str::to_lowercase);
    let any = |keys: &[&str]| names.any(keys);
    any(&[
        "alert_transition", "aggreg_key", "alert_cycle_key", "alerttransition", "alert_scope",
    ]) || names.all(&["aggregation_key"]) && any(&["alert_type", "date_happened", "source_type_name"])
        || names.all(&["monitor_id"])
            && any(&["scopes", "tags", "query", "monitor_name", "groups"])
            && !any(&[
                "monitor_status", "monitor_target", "monitor_url", "trigger_id", "trigger_name",
            ])
        || names.all(&["event_type", "last_updated", "title", "org"])
        || names.all(&["alert_id", "alert_status"])
            && any(&["alert_title", "event_title", "alert_query", "alert_metric"])
        || names.all(&["alert_type", "event_type"]) && any(&["event_title", "alert_title", "hostname"])
}

fn decode(value: &Value, sink: &mut Sink<'_>) {
    let value = &lowered(value);
    let (f, mut d) = sink.read("datadog", &EMPTY, value);
    d.title = f
        .first(&["alert_title", "event_title", "title", "monitor_name", "name"])
        .unwrap_or_default();
    d.text = f
        .first(&[
            "text_only_msg", "event_msg", "body", "message", "msg", "alert_message", "description", "text",
        ])
        .unwrap_or_default();
    if f.glance("description").is_some_and(|t| t == d.text) {
        let _ = f.take("description");
    }
    let title = d.title.clone();
    let (said, bare) = brackets(&title);
    let transition = f
        .first(&["alert_transition", "alerttransition", "transition"])
        .or_else(|| said.transition.map(Text::from));
    let status = f.first(&["alert_status", "status", "state"]);
    let kind = f.text("alert_type");
    d.state(transition.as_deref().and_then(transition_state).or_else(|| {
        let known = status.as_deref().and_then(state::word);
        known.or(match kind.as_deref() {
            Some("success") => Some(State::Resolved),
            Some("error" | "warning") => Some(State::Firing),
            _ => None,
        })
    }));
    if let Some(t) = f.take("tags") {
        tags(t, &mut d);
    }
    if let Some(scope) = f
        .glance("alert_scope")
        .or_else(|| f.glance("scopes"))
        .filter(|s| s.contains(':'))
    {
        tags(&Value::from(scope.as_str()), &mut d);
    }
    let word = f
        .first(&["priority", "alert_priority", "severity"])
        .filter(|p| *p != "normal")
        .or_else(|| {
            kind.clone()
                .filter(|k| !matches!(k.as_str(), "success" | "metric alert"))
        })
        .or_else(|| d.labels.get("severity").map(Text::from))
        .or_else(|| said.priority.map(Text::from));
    d.severity_word(word);
    if let Some(scope) = said.scope {
        tags(&Value::from(scope), &mut d);
    }
    let id = f.first(&["monitor_id", "alert_id"]);
    let scope = f.first(&["alert_scope", "scopes", "scope", "group", "groups"]);
    d.key = f.first(&["aggreg_key", "aggregation_key"]).or_else(|| {
        id.as_deref()
            .map(|id| join(&[id, scope.as_deref().unwrap_or_default()]))
    });
    if d.key.is_none() && said.transition.is_some() {
        // The default body names no monitor: its title and scope are the same from trigger to recovery.
        d.key = Some(join(&[bare, said.scope.unwrap_or_default()]));
    }
    for (name, value) in [
        ("monitor_id", id),
        ("scope", scope),
        ("transition", transition),
        ("alert_status", status),
    ] {
        if let Some(value) = value {
            d.label(name, value);
        }
    }
    d.ts = f.time(&[
        "date", "last_updated", "timestamp", "event_date", "date_happened", "date_posix",
        "last_updated_posix",
    ]);
    d.host = f
        .first(&["hostname", "host", "host_name"])
        .or_else(|| d.labels.get("host").map(Text::from));
    d.service = f.text("service");
    d.link(f.first(&["link", "url", "alert_url", "event_url"]), "event");
    d.link(f.first(&["snapshot", "snapshot_url"]), "snapshot");
    let test = d.title.to_ascii_lowercase().starts_with("[test]")
        || f.glance("event_type").as_deref() == Some("test");
    sink.rest(&f, d, test.then_some(OtherKind::Test));
}

/// What the brackets before a monitor's title say: `[P1] [Triggered on {host:web-3}] CPU high`.
#[derive(Default)]
struct Said<'t> {
    transition: Option<&'t str>,
    scope: Option<&'t str>,
    priority: Option<&'t str>,
}

fn brackets(title: &str) -> (Said<'_>, &str) {
    let (mut said, mut rest) = (Said::default(), title.trim());
    while let Some((inside, after)) = rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
        let (word, scope) = inside.split_once(" on ").unwrap_or((inside, ""));
        if matches!(word, "P1" | "P2" | "P3" | "P4" | "P5") {
            said.priority = Some(word);
        } else if transition_state(word).is_some() {
            said.transition = Some(word);
            said.scope = Some(scope.trim_matches(['{', '}'])).filter(|s| !s.is_empty());
        } else {
            break;
        }
        rest = after.trim_start();
    }
    (said, rest)
}

fn transition_state(word: &str) -> Option<State> {
    let lower = word.to_ascii_lowercase();
    Some(match lower.as_str() {
        "recovered" | "warn recovered" | "no data recovered" | "resolved" => State::Resolved,
        "no data" | "re-no data" | "renotify no data" => State::Info,
        _ if lower.contains("recover") => State::Resolved,
        _ if lower.contains("trigger") || lower.contains("warn") || lower.contains("renotify") => {
            State::Firing
        }
        _ => return state::word(word),
    })
}
