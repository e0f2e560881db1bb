//! `normalize --explain`: one payload step by step, in words.
//!
//! Where a field comes from is found by looking for its value in the payload; that holds for every source and every
//! mapping, and tells the truth also where a source is wrong.

use std::fmt::Write as _;

use engine::{Output, Settings, Shard};
use model::{Event, EventKind, Input, Text, Time};
use serde_json::Value;
use topology::Graph;
use wire::{Decoder, Found, Raw};

use crate::{
    config::Config,
    fail::Failure,
    terminal::{safe, word},
};

/// Bytes of a value that are shown.
const SHOWN_BYTES: usize = 120;
/// Places of a value that are shown.
const PLACES_MAX: usize = 3;
/// How long stream time runs on after a body, so that what waits for company has waited.
const RUNS_ON: model::Span = model::Span::from_secs(3_600);

pub(super) struct Explanation {
    /// Reads without tables, so that the difference is what they added.
    bare: Decoder,
    has_tables: bool,
    own: Vec<String>,
    graph: Option<Graph>,
    /// The fold, to ask what it would suppress.
    settings: Settings,
    topology: Vec<Input>,
}

impl Explanation {
    pub(super) fn new(config: &Config, topology: Option<&str>) -> Result<Explanation, Failure> {
        let file = topology.or(config.topology.as_deref());
        let parts = file.map(crate::topology::read).transpose()?.unwrap_or_default();
        let bare = wire::DecodeSettings {
            tables: wire::Tables::default(),
            ..config.decode()?
        };
        Ok(Explanation {
            bare: Decoder::new(bare),
            has_tables: !config.decode.tables.is_empty(),
            own: config.decode.mappings.iter().map(|m| m.source.clone()).collect(),
            graph: file.map(crate::topology::graph).transpose()?,
            settings: Settings {
                placements: true,
                ..config.engine()
            },
            topology: parts.into_iter().map(Input::TopologyPart).collect(),
        })
    }

    /// Why each thing of a body would be suppressed, were it all that came: the rules of the configuration, and what the
    /// body says of its own alerts. What else fires, and what is silenced by then, only the running fold knows.
    fn suppressed(&self, found: &[Found]) -> Vec<Option<Text>> {
        let mut shard = Shard::new(self.settings.clone());
        let mut out = Vec::new();
        shard.step(&self.topology, &mut out);
        out.clear();
        let (mut number, mut last) = (self.topology.len() as u64, None);
        let mut numbers = Vec::with_capacity(found.len());
        for one in found {
            let input = one.clone().into_input();
            numbers.push(input.as_ref().map(|_| number));
            if let Some(input) = input {
                if let Input::Event(event) = &input {
                    last = last.max(Some(event.received_at));
                }
                shard.step(std::slice::from_ref(&input), &mut out);
                number += 1;
            }
        }
        if let Some(last) = last {
            shard.progress(last + RUNS_ON, &mut out);
        }
        let reason = |number: u64| {
            let episode = out.iter().find_map(|o| match o {
                Output::Event { input, episode } if *input == number => *episode,
                _ => None,
            })?;
            // The last one counts.
            let said = out.iter().rev().find_map(|o| match o {
                Output::Episode {
                    episode: e,
                    suppressed,
                    ..
                } if *e == episode => Some(suppressed.clone()),
                _ => None,
            });
            said.flatten()
        };
        numbers
            .into_iter()
            .map(|number| number.and_then(reason))
            .collect()
    }

    pub(super) fn of(&self, file: &str, raw: &Raw<'_>, found: &[Found]) -> String {
        let mut out = format!("{}: {} bytes\n", safe(file), raw.bytes.len());
        match raw.bytes {
            [0x1f, 0x8b, ..] => out.push_str("unpacked from gzip\n"),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => out.push_str("unpacked from zstd\n"),
            _ => {}
        }
        let body: Option<Value> = serde_json::from_slice(raw.bytes).ok();
        let leaves = body.as_ref().map(leaves).unwrap_or_default();
        let mut bare = Vec::new();
        if self.has_tables {
            self.bare.decode(raw, &mut bare);
        }
        let _ = writeln!(
            out,
            "{} found in it\n",
            match found.len() {
                1 => "1 thing".to_owned(),
                n => format!("{n} things"),
            }
        );
        let suppressed = self.suppressed(found);
        for (i, one) in found.iter().enumerate() {
            let suppressed = suppressed.get(i).and_then(Option::as_deref);
            let _ = write!(out, "{}. ", i + 1);
            match one {
                Found::Rejected(rejection) => {
                    let _ = writeln!(out, "refused: {}", safe(&rejection.to_string()));
                    let source = rejection.source.as_deref().unwrap_or("none");
                    let _ = writeln!(
                        out,
                        "   source     {}\n   goes       to the dead letters, with its bytes\n",
                        safe(source)
                    );
                }
                Found::Topology(change) => {
                    let _ = writeln!(
                        out,
                        "a change of the topology at {}: {} nodes and {} edges more, {} nodes and {} edges less\n",
                        change.at,
                        change.upsert_nodes.len(),
                        change.upsert_edges.len(),
                        change.remove_nodes.len(),
                        change.remove_edges.len()
                    );
                }
                Found::Other { kind, event: None } => {
                    let _ = writeln!(out, "no alert: {}\n", kind.as_str());
                }
                Found::Other {
                    kind,
                    event: Some(event),
                } => {
                    let _ = writeln!(out, "no alert: {}", kind.as_str());
                    self.event(event, raw, &leaves, bare.get(i), suppressed, &mut out);
                }
                Found::Alert(event) => {
                    let what = if event.kind == EventKind::Ack {
                        "an acknowledgement"
                    } else {
                        "an alert"
                    };
                    let _ = writeln!(out, "{what}");
                    self.event(event, raw, &leaves, bare.get(i), suppressed, &mut out);
                }
            }
        }
        out
    }

    fn event(
        &self,
        event: &Event,
        raw: &Raw<'_>,
        leaves: &[(String, String)],
        bare: Option<&Found>,
        suppressed: Option<&str>,
        out: &mut String,
    ) {
        let mut say = |name: &str, value: &str, note: &str| {
            let value = safe(cut(value)).into_owned();
            let _ = writeln!(out, "   {name:<10} {value}{note}");
        };
        let by = if self.own.iter().any(|name| *name == event.source) {
            "  by a mapping of the configuration".to_owned()
        } else {
            match raw.source {
                Some(name) => format!("  named {name:?}"),
                None => "  by its shape".to_owned(),
            }
        };
        say("source", &event.source, &by);
        let mut field = |name: &str, value: Option<&str>| {
            if let Some(value) = value.filter(|v| !v.is_empty()) {
                say(name, value, &from(leaves, value));
            }
        };
        field("title", Some(&event.title));
        field("text", Some(&event.text));
        field("status", Some(&word(&event.status)));
        match &event.severity_original {
            Some(original) => {
                let note = format!("  from the sender's {original:?}{}", from(leaves, original));
                say("severity", &word(&event.severity), &note);
            }
            None => say("severity", &word(&event.severity), "  the sender names none"),
        }
        for (name, time) in [
            ("ts", Some(event.ts)),
            ("starts_at", event.starts_at),
            ("ends_at", event.ends_at),
        ] {
            if let Some(time) = time {
                let note = match from_time(leaves, time) {
                    none if none.is_empty() && name == "ts" => {
                        "  the sender names none: the time of receipt".to_owned()
                    }
                    note => note,
                };
                say(name, &time.to_string(), &note);
            }
        }
        if event.skewed {
            say("times", "a time of the sender cannot be; flagged skewed", "");
        }
        for (name, value) in [("service", &event.service), ("host", &event.host)] {
            if let Some(value) = value {
                say(name, value, &from(leaves, value));
            }
        }
        for (kind, name) in event.entities.iter() {
            say(kind, name, &from(leaves, name));
        }
        self.names(event, &mut say);
        let sender = leaves
            .iter()
            .find(|(_, v)| v.len() > 3 && event.dedup_key.contains(v.as_str()));
        let made = if model::is_derived(event) {
            "  made of source, title, place and labels or tags: the sender names no identity".to_owned()
        } else {
            sender.map_or_else(String::new, |(path, _)| format!("  with {path}"))
        };
        say("dedup key", &event.dedup_key, &made);
        say("event id", &event.event_id, "");
        say("domain", event.domain().as_str(), "");
        if let Some(
            Found::Alert(before)
            | Found::Other {
                event: Some(before), ..
            },
        ) = bare
        {
            for (name, value) in event.labels.iter() {
                if before.labels.get(name) != Some(value) {
                    say("added", &format!("label {name} = {value}"), "  by a table");
                }
            }
            for (name, now, then) in [
                ("service", &event.service, &before.service),
                ("host", &event.host, &before.host),
                ("environment", &event.environment, &before.environment),
                ("tenant", &event.tenant, &before.tenant),
                ("runbook", &event.runbook, &before.runbook),
            ] {
                if let (Some(now), None) = (now, then) {
                    say("added", &format!("{name} = {now}"), "  by a table");
                }
            }
        }
        let labels: Vec<&str> = event.labels.iter().map(|(name, _)| name).collect();
        say("labels", &format!("{} ({})", labels.len(), labels.join(", ")), "");
        for link in &event.links {
            say("link", &link.href, "");
        }
        let goes = match (event.kind, event.status) {
            (EventKind::Alert, model::Status::Info) => {
                "into the fold as information: it opens nothing and pages nobody"
            }
            (EventKind::Alert, _) => {
                "into the fold; silences, maintenance, holds and inhibition are decided there"
            }
            (EventKind::Heartbeat, _) => "into the fold: it moves time on and opens nothing",
            (EventKind::Change, _) => "into the fold as a possible cause; it opens nothing",
            _ => "into the fold",
        };
        say("goes", goes, "");
        if let Some(reason) = suppressed {
            say(
                "suppressed",
                reason,
                "  by the configuration, were it all that came",
            );
        }
        out.push('\n');
    }

    fn names(&self, event: &Event, say: &mut impl FnMut(&str, &str, &str)) {
        let Some(graph) = &self.graph else { return };
        let resolved = graph.resolve(event);
        for (what, node) in [
            ("is about", resolved.subject),
            ("copy", resolved.instance),
            ("is on", resolved.host),
            ("caller", resolved.caller),
            ("callee", resolved.callee),
        ] {
            if let Some(node) = node {
                say(what, graph.id(node), "  in the topology");
            }
        }
        for (kind, name) in &resolved.unresolved {
            say(
                "unknown",
                &format!("{kind} {name}"),
                "  not in the topology; it is kept",
            );
        }
        for (name, nodes) in &resolved.ambiguous {
            let ids: Vec<&str> = nodes.iter().map(|n| graph.id(*n).as_str()).collect();
            say("unclear", &format!("{name} could be {}", ids.join(", ")), "");
        }
    }
}

fn cut(text: &str) -> &str {
    if text.len() <= SHOWN_BYTES {
        text
    } else {
        &text[..text.floor_char_boundary(SHOWN_BYTES)]
    }
}

/// The paths of all scalars, with these as text; JSON within text is looked into.
fn leaves(value: &Value) -> Vec<(String, String)> {
    fn walk(value: &Value, path: &str, out: &mut Vec<(String, String)>) {
        let below = |name: &dyn std::fmt::Display| {
            if path.is_empty() {
                name.to_string()
            } else {
                format!("{path}.{name}")
            }
        };
        match value {
            Value::Object(map) => map.iter().for_each(|(name, v)| walk(v, &below(name), out)),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(i, v)| walk(v, &below(&i), out)),
            Value::String(text) => {
                if text.starts_with('{')
                    && let Ok(inner) = serde_json::from_str::<Value>(text)
                {
                    walk(&inner, path, out);
                }
                out.push((path.to_owned(), text.trim().to_owned()));
            }
            Value::Null => {}
            other => out.push((path.to_owned(), other.to_string())),
        }
    }
    let mut out = Vec::new();
    walk(value, "", &mut out);
    out
}

fn from(leaves: &[(String, String)], value: &str) -> String {
    told(leaves.iter().filter(|(_, v)| v.eq_ignore_ascii_case(value)))
}

fn from_time(leaves: &[(String, String)], time: Time) -> String {
    told(
        leaves
            .iter()
            .filter(|(_, v)| wire::when::any(v, Some(time)) == Some(time)),
    )
}

fn told<'a>(places: impl Iterator<Item = &'a (String, String)>) -> String {
    let paths: Vec<&str> = places.map(|(path, _)| path.as_str()).take(PLACES_MAX).collect();
    if paths.is_empty() {
        String::new()
    } else {
        format!("  from {}", paths.join(", "))
    }
}
