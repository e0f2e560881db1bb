//! Reads truths and answers, one JSON object a line.

use std::collections::BTreeMap;

use serde_json::Value;

/// What is true of one event, in the order of the stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// The event's id.
    pub event_id: Option<String>,
    /// The true incident; `None` for noise.
    pub incident: Option<String>,
    /// What began that incident.
    pub root: Option<String>,
    /// The event says that something ended.
    pub resolved: bool,
    /// Nobody knows; never scored.
    pub ignore: bool,
    /// In the incident's time, without a path to its root.
    pub weak: bool,
    /// The line says what is true, be it that the event is noise; an event without a truth does not.
    pub told: bool,
}

/// Names of the fields that hold the truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Of the incident.
    pub incident: String,
    /// Of what began it.
    pub root: String,
}

impl Default for Keys {
    fn default() -> Keys {
        Keys {
            incident: "incident".to_owned(),
            root: "root_service".to_owned(),
        }
    }
}

/// Where each event was placed. A later line replaces an earlier one.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    by_id: BTreeMap<String, Line>,
    by_index: BTreeMap<usize, Line>,
}

#[derive(Clone, Debug, Default)]
struct Line {
    incident: Option<String>,
    settled_s: f64,
    moves: u64,
    probability: Option<f64>,
}

/// Where an event was placed, and what was said of that.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Placed<'a> {
    /// Its incident; `None`: suppressed.
    pub incident: Option<&'a str>,
    /// Seconds from its arrival until that was said for the last time.
    pub settled_s: f64,
    /// Other incidents that it was said to be in before.
    pub moves: u64,
    /// That the membership is right; on the event that began it.
    pub probability: Option<f64>,
}

/// Ranked causes of predicted incidents.
#[derive(Clone, Debug, Default)]
pub struct Ranked(BTreeMap<String, Vec<String>>);

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError(String);

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ReadError {}

fn object(line: &str) -> Result<Value, ReadError> {
    match serde_json::from_str(line) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err(ReadError("not a JSON object".to_owned())),
        Err(e) => Err(ReadError(e.to_string())),
    }
}

/// A name: text as it is, anything else as JSON; null is none.
fn name(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(b) => *b,
        Value::Number(n) => n.as_f64() != Some(0.0),
        Value::String(s) => !s.is_empty(),
        Value::Array(a) => !a.is_empty(),
        Value::Object(o) => !o.is_empty(),
    }
}

impl Truth {
    /// Reads a line: an event that carries `_truth`, or the fields of the truth themselves.
    pub fn read(line: &str, keys: &Keys) -> Result<Truth, ReadError> {
        let event = object(line)?;
        let truth = event.get("_truth").unwrap_or(&event);
        let told = |key: &str| truth.get(key).is_some();
        Ok(Truth {
            told: event.get("_truth").is_some() || told(&keys.incident) || told("ignore"),
            event_id: name(&event["event_id"]),
            incident: name(&truth[&keys.incident]),
            root: name(&truth[&keys.root]),
            resolved: event["status"] == "resolved",
            ignore: truthy(&truth["ignore"]),
            weak: truthy(&truth["weak"]),
        })
    }
}

impl Answer {
    /// Reads a line of `stormfold replay --assignments`, or one with `event_index` instead of `event_id`.
    pub fn read(&mut self, line: &str) -> Result<(), ReadError> {
        let line = object(line)?;
        let placed = Line {
            incident: name(&line["incident_id"]),
            settled_s: line["settled_s"].as_f64().unwrap_or_default(),
            moves: line["moves"].as_u64().unwrap_or_default(),
            probability: line["probability"].as_f64(),
        };
        if let Some(id) = name(&line["event_id"]) {
            self.by_id.insert(id, placed);
        } else {
            let index = line["event_index"]
                .as_u64()
                .ok_or_else(|| ReadError("neither event_id nor event_index".to_owned()))?;
            self.by_index.insert(index as usize, placed);
        }
        Ok(())
    }

    /// Places an event, without saying when or how surely.
    pub fn place(&mut self, event_id: &str, incident: Option<String>) {
        let line = Line {
            incident,
            ..Line::default()
        };
        self.by_id.insert(event_id.to_owned(), line);
    }

    /// Places the event of line `index` (from 0), without saying when or how surely.
    pub fn place_at(&mut self, index: usize, incident: Option<String>) {
        let line = Line {
            incident,
            ..Line::default()
        };
        self.by_index.insert(index, line);
    }

    /// Where an event was placed; `None` says that there is no line for it.
    pub(crate) fn of(&self, event_id: Option<&str>, index: usize) -> Option<Placed<'_>> {
        let line = event_id
            .and_then(|id| self.by_id.get(id))
            .or_else(|| self.by_index.get(&index))?;
        Some(Placed {
            incident: line.incident.as_deref(),
            settled_s: line.settled_s,
            moves: line.moves,
            probability: line.probability,
        })
    }
}

impl Ranked {
    /// Reads a line of `stormfold replay --causes`.
    pub fn read(&mut self, line: &str) -> Result<(), ReadError> {
        let line = object(line)?;
        let incident = name(&line["incident_id"]).ok_or_else(|| ReadError("no incident_id".to_owned()))?;
        let list = line["ranked"].as_array().into_iter().flatten();
        self.rank(incident, list.filter_map(cause));
        Ok(())
    }

    /// Ranks the causes of an incident, best first; a name that comes again is left out.
    pub fn rank(&mut self, incident: String, names: impl Iterator<Item = String>) {
        let mut list: Vec<String> = Vec::new();
        for name in names {
            if !list.contains(&name) {
                list.push(name);
            }
        }
        self.0.insert(incident, list);
    }

    /// The first of an incident.
    pub fn first(&self, incident: &str) -> Option<&str> {
        self.of(incident).first().map(String::as_str)
    }

    pub(crate) fn of(&self, incident: &str) -> &[String] {
        self.0.get(incident).map(Vec::as_slice).unwrap_or_default()
    }
}

/// A cause is a name, or an object that holds one under `service`, `id`, `name` or `node`.
fn cause(value: &Value) -> Option<String> {
    match value {
        Value::Object(fields) => {
            let held = ["service", "id", "name", "node"]
                .iter()
                .filter_map(|k| fields.get(*k))
                .find(|v| truthy(v));
            held.and_then(name)
        }
        other => name(other),
    }
}
