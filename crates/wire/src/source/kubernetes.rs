//! Kubernetes Events (core/v1 and events.k8s.io/v1), alone, in a list, or in a watch frame.
//!
//! <https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/>. The object and the reason are the
//! identity: an event's own name differs with each new series. A `Normal` event is for reading.

use super::prelude::*;

pub(crate) const SOURCE: Source = Source {
    name: "kubernetes",
    forms: "Event of core/v1 and events.k8s.io/v1, EventList, watch frames",
    reference: "https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/",
    detect,
    decode,
};

fn is_event(v: &Value) -> bool {
    (has(v, &["involvedObject"]) || has(v, &["regarding"])) && has(v, &["reason"])
}

/// The event in a watch frame, or in what kube-eventer and its like post.
fn inside(value: &Value) -> Option<&Value> {
    ["object", "event"]
        .iter()
        .find_map(|name| value.get(name))
        .filter(|v| is_event(v))
}

/// Reasons of the kubelet that begin and end a condition of a node
/// (<https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/events/event.go>); it calls both of them normal.
const CONDITIONS: [(&str, &str); 4] = [
    ("NodeNotReady", "NodeReady"),
    ("NodeHasDiskPressure", "NodeHasNoDiskPressure"),
    ("NodeHasInsufficientMemory", "NodeHasSufficientMemory"),
    ("NodeHasInsufficientPID", "NodeHasSufficientPID"),
];

fn detect(value: &Value) -> bool {
    is_event(value)
        || inside(value).is_some()
        || value
            .get("items")
            .and_then(Value::as_array)
            .is_some_and(|i| !i.is_empty() && i.iter().all(is_event))
}

fn decode(value: &Value, sink: &mut Sink<'_>) {
    if let Some(items) = value.get("items").and_then(Value::as_array) {
        items.iter().for_each(|item| one(item, sink));
    } else if let Some(object) = inside(value) {
        one(object, sink);
    } else {
        one(value, sink);
    }
}

fn one(value: &Value, sink: &mut Sink<'_>) {
    let (f, mut d) = sink.read("kubernetes", &EMPTY, value);
    let base = if value.get("involvedObject").is_some() {
        "involvedObject"
    } else {
        "regarding"
    };
    let kind = f.text(&format!("{base}.kind")).unwrap_or_default();
    let name = f.text(&format!("{base}.name"));
    let namespace = f.first(&[&format!("{base}.namespace"), "metadata.namespace"]);
    d.title = f.text("reason").unwrap_or_default();
    d.text = f.first(&["message", "note"]).unwrap_or_default();
    let word = f.text("type");
    let pair = CONDITIONS
        .iter()
        .find(|(begun, over)| d.title == *begun || d.title == *over);
    d.status = Some(match (pair, word.as_deref()) {
        (Some((begun, _)), _) if d.title == *begun => Status::Firing,
        (Some(_), _) => Status::Resolved,
        (None, Some("Normal")) => Status::Info,
        (None, _) => Status::Firing,
    });
    let fires = d.status == Some(Status::Firing);
    d.severity_as(word, Some(if fires { Severity::Warning } else { Severity::Info }));
    d.key = Some(join(&[
        namespace.as_deref().unwrap_or_default(),
        &kind,
        name.as_deref().unwrap_or_default(),
        f.glance(&format!("{base}.fieldPath"))
            .as_deref()
            .unwrap_or_default(),
        pair.map_or(d.title.as_str(), |(begun, _)| begun),
    ]));
    // The time of the newest occurrence; `eventTime` is that of the first in the newer API.
    d.ts = f.time(&[
        "series.lastObservedTime",
        "lastTimestamp",
        "deprecatedLastTimestamp",
        "eventTime",
        "metadata.creationTimestamp",
    ]);
    d.starts_at = f.time(&["firstTimestamp", "deprecatedFirstTimestamp"]);
    // An exporter of events adds the cluster, and the object's own labels.
    d.entity("cluster", f.first(&["clusterName", "cluster"]));
    if let Some(labels) = f.take(&format!("{base}.labels")) {
        tags(labels, &mut d);
    }
    let host = f.first(&["source.host", "deprecatedSource.host"]);
    if kind == "Node" {
        d.host = name.clone();
    }
    d.host = d.host.take().or(host);
    if kind == "Service" || kind == "Deployment" {
        d.service = name.clone();
    }
    d.entity(&kind.to_ascii_lowercase(), name);
    d.entity("namespace", namespace);
    if let Some(labels) = f.take("metadata.labels") {
        tags(labels, &mut d);
    }
    sink.rest(&f, d, None);
}
