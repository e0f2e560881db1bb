//! Nomad's event stream. <https://developer.hashicorp.com/nomad/api-docs/events>: a frame holds several events; one
//! without any says that the stream lives. Allocations and nodes fail; deployments and jobs are changes.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "nomad",
    forms: "event stream frames and single events",
    reference: "https://developer.hashicorp.com/nomad/api-docs/events",
    detect: |v| {
        v.get("Events")
            .and_then(Value::as_array)
            .is_some_and(|e| !e.is_empty() && e.iter().all(is_event))
            || is_event(v)
            || is_beat(v)
    },
    decode: |v, sink| match v.get("Events").and_then(Value::as_array) {
        _ if is_beat(v) => {
            let mut d = Draft::new("nomad");
            d.title = Text::const_new("the event stream lives");
            sink.other(OtherKind::Heartbeat, d);
        }
        Some(events) => events.iter().for_each(|e| one(e, sink)),
        None => one(v, sink),
    },
};

/// A frame without events.
fn is_beat(v: &Value) -> bool {
    let none = |e: &Value| e.is_null() || e.as_array().is_some_and(Vec::is_empty);
    has(v, &["Index", "Events"]) && v.get("Events").is_some_and(none)
}

fn is_event(v: &Value) -> bool {
    has(v, &["Topic", "Type", "Payload"])
}

fn one(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("nomad", &EMPTY, value);
    let topic = f.text("Topic").unwrap_or_default();
    d.title = f.text("Type").unwrap_or_default();
    d.entity("namespace", f.text("Namespace"));
    let at = |name: &str| format!("Payload.{topic}.{name}");
    match topic.as_str() {
        "Allocation" => {
            let status = f.text(&at("ClientStatus")).unwrap_or_default();
            let job = f.text(&at("JobID"));
            let group = f.text(&at("TaskGroup"));
            d.host = f.first(&[&at("NodeName"), &at("NodeID")]);
            d.text = f
                .first(&[&at("ClientDescription"), &at("DesiredDescription")])
                .unwrap_or_default();
            d.ts = f.time(&[&at("ModifyTime")]);
            let name = f.glance(&at("Name")).unwrap_or_default();
            d.key = Some(join(&["allocation", job.as_deref().unwrap_or_default(), &name]));
            d.title = compact_str::format_compact!(
                "allocation {} {status}",
                if name.is_empty() {
                    group.as_deref().unwrap_or_default()
                } else {
                    &name
                }
            );
            d.service = job;
            d.entity("allocation", f.text("Key"));
            match status.as_str() {
                "failed" | "lost" | "unknown" => fires(&mut d, Severity::Error, &status),
                "running" | "complete" => over(&mut d, &status),
                _ => d.status = Some(Status::Info),
            }
        }
        "Node" => {
            let status = f.text(&at("Status")).unwrap_or_default();
            d.host = f.first(&[&at("Name"), &at("ID")]);
            d.ts = f.time(&[&at("StatusUpdatedAt")]);
            d.key = Some(join(&["node", &f.text("Key").unwrap_or_default()]));
            d.title = compact_str::format_compact!("node {} {status}", d.host.as_deref().unwrap_or_default());
            match status.as_str() {
                "down" | "disconnected" => fires(&mut d, Severity::Critical, &status),
                "ready" => over(&mut d, &status),
                _ => d.status = Some(Status::Info),
            }
        }
        _ => {
            d.service = f.first(&[&at("JobID"), &at("ID"), &at("Name")]);
            d.text = f
                .first(&[&at("StatusDescription"), &at("Status")])
                .unwrap_or_default();
            f.rest_into(&mut d);
            let change = matches!(topic.as_str(), "Deployment" | "Job");
            return sink.other(
                if change {
                    OtherKind::Change
                } else {
                    OtherKind::Notice
                },
                d,
            );
        }
    }
    sink.rest(&f, d, None);
}

fn fires(d: &mut Draft, level: Severity, word: &str) {
    d.status = Some(Status::Firing);
    d.severity_as(Some(word.into()), Some(level));
}

fn over(d: &mut Draft, word: &str) {
    d.status = Some(Status::Resolved);
    d.severity_as(Some(word.into()), Some(Severity::Info));
}
