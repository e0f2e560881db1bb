//! Reads the upper half of a scenario.

use engine::{Books, Settings};
use model::{
    Domain, Edge, Event, EventKind, IncidentId, Input, Node, Origin, PageMode, Progress, Severity, Span,
    Status, Time, TopologyChange, TopologyDocument, dedup_key, event_id,
};

use super::line::{span, words};

/// A scenario: a world, what happens in it, and what must follow.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The upper half, as written.
    pub upper: String,
    /// The lower half, as written.
    pub lower: String,
    /// The world.
    pub topology: TopologyDocument,
    /// Settings of the fold.
    pub settings: Settings,
    /// When `0s` is.
    pub start: Time,
    /// What is folded, in order: the events, with the topology before them.
    pub inputs: Vec<Input>,
    /// Up to when stream time runs on, after `0s`; `None` until nothing is pending. Ten minutes after the last input if
    /// the scenario does not say.
    pub until: Option<Span>,
    /// Why the order of arrival is what the scenario is about, if it is; such a scenario is not shuffled.
    pub ordered: Option<String>,
    /// Workers that are stopped and started with other settings: before the first input received then.
    pub switches: Vec<(Time, Settings)>,
    /// What the lower half shows beside changes and incidents.
    pub shown: Shown,
}

/// What the lower half shows beside changes and incidents.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// The alerts of each record.
    pub alerts: bool,
    /// What each record says is kept quiet.
    pub suppressed: bool,
    /// What each record says of its page.
    pub pages: bool,
    /// Who did what: the actor of each change that is not the engine's own.
    pub actors: bool,
    /// When records were published.
    pub records: bool,
    /// These counters of the books.
    pub books: Vec<String>,
}

/// What is wrong with a scenario file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioError {
    /// Line, from 1.
    pub line: usize,
    /// In words.
    pub reason: String,
}

impl std::fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for ScenarioError {}

/// How long stream time runs on when the scenario does not say.
const RUNS_ON: Span = Span::from_mins(10);
/// Marks an `until` that was not said, while a scenario is read.
const UNSAID: Span = Span::ZERO;

/// Monday morning.
const START: &str = "2026-03-02T10:00:00Z";

impl Scenario {
    /// Reads a scenario file.
    pub fn parse(text: &str) -> Result<Scenario, ScenarioError> {
        let (upper, lower) = match text.split_once("\n---\n") {
            Some((upper, lower)) => (format!("{upper}\n"), lower.to_owned()),
            None => (
                format!("{}\n", text.trim_end().trim_end_matches("---").trim_end()),
                String::new(),
            ),
        };
        let mut scenario = Scenario {
            upper,
            lower,
            topology: TopologyDocument::default(),
            settings: Settings {
                placements: true,
                last_records_only: false,
                ..Settings::default()
            },
            start: START.parse().expect("START is RFC 3339"),
            inputs: Vec::new(),
            until: Some(UNSAID),
            ordered: None,
            switches: Vec::new(),
            shown: Shown::default(),
        };
        let upper = scenario.upper.clone();
        for (i, line) in upper.lines().enumerate() {
            scenario
                .line(line)
                .map_err(|reason| ScenarioError { line: i + 1, reason })?;
        }
        if scenario.inputs.is_empty() {
            return Err(ScenarioError {
                line: 1,
                reason: "no event; write lines like `20s firing payments \"slow\"`".into(),
            });
        }
        if scenario.until == Some(UNSAID) {
            let last = scenario
                .inputs
                .iter()
                .filter_map(received_at)
                .max()
                .unwrap_or(scenario.start);
            scenario.until = Some(last.since(scenario.start) + RUNS_ON);
        }
        if !scenario.topology.nodes.is_empty() {
            let json = serde_json::to_string(&scenario.topology).expect("a topology is plain data");
            let parts = wire::topology_parts(&json).map_err(|e| ScenarioError {
                line: 1,
                reason: e.to_string(),
            })?;
            scenario
                .inputs
                .splice(0..0, parts.into_iter().map(Input::TopologyPart));
        }
        Ok(scenario)
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if let Some(setting) = line.strip_prefix("set ") {
            self.settings = set(&self.settings, setting)?;
            return Ok(());
        }
        let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if let Some(setting) = rest.trim_start().strip_prefix("restarts with ") {
            let before = self.switches.last().map_or(&self.settings, |(_, before)| before);
            let settings = set(before, setting)?;
            self.switches.push((self.start + span(first)?, settings));
            return Ok(());
        }
        if let Some(body) = rest.trim_start().strip_prefix("posts ") {
            return self.posts(self.start + span(first)?, body);
        }
        let words = words(line)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            ["depends", ref chain @ ..] => {
                let edges = edges(chain)?;
                for edge in &edges {
                    self.node(&edge.from);
                    self.node(&edge.to);
                }
                self.topology.edges.extend(edges);
            }
            ["node", id, ref pairs @ ..] => {
                let node = node(id, pairs)?;
                *self.node(id) = node;
            }
            ["page", "live"] => self.settings.page.mode = PageMode::Live,
            ["ordered", ref why @ ..] if !why.is_empty() => self.ordered = Some(why.join(" ")),
            ["show", ref what @ ..] if !what.is_empty() => {
                what.iter().try_for_each(|what| self.show(what))?;
            }
            ["until", "settled"] => self.until = None,
            ["until", time] => self.until = Some(span(time)?),
            [time, ref rest @ ..] if time.starts_with(|c: char| c.is_ascii_digit()) => {
                let at = self.start + span(time)?;
                let input = self.input(at, rest)?;
                self.inputs.push(input);
            }
            [word, ..] => {
                return Err(format!(
                    "`{word}`: expected a time, or one of depends, node, page, set, ordered, show, until"
                ));
            }
            [] => {}
        }
        Ok(())
    }

    fn show(&mut self, what: &str) -> Result<(), String> {
        match what {
            "alerts" => self.shown.alerts = true,
            "suppressed" => self.shown.suppressed = true,
            "pages" => self.shown.pages = true,
            "actors" => self.shown.actors = true,
            "records" => self.shown.records = true,
            counter => {
                let books = serde_json::to_value(Books::default()).expect("counters are plain data");
                let known = books.get(counter).is_some();
                known
                    .then(|| self.shown.books.push(counter.to_owned()))
                    .ok_or_else(|| {
                        format!("`{counter}` is none of alerts, suppressed, pages, actors, records, nor a counter of the books")
                    })?;
            }
        }
        Ok(())
    }

    /// `5m posts {"alerts": …}`: what a sender posts, read as ingest reads it. `{{10m}}` stands for a time, and
    /// `{{KEY@0s}}` for the id of the incident that the alert with this key opened then.
    fn posts(&mut self, at: Time, body: &str) -> Result<(), String> {
        let mut text = String::new();
        let mut rest = body;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after.split_once("}}").ok_or("`{{` is not closed")?;
            text.push_str(before);
            text.push_str(&match name.split_once('@') {
                Some((key, opened)) => {
                    IncidentId::new(&Domain::new(None, None), key, self.start + span(opened)?, 0).to_string()
                }
                None => (self.start + span(name)?).to_string(),
            });
            rest = after;
        }
        text.push_str(rest);
        let mut found = Vec::new();
        let raw = wire::Raw {
            received_at: Some(at),
            ..wire::Raw::of_file(text.as_bytes(), "scenario", self.inputs.len() as u64 + 1)
        };
        wire::Decoder::default().decode(&raw, &mut found);
        for found in found {
            if let wire::Found::Rejected(rejection) = found {
                return Err(rejection.to_string());
            }
            let input = found.into_input().ok_or("the fold sees nothing of this")?;
            self.inputs.push(input);
        }
        Ok(())
    }

    fn node(&mut self, id: &str) -> &mut Node {
        let at = self
            .topology
            .nodes
            .iter()
            .position(|n| n.id == id)
            .unwrap_or_else(|| {
                self.topology.nodes.push(Node {
                    id: id.into(),
                    kind: "service".into(),
                    ..Node::default()
                });
                self.topology.nodes.len() - 1
            });
        &mut self.topology.nodes[at]
    }

    fn input(&self, at: Time, words: &[&str]) -> Result<Input, String> {
        Ok(match words {
            ["progress"] => Input::Progress(Progress {
                to: at,
                present: None,
            }),
            ["progress", present] => Input::Progress(Progress {
                to: at,
                present: Some(
                    self.start + span(present.strip_prefix("present=").ok_or("expected present=TIME")?)?,
                ),
            }),
            ["depends", chain @ ..] => Input::TopologyChange(Box::new(TopologyChange {
                at,
                upsert_edges: edges(chain)?,
                ..change_at(at)
            })),
            ["parts", from, "->", to] => {
                let edge = Edge {
                    from: (*from).into(),
                    to: (*to).into(),
                    kind: "calls".into(),
                };
                Input::TopologyChange(Box::new(TopologyChange {
                    remove_edges: vec![edge],
                    ..change_at(at)
                }))
            }
            ["gone", id] => Input::TopologyChange(Box::new(TopologyChange {
                remove_nodes: vec![(*id).into()],
                ..change_at(at)
            })),
            [word, service, title, pairs @ ..] => {
                Input::Event(Box::new(self.event(at, word, service, title, pairs)?))
            }
            _ => return Err("expected STATUS SERVICE \"TITLE\" [name=value …]".to_owned()),
        })
    }

    fn event(
        &self,
        at: Time,
        word: &str,
        service: &str,
        title: &str,
        pairs: &[&str],
    ) -> Result<Event, String> {
        let (kind, status) = match word {
            "firing" => (EventKind::Alert, Status::Firing),
            "resolved" => (EventKind::Alert, Status::Resolved),
            "info" => (EventKind::Alert, Status::Info),
            "change" => (EventKind::Change, Status::Info),
            "ack" => (EventKind::Ack, Status::Info),
            "feedback" => (EventKind::Feedback, Status::Info),
            "silence" => (EventKind::Silence, Status::Info),
            "maintenance" => (EventKind::Maintenance, Status::Info),
            "heartbeat" => (EventKind::Heartbeat, Status::Info),
            other => {
                return Err(format!(
                    "`{other}` is none of firing, resolved, info, change, ack, feedback, silence, maintenance, heartbeat"
                ));
            }
        };
        let mut event = Event {
            kind,
            source: "probe".into(),
            severity: Severity::Error,
            title: title.into(),
            service: Some(service).filter(|s| *s != "-").map(Into::into),
            ..Event::bare(status, at)
        };
        for pair in pairs {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| format!("`{pair}`: expected name=value"))?;
            self.field(&mut event, name, value)?;
        }
        if event.dedup_key.is_empty() {
            event.dedup_key = dedup_key(&event);
        }
        // As ingest does: impossible times are cut.
        wire::settle_times(&mut event, at);
        if event.event_id.is_empty() {
            event.event_id = event_id(&event, true);
        }
        Ok(event)
    }

    fn field(&self, event: &mut Event, name: &str, value: &str) -> Result<(), String> {
        match name {
            "severity" => {
                let level = Severity::ALL.into_iter().find(|s| s.as_str() == value);
                event.severity = level.ok_or_else(|| format!("`{value}` is no severity"))?;
            }
            "status" if value == "resolved" => event.status = Status::Resolved,
            "of" => {
                let (key, at) = value.split_once('@').ok_or("expected of=KEY@TIME")?;
                let domain = Domain::new(event.tenant.as_deref(), event.environment.as_deref());
                let id = IncidentId::new(&domain, key, self.start + span(at)?, 0);
                event.labels.set("incident_id", id.to_string());
            }
            "key" => event.dedup_key = value.into(),
            "id" => event.event_id = value.into(),
            "source" => event.source = value.into(),
            "host" => event.host = Some(value.into()),
            "text" => event.text = value.into(),
            "tenant" => event.tenant = Some(value.into()),
            "environment" => event.environment = Some(value.into()),
            "raw" => {
                event.origin = Some(Origin::Log {
                    topic: "raw".into(),
                    partition: value.parse().map_err(|_| format!("`{value}` is no partition"))?,
                    offset: self.inputs.len() as u64,
                    index: 0,
                });
            }
            "ts" => event.ts = self.start + span(value)?,
            "starts" => event.starts_at = Some(self.start + span(value)?),
            "ends" => event.ends_at = Some(self.start + span(value)?),
            _ => match name.strip_prefix("entity.") {
                Some(kind) => event.entities.set(kind, value),
                None => event.labels.set(name, value),
            },
        }
        Ok(())
    }
}

/// `page.hold_s = 60`: one setting of the fold, by its path; the value is JSON.
fn set(settings: &Settings, setting: &str) -> Result<Settings, String> {
    let (path, value) = setting.split_once('=').ok_or("expected set PATH = JSON")?;
    let mut all = serde_json::to_value(settings).expect("settings are plain data");
    let pointer = format!("/{}", path.trim().replace('.', "/"));
    let place = all
        .pointer_mut(&pointer)
        .ok_or_else(|| format!("`{}` is no setting", path.trim()))?;
    *place = serde_json::from_str(value.trim()).map_err(|e| e.to_string())?;
    serde_json::from_value(all).map_err(|e| e.to_string())
}

/// When an input was received; parts of a topology and quarantines were at no time.
pub(super) fn received_at(input: &Input) -> Option<Time> {
    match input {
        Input::Event(event) => Some(event.received_at),
        Input::Progress(progress) => Some(progress.to),
        Input::TopologyChange(change) => Some(change.at),
        Input::TopologyPart(_) | Input::Quarantine { .. } => None,
    }
}

fn change_at(at: Time) -> TopologyChange {
    TopologyChange {
        at,
        upsert_nodes: Vec::new(),
        remove_nodes: Vec::new(),
        upsert_edges: Vec::new(),
        remove_edges: Vec::new(),
    }
}

/// `a -> b -> c` with an optional kind of edge at the end.
fn edges(chain: &[&str]) -> Result<Vec<Edge>, String> {
    let (chain, kind) = match chain {
        [chain @ .., last] if last.starts_with("kind=") => (chain, &last[5..]),
        chain => (chain, "calls"),
    };
    let names: Vec<&str> = chain.iter().step_by(2).copied().collect();
    let arrows = chain.iter().skip(1).step_by(2).all(|w| *w == "->");
    if chain.len() < 3 || chain.len() % 2 == 0 || !arrows {
        return Err("expected depends A -> B [-> C …] [kind=KIND]".to_owned());
    }
    Ok(names
        .windows(2)
        .map(|w| Edge {
            from: w[0].into(),
            to: w[1].into(),
            kind: kind.into(),
        })
        .collect())
}

fn node(id: &str, pairs: &[&str]) -> Result<Node, String> {
    let mut node = Node {
        id: id.into(),
        kind: "service".into(),
        ..Node::default()
    };
    for pair in pairs {
        match pair.split_once('=') {
            Some(("kind", value)) => node.kind = value.into(),
            Some(("team", value)) => node.team = Some(value.into()),
            Some(("aliases", value)) => node.aliases = value.split(',').map(Into::into).collect(),
            Some((name, value)) => node.labels.set(name, value),
            None if *pair == "external" => node.external = true,
            None => return Err(format!("`{pair}`: expected name=value or external")),
        }
    }
    Ok(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong_and_where() {
        for (text, line, part) in [
            ("", 1, "no event"),
            ("# x\n0s fires a \"b\"\n", 2, "`fires`"),
            ("0s firing a \"b\" severity=bad\n", 1, "`bad`"),
            ("depends a b\n", 1, "expected depends"),
            ("bogus\n", 1, "`bogus`"),
            ("0s firing a \"b\n", 1, "quote"),
            ("show everything\n", 1, "`everything`"),
            ("0s posts {\"a\": 1}\n", 1, ""),
            ("0s posts {{1s\n", 1, "not closed"),
            ("0s restarts with page.nothing = 1\n", 1, "no setting"),
        ] {
            let error = Scenario::parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text}: {error}");
            assert!(error.reason.contains(part), "{text}: {error}");
        }
    }
}
