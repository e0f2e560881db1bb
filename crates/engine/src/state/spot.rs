//! Where an alert happens: its entity, and the system it is correlated within.
//!
//! The topology decides where it knows a name. Where it is silent, what the sender says of belonging together stands in
//! for it: a namespace, a prefix, a network; and where nothing is said, an entity stands alone. A missing field never
//! makes two things one.

use model::{Event, Evidence, EvidenceKind, Labels, Text};
use topology::{Graph, NodeId};

use crate::{
    fold::Fold,
    state::alert::{Alert, Spot},
};

/// Where an alert happens by the topology as it was when the sender saw it, in the terms of the one in force.
pub(crate) fn locate_then(event: &Event, fold: &Fold<'_>) -> Spot {
    let Some(then) = fold.graph_before(event.ts) else {
        return locate(event, fold.graph, fold.serial);
    };
    let mut spot = locate(event, then, fold.serial);
    let now = |node: Option<u32>| fold.graph.find(then.id(NodeId(node?))).map(|node| node.0);
    spot.host_node = now(spot.host_node);
    spot.caller = now(spot.caller);
    spot.callee = now(spot.callee);
    spot.node = now(spot.node).map(|node| fold.graph.thing(NodeId(node)).0);
    // It belongs with what it was connected with then, under the name that this has now.
    if let Some(node) = fold.graph.find(&spot.system) {
        spot.system = fold.graph.id(fold.graph.component(node)).clone();
    }
    spot.past = true;
    spot
}

pub(crate) fn locate(event: &Event, graph: &Graph, serial: u32) -> Spot {
    let resolved = graph.resolve(event);
    let number = |node: Option<NodeId>| node.map(|n| n.0);
    let subject = resolved.subject.map(|n| graph.thing(n));
    let host = resolved.host;
    let own_name = || resolved.name.clone();
    let (entity, node) = match (subject, host) {
        (Some(thing), _) => (graph.id(thing).clone(), Some(thing)),
        // An unknown service on a known host goes by its own name, where the host stands.
        (None, Some(host)) if event.service.is_some() => (own_name(), Some(host)),
        (None, Some(host)) => (graph.id(host).clone(), Some(host)),
        (None, None) => (own_name(), None),
    };
    let (system, known) = match node {
        Some(node) => (graph.id(graph.component(node)).clone(), true),
        None => (stand_in(event, &entity), false),
    };
    Spot {
        serial,
        family: 0,
        entity,
        node: number(node),
        host_node: number(host),
        caller: number(resolved.caller),
        callee: number(resolved.callee),
        system,
        known,
        past: false,
        ambiguous: !resolved.ambiguous.is_empty(),
    }
}

/// Things that are named where a name could mean several.
const NAMED_MAX: usize = 3;

/// What is said of an alert whose names could mean several things: it was taken for none of them.
pub(crate) fn ambiguity(alert: &Alert, graph: &Graph) -> Option<Evidence> {
    if !alert.spot.ambiguous {
        return None;
    }
    let (service, host) = (alert.service.as_deref(), alert.host.as_deref());
    let resolved = graph.resolve_names(service, host, &Labels::new(), &alert.labels);
    let (name, nodes) = resolved.ambiguous.first()?;
    let ids: Vec<&str> = nodes.iter().map(|n| graph.id(*n).as_str()).collect();
    let (named, rest) = ids.split_at(ids.len().min(NAMED_MAX));
    let more = match rest.len() {
        0 => String::new(),
        n => format!(" or {n} more"),
    };
    let text = format!(
        "{name} could be {}{more}, and is taken for none of them",
        named.join(" or ")
    );
    Some(Evidence::new(EvidenceKind::Ambiguous, ids.len() as f64, text))
}

/// What stands for a system where the topology knows nothing: the nearest thing that the sender says.
fn stand_in(event: &Event, entity: &Text) -> Text {
    let said = |kind: &str| {
        event
            .entities
            .get(kind)
            .or_else(|| event.labels.get(kind))
            .filter(|v| !v.is_empty())
    };
    if let Some(namespace) = said("namespace") {
        return match said("cluster") {
            Some(cluster) => compact_str::format_compact!("namespace={cluster}/{namespace}"),
            None => compact_str::format_compact!("namespace={namespace}"),
        };
    }
    if let Some((prefix, _)) = entity.split_once('/')
        && !prefix.is_empty()
    {
        return compact_str::format_compact!("prefix={prefix}");
    }
    for kind in ["network", "site"] {
        if let Some(value) = said(kind) {
            return compact_str::format_compact!("{kind}={value}");
        }
    }
    if entity.is_empty() {
        // Nothing is named at all: the alert stands alone.
        return compact_str::format_compact!("alert={}", event.dedup_key);
    }
    alone(entity)
}

pub(crate) const ALONE: &str = "entity=";

/// The system of a name that nothing is said about.
pub(crate) fn alone(entity: &str) -> Text {
    compact_str::format_compact!("{ALONE}{entity}")
}

impl Spot {
    /// Whether neither the topology nor the sender says what this belongs to.
    pub(crate) fn is_alone(&self) -> bool {
        self.system.starts_with(ALONE)
    }

    /// The name that its family goes by.
    pub(crate) fn head(&self) -> &str {
        self.system.strip_prefix(ALONE).unwrap_or(&self.system)
    }
}
