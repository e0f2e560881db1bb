//! Which label names what: services, hosts and other entities behind the label names that tools use.
//!
//! The hard part is the observer. An exporter writes its own service, pod and address onto what it measures, so
//! `service="kube-state-metrics"` says who measured, not what broke. `repair` takes such names out of the places where
//! correlation looks, and leaves them in the labels.

use model::Text;

use crate::draft::Draft;

/// The kind of entity that a label names, in the spellings of Prometheus, Kubernetes, OpenTelemetry and the clouds.
pub(crate) fn entity_kind(label: &str) -> Option<&'static str> {
    Some(match label.as_bytes() {
        b"namespace"
        | b"kubernetes_namespace"
        | b"k8s.namespace.name"
        | b"k8s_namespace_name"
        | b"kube_namespace"
        | b"exported_namespace"
        | b"kubernetes.namespace"
        | b"namespace_name" => "namespace",
        b"pod"
        | b"pod_name"
        | b"kubernetes_pod_name"
        | b"k8s.pod.name"
        | b"k8s_pod_name"
        | b"exported_pod"
        | b"kubernetes.pod.name" => "pod",
        b"node" | b"node_name" | b"kubernetes_node" | b"k8s.node.name" | b"k8s_node_name"
        | b"exported_node" => "node",
        b"cluster"
        | b"cluster_name"
        | b"clustername"
        | b"k8s.cluster.name"
        | b"k8s_cluster_name"
        | b"kube_cluster_name"
        | b"kubernetes_cluster" => "cluster",
        b"region" | b"aws_region" | b"cloud.region" | b"cloud_region" => "region",
        b"zone" | b"availability_zone" | b"availability-zone" | b"cloud.availability_zone" => "zone",
        b"account" | b"account_id" | b"aws_account" | b"aws_account_id" | b"cloud.account.id" => "account",
        b"project_id" | b"gcp_project" => "project",
        b"deployment" | b"kube_deployment" | b"k8s.deployment.name" | b"k8s_deployment_name" => "deployment",
        b"statefulset" | b"kube_stateful_set" | b"k8s.statefulset.name" => "statefulset",
        b"daemonset" | b"kube_daemon_set" | b"k8s.daemonset.name" => "daemonset",
        b"job_name" | b"k8s.job.name" | b"kube_job" => "job",
        b"cronjob" | b"k8s.cronjob.name" | b"kube_cronjob" => "cronjob",
        b"container" | b"container_name" | b"k8s.container.name" | b"exported_container" => "container",
        b"persistentvolumeclaim" => "volume",
        b"horizontalpodautoscaler" => "autoscaler",
        b"ingress" => "ingress",
        b"database" | b"db" | b"datname" | b"dbinstanceidentifier" | b"dbname" => "database",
        b"queue" | b"queue_name" => "queue",
        b"topic" | b"kafka_topic" => "topic",
        b"consumergroup" | b"consumer_group" => "consumer_group",
        b"caller" | b"source_workload" | b"source_service" => "caller",
        // A tracer names a peer on the side that asks.
        b"callee"
        | b"destination_workload"
        | b"destination_service"
        | b"destination_service_name"
        | b"peer.service"
        | b"peer_service" => "callee",
        b"instance" | b"exported_instance" | b"instance_id" | b"host.id" => "instance",
        _ => return None,
    })
}

/// Label names for the service, best first.
pub(crate) const SERVICE: [&str; 12] = [
    "exported_service", "service", "service_name", "service.name", "servicename", "app", "app_name",
    "application", "app.kubernetes.io/name", "app_kubernetes_io_name", "label_app", "kube_service",
];

/// Label names for the host, best first.
pub(crate) const HOST: [&str; 11] = [
    "host", "hostname", "host.name", "host_name", "nodename", "exported_node", "node", "node_name",
    "kubernetes_node", "k8s.node.name", "server",
];

/// Labels by which two halves of one monitor differ.
const REPLICA: [&str; 6] = [
    "replica", "prometheus_replica", "__replica__", "receive_replica", "rule_replica", "thanos_ruler_replica",
];

/// Fills service, host and entities from the labels, and takes the observer out of them.
pub(crate) fn repair(draft: &mut Draft) {
    if draft.labels.is_empty() {
        return;
    }
    // One pass over the labels; most events name few of these, or none.
    let mut found: [Option<(&'static str, usize)>; 24] = [None; 24];
    let mut n = 0;
    let mut service = usize::MAX;
    let mut host = usize::MAX;
    let mut runbook = None;
    for (i, (name, value)) in draft.labels.iter().enumerate() {
        if value.is_empty() {
            continue;
        }
        if let Some(kind) = entity_kind(name)
            && n < found.len()
        {
            // `exported_pod` is what the target calls itself; it beats the scraper's own label.
            let exported = name.starts_with("exported_");
            if let Some(slot) = found[..n].iter_mut().flatten().find(|(k, _)| *k == kind) {
                if exported {
                    slot.1 = i;
                }
            } else {
                found[n] = Some((kind, i));
                n += 1;
            }
        }
        if draft.runbook.is_none() && runbook.is_none() && is_runbook(name) {
            runbook = Some(i);
        }
        // A name is among few of its length, which is told at once.
        if draft.service.is_none()
            && let Some(rank) = SERVICE.iter().position(|s| s.len() == name.len() && *s == name)
        {
            service = service.min(rank);
        }
        if draft.host.is_none()
            && let Some(rank) = HOST.iter().position(|s| s.len() == name.len() && *s == name)
        {
            host = host.min(rank);
        }
    }
    for (kind, i) in found.into_iter().flatten() {
        if draft.entities.get(kind).is_none()
            && let Some((_, value)) = draft.labels.iter().nth(i)
        {
            let value = Text::from(value);
            draft.entities.set(kind, value);
        }
    }
    if let Some((_, value)) = runbook.and_then(|i| draft.labels.iter().nth(i)) {
        draft.runbook = Some(value.into());
    }
    if let Some(name) = SERVICE.get(service) {
        draft.service = draft.labels.get(name).map(Text::from);
    }
    if let Some(name) = HOST.get(host) {
        draft.host = draft.labels.get(name).map(Text::from);
    }
    take_observer_out(draft);
}

/// Whether a label holds what to do: `runbook`, `annotation.runbook_url`, `labels.runbookUrl`.
fn is_runbook(name: &str) -> bool {
    // The ends differ in their last byte from nearly every other label's.
    matches!(name.as_bytes().last(), Some(b'k' | b'l' | b'L'))
        && [
            "runbook", "runbook_url", "runbookUrl", "runbookURL", "runbook-url",
        ]
        .iter()
        .any(|end| {
            name.strip_suffix(end)
                .is_some_and(|before| before.is_empty() || before.ends_with('.'))
        })
}

/// Whether the labels as a whole identify the alert: they do unless they name who measured, which may change while the
/// alert stays the same.
pub(crate) fn labels_identify(labels: &model::Labels) -> bool {
    let (mut by_exporter, mut names_exporter) = (false, false);
    for (name, value) in labels.iter() {
        match name {
            "job" | "service" => by_exporter |= observes_others(value),
            "instance" | "endpoint" | "exported_instance" => names_exporter = true,
            // A reading among the labels changes with every evaluation.
            "value" | "current_value" | "currentValue" => return false,
            name if REPLICA.contains(&name) => return false,
            _ => {}
        }
    }
    !(by_exporter && names_exporter)
}

/// Moves an exporter's own names out of `service`, `host` and `entities`.
fn take_observer_out(draft: &mut Draft) {
    let job = draft.labels.get("job");
    let observer = [draft.service.as_deref(), job]
        .into_iter()
        .flatten()
        .find(|name| is_exporter(name));
    let Some(observer) = observer else {
        if draft.scraped || names_target_only(draft) {
            target_of_scrape(draft);
        }
        return;
    };
    let remote = observes_others(observer);
    let observer = Text::from(observer);
    if draft.service.as_deref().is_some_and(is_exporter) {
        let service = draft.service.take().unwrap_or_default();
        if draft.labels.get("service").is_none() {
            draft.label("observer", service);
        }
    }
    let instance = draft.labels.get("instance").map(Text::from);
    if remote {
        // Its address is no address of what it speaks about.
        if draft.host.is_some() && draft.host == instance {
            draft.host = None;
        }
        if draft.entities.get("instance") == instance.as_deref() {
            draft.entities.remove("instance");
        }
        if draft
            .entities
            .get("container")
            .is_some_and(|c| is_exporter(c) || observer.ends_with(c))
        {
            draft.entities.remove("container");
        }
        if draft
            .entities
            .get("pod")
            .is_some_and(|pod| pod.starts_with(observer.as_str()) || observes_others(pod))
        {
            draft.entities.remove("pod");
        }
    } else if draft.host.is_none() && (draft.scraped || names_target_only(draft)) {
        // What probes from afar (blackbox, SNMP) is told to write its target there.
        draft.host = instance.map(|i| authority(&i).into());
    }
}

/// Whether nothing is named but what was scraped: the labels of Prometheus, though another tool sent them on.
fn names_target_only(draft: &Draft) -> bool {
    let labels = &draft.labels;
    draft.service.is_none()
        && draft.host.is_none()
        && labels.get("job").is_some()
        && labels.get("instance").is_some()
        && draft
            .entities
            .iter()
            .all(|(kind, _)| matches!(kind, "instance" | "cluster" | "region" | "zone"))
}

/// The host and port of an address; anything else as it is.
pub(crate) fn authority(address: &str) -> &str {
    match address.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?', '#']).next().unwrap_or(rest),
        None => address,
    }
}

/// For a scrape without an exporter between: `job` is the service and `instance` the host, when nothing better is named.
fn target_of_scrape(draft: &mut Draft) {
    if draft.service.is_none() && !draft.labels.get("job").is_none_or(is_collector) {
        draft.service = draft.labels.get("job").map(Text::from);
    }
    if draft.host.is_none() {
        draft.host = draft.labels.get("instance").map(Text::from);
    }
}

/// Whether a name is an exporter's: something that measures rather than serves.
fn is_exporter(name: &str) -> bool {
    let mut buffer = [0; 96];
    let lower = lower(name, &mut buffer);
    lower.ends_with("exporter")
        || lower.ends_with("-metrics")
        || lower.ends_with("_metrics")
        || matches!(
            lower,
            "node" | "kubelet" | "cadvisor" | "snmp" | "pushgateway" | "ksm" | "telegraf"
        )
        || lower.contains("blackbox")
        || observes_others(lower)
}

/// Whether it measures other things than the machine it runs on.
fn observes_others(name: &str) -> bool {
    const OTHERS: [&str; 9] = [
        "kube-state-metrics",
        "kube_state_metrics",
        "cloudwatch-exporter",
        "cloudwatch_exporter",
        "yace",
        "pushgateway",
        "x509-certificate-exporter",
        "ssl-exporter",
        "openstack-exporter",
    ];
    let mut buffer = [0; 96];
    let lower = lower(name, &mut buffer);
    lower == "ksm" || OTHERS.iter().any(|o| lower.contains(o))
}

/// Whether a job's name says how it is collected rather than what.
fn is_collector(job: &str) -> bool {
    job.starts_with("kubernetes-")
        || job.starts_with("integrations/")
        || job.contains("federate")
        || is_exporter(job)
}

/// The name in lower case when it is ASCII and fits; else as it is.
fn lower<'a>(name: &'a str, buffer: &'a mut [u8; 96]) -> &'a str {
    if name.len() > buffer.len() || !name.is_ascii() {
        return name;
    }
    let bytes = &mut buffer[..name.len()];
    bytes.copy_from_slice(name.as_bytes());
    bytes.make_ascii_lowercase();
    std::str::from_utf8(bytes).unwrap_or(name)
}
