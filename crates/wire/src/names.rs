//! Which label names what: services, hosts and other entities behind the label names that tools use.
//!
//! The hard part is the observer. An exporter writes its own service, pod and address onto what it measures, so
//! `service="kube-state-metrics"` says who measured, not what broke. `repair` takes such names out of the places where
//! correlation looks, and leaves them in the labels.

use model::Text;

use crate::draft::Draft;

/// The kind of entity that a label names, in the spellings of Prometheus, Kubernetes, OpenTelemetry and the clouds.
pub(crate) fn entity_kind(label: &str) -> Option<&'static str> {
    Some(match label {
        "namespace"
        | "kubernetes_namespace"
        | "k8s.namespace.name"
        | "k8s_namespace_name"
        | "kube_namespace"
        | "exported_namespace"
        | "kubernetes.namespace"
        | "namespace_name" => "namespace",
        "pod"
        | "pod_name"
        | "kubernetes_pod_name"
        | "k8s.pod.name"
        | "k8s_pod_name"
        | "exported_pod"
        | "kubernetes.pod.name" => "pod",
        "node" | "node_name" | "kubernetes_node" | "k8s.node.name" | "k8s_node_name" | "exported_node" => {
            "node"
        }
        "cluster" | "cluster_name" | "clustername" | "k8s.cluster.name" | "k8s_cluster_name"
        | "kube_cluster_name" | "kubernetes_cluster" => "cluster",
        "region" | "aws_region" | "cloud.region" | "cloud_region" => "region",
        "zone" | "availability_zone" | "availability-zone" | "cloud.availability_zone" => "zone",
        "account" | "account_id" | "aws_account" | "aws_account_id" | "cloud.account.id" => "account",
        "project_id" | "gcp_project" => "project",
        "deployment" | "kube_deployment" | "k8s.deployment.name" | "k8s_deployment_name" => "deployment",
        "statefulset" | "kube_stateful_set" | "k8s.statefulset.name" => "statefulset",
        "daemonset" | "kube_daemon_set" | "k8s.daemonset.name" => "daemonset",
        "job_name" | "k8s.job.name" | "kube_job" => "job",
        "cronjob" | "k8s.cronjob.name" | "kube_cronjob" => "cronjob",
        "container" | "container_name" | "k8s.container.name" | "exported_container" => "container",
        "persistentvolumeclaim" => "volume",
        "horizontalpodautoscaler" => "autoscaler",
        "ingress" => "ingress",
        "database" | "db" | "datname" | "dbinstanceidentifier" | "dbname" => "database",
        "queue" | "queue_name" => "queue",
        "topic" | "kafka_topic" => "topic",
        "consumergroup" | "consumer_group" => "consumer_group",
        "caller" | "source_workload" | "source_service" => "caller",
        "callee" | "destination_workload" | "destination_service" | "destination_service_name" => "callee",
        "instance" | "exported_instance" | "instance_id" | "host.id" => "instance",
        _ => return None,
    })
}

/// Label names for the service, best first.
pub(crate) const SERVICE: [&str; 12] = [
    "exported_service",
    "service",
    "service_name",
    "service.name",
    "servicename",
    "app",
    "app_name",
    "application",
    "app.kubernetes.io/name",
    "app_kubernetes_io_name",
    "label_app",
    "kube_service",
];

/// Label names for the host, best first.
pub(crate) const HOST: [&str; 11] = [
    "host",
    "hostname",
    "host.name",
    "host_name",
    "nodename",
    "exported_node",
    "node",
    "node_name",
    "kubernetes_node",
    "k8s.node.name",
    "server",
];

/// Labels by which two halves of one monitor differ.
const REPLICA: [&str; 6] = [
    "replica",
    "prometheus_replica",
    "__replica__",
    "receive_replica",
    "rule_replica",
    "thanos_ruler_replica",
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
            "runbook",
            "runbook_url",
            "runbookUrl",
            "runbookURL",
            "runbook-url",
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
        if draft.scraped {
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
    } else if draft.scraped && draft.host.is_none() {
        // What probes from afar (blackbox, SNMP) is told to write its target there.
        draft.host = instance.map(|i| authority(&i).into());
    }
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
