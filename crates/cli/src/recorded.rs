//! Files of incident and change records, one a line, as `replay` and `topics read` write them.

use std::collections::BTreeMap;

use model::{Change, Incident, IncidentId};
use serde_json::{Value, value::RawValue};

use crate::{fail::Failure, lines::each_line};

/// The last revision of each incident.
pub(crate) fn incidents(file: &str) -> Result<BTreeMap<IncidentId, Incident>, Failure> {
    let mut found: BTreeMap<IncidentId, Incident> = BTreeMap::new();
    each_line(file, |line| {
        let mut take = |record: &str| {
            let incident = wire::record::read_incident(record.as_bytes())
                .map_err(|error| wrong(record, wire::record::INCIDENT, &error))?;
            let newer = found
                .get(&incident.incident_id)
                .is_none_or(|old| old.revision <= incident.revision);
            if newer {
                found.insert(incident.incident_id, incident);
            }
            Ok::<(), String>(())
        };
        match answered(line) {
            Some(records) => records.iter().try_for_each(|record| take(record.get())),
            None => take(line),
        }
    })?;
    Ok(found)
}

/// The records in an answer of `GET /v1/incidents`, if the line is one.
fn answered(line: &str) -> Option<Vec<Box<RawValue>>> {
    #[derive(serde::Deserialize)]
    struct Answer {
        incidents: Vec<Box<RawValue>>,
    }
    let begins = line.trim_start().trim_start_matches('{').trim_start();
    if !begins.starts_with("\"incidents\"") {
        return None;
    }
    serde_json::from_str::<Answer>(line)
        .ok()
        .map(|answer| answer.incidents)
}

/// All changes, in the order of the file.
pub(crate) fn changes(file: &str) -> Result<Vec<Change>, Failure> {
    let mut changes = Vec::new();
    each_line(file, |line| {
        let change = wire::record::read_change(line.as_bytes())
            .map_err(|error| wrong(line, wire::record::CHANGE, &error))?;
        changes.push(change);
        Ok::<(), String>(())
    })?;
    Ok(changes)
}

/// Why a line is no record of `schema`: because it is something else that we write or read, or because of `error`.
fn wrong(line: &str, schema: &str, error: &dyn std::fmt::Display) -> String {
    let Ok(Value::Object(fields)) = serde_json::from_str(line) else {
        return error.to_string();
    };
    let said = fields.get("schema").and_then(Value::as_str).unwrap_or_default();
    let has = |name: &str| fields.contains_key(name);
    let (what, place) = if said != schema && said == wire::record::INCIDENT {
        ("an incident record", "it belongs to --incidents")
    } else if said != schema && (said == wire::record::CHANGE || has("change") && has("incident_id")) {
        (
            "a change record",
            "it belongs to --changes of `explain`; `replay --incidents` writes incidents",
        )
    } else if has("suppressed") && has("event_id") {
        (
            "an assignment",
            "it belongs to --assignments of `stats`; `replay --incidents` writes incidents",
        )
    } else if has("ranked") {
        (
            "ranked causes",
            "they belong to --roots of `score`; `replay --incidents` writes incidents",
        )
    } else if said != schema && has("title") && !has("incident_id") {
        (
            "an event",
            "`replay --incidents incidents.jsonl` folds events to incidents",
        )
    } else {
        return error.to_string();
    };
    format!("seems to be {what}, where a record of {schema} is asked for: {place}")
}
