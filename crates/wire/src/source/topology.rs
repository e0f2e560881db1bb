//! Topology as records: nodes and edges that appear or go, with their time (`stormfold.topology/1`).

use model::{Edge, Node, Text, TopologyChange};
use serde::Deserialize;
use serde_json::Value;

use super::{Sink, Source};
use crate::{fields::scalar, found::Found, when};

pub(crate) const SOURCE: Source = Source {
    name: "topology",
    forms: "upserts and removals of nodes and edges, or a whole document",
    reference: "docs/records.md",
    detect,
    decode,
};

/// A change of the topology in any of the forms it may be written in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Record {
    at: Option<Value>,
    ts: Option<Value>,
    upsert_nodes: Vec<Node>,
    remove_nodes: Vec<Text>,
    upsert_edges: Vec<Edge>,
    remove_edges: Vec<Edge>,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    upsert: Parts<Node>,
    remove: Parts<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Parts<N> {
    nodes: Vec<N>,
    edges: Vec<Edge>,
}

impl<N> Default for Parts<N> {
    fn default() -> Parts<N> {
        Parts {
            nodes: Vec::new(),
            edges: Vec::new(),
        }
    }
}

fn detect(value: &Value) -> bool {
    let Some(map) = value.as_object() else {
        return false;
    };
    let named = map
        .get("schema")
        .and_then(Value::as_str)
        .is_some_and(|s| s.starts_with("stormfold.topology/"));
    let parts = ["upsert_nodes", "remove_nodes", "upsert_edges", "remove_edges"]
        .iter()
        .any(|k| map.contains_key(*k));
    let document = map.contains_key("nodes")
        && map.get("edges").and_then(Value::as_array).is_some_and(|edges| {
            edges
                .iter()
                .all(|e| e.get("from").is_some() && e.get("to").is_some())
        });
    named || parts || document
}

fn decode(value: &Value, sink: &mut Sink<'_>) {
    match Record::deserialize(value) {
        Ok(record) => found(record, sink),
        Err(error) => sink.unreadable("", &format!("no topology change: {error}")),
    }
}

pub(crate) fn found(record: Record, sink: &mut Sink<'_>) {
    let said = [record.at, record.ts]
        .into_iter()
        .flatten()
        .filter_map(|time| scalar(&time))
        .find_map(|t| when::any(&t, None));
    let at = said.or(sink.context.received_at).unwrap_or(sink.context.undated);
    let mut change = TopologyChange {
        at,
        upsert_nodes: record.upsert_nodes,
        remove_nodes: record.remove_nodes,
        upsert_edges: record.upsert_edges,
        remove_edges: record.remove_edges,
    };
    change.upsert_nodes.extend(record.nodes);
    change.upsert_nodes.extend(record.upsert.nodes);
    change.upsert_edges.extend(record.edges);
    change.upsert_edges.extend(record.upsert.edges);
    change.remove_nodes.extend(record.remove.nodes);
    change.remove_edges.extend(record.remove.edges);
    sink.push(Found::Topology(Box::new(change)));
}
