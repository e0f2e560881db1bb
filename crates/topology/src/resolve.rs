//! From the names that an event carries to the nodes it is about.
//!
//! What broke is asked for in the order service, workload and pod, ends of a call, host. A tool that only measures
//! (`kube-state-metrics`, an exporter) often puts its own name into `service`; when the event names a workload besides,
//! the workload is what broke. The result depends on the names and the version of the graph only, so a caller may keep
//! it as long as both stay.

use compact_str::ToCompactString;
use model::{Event, Labels, Text};

use crate::{
    Graph, NodeId, NodeKind, Resolution,
    names::{Context, NameOf},
    spelling,
};

/// What the names of an event mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// What it is about: a service (instances folded), or a host where no service is named.
    pub subject: Option<NodeId>,
    /// The very copy that it is about, where one is named: an instance or a pod that is a node of its own.
    pub instance: Option<NodeId>,
    /// The machine it is on.
    pub host: Option<NodeId>,
    /// Who called, for an alert about calls; a service.
    pub caller: Option<NodeId>,
    /// Who was called; a service.
    pub callee: Option<NodeId>,
    /// The name to compare by: the subject's id, else the best name given, folded as far as is safe; empty when the
    /// event names nothing.
    pub name: Text,
    /// Names that the graph does not know, or not surely, by kind (`service`, `host`, `pod`, …).
    pub unresolved: Vec<(Text, Text)>,
    /// Names that could mean several nodes, with these.
    pub ambiguous: Vec<(Text, Vec<NodeId>)>,
}

/// Kinds of entities that name what broke, best first, and what sort of name each is.
const SUBJECTS: [(&str, NameOf); 17] = [
    ("deployment", NameOf::Service),
    ("statefulset", NameOf::Service),
    ("daemonset", NameOf::Service),
    ("workload", NameOf::Service),
    ("app", NameOf::Service),
    ("application", NameOf::Service),
    ("component", NameOf::Service),
    ("function", NameOf::Service),
    ("database", NameOf::Service),
    ("queue", NameOf::Service),
    ("pod", NameOf::Copy),
    ("pod_name", NameOf::Copy),
    ("replicaset", NameOf::Copy),
    ("job_name", NameOf::Copy),
    ("instance", NameOf::Copy),
    ("callee", NameOf::Copy),
    ("caller", NameOf::Copy),
];

/// Kinds of entities that name the host, best first.
const HOSTS: [&str; 4] = ["node", "node_name", "kubernetes_node", "hostname"];

/// Kinds that name a workload better than an observer's own name does.
const WORKLOADS: usize = 14;

/// Names of tools that report on others under their own name.
const OBSERVERS: [&str; 12] = [
    "kube-state-metrics",
    "node-exporter",
    "node_exporter",
    "blackbox-exporter",
    "blackbox_exporter",
    "cadvisor",
    "kubelet",
    "prometheus-node",
    "pushgateway",
    "otel-collector",
    "opentelemetry-collector",
    "snmp-exporter",
];

impl Graph {
    /// What the names of an event mean.
    pub fn resolve(&self, event: &Event) -> Resolved {
        self.resolve_names(
            event.service.as_deref(),
            event.host.as_deref(),
            &event.entities,
            &event.labels,
        )
    }

    /// What names mean: a service, a host, entities by kind and labels, as an event carries them. A kind missing from
    /// the entities is looked for among the labels.
    pub fn resolve_names(
        &self,
        service: Option<&str>,
        host: Option<&str>,
        entities: &Labels,
        labels: &Labels,
    ) -> Resolved {
        let given = |kind: &str| {
            entities
                .get(kind)
                .or_else(|| labels.get(kind))
                .filter(|n| !n.trim().is_empty())
        };
        let service = service.filter(|s| !s.trim().is_empty());
        // Every host is this one to itself, so the name is nobody's, unless the topology has it.
        let host = host.filter(|h| {
            !h.trim().is_empty()
                && (!spelling::is_loopback(h)
                    || self
                        .look_up(h, NameOf::Host, Context::default())
                        .known()
                        .is_some())
        });
        let context = Context {
            cluster: given("cluster"),
            namespace: given("namespace"),
        };
        let mut out = Resolved::default();
        let workload = SUBJECTS[..WORKLOADS]
            .iter()
            .find_map(|&(kind, of)| Some((kind, given(kind)?, of)));
        // An observer's alert is about the workload it names.
        let service = service.filter(|s| workload.is_none() || !is_observer(s));

        let mut named = service.map(|s| self.ask(&mut out, "service", s, NameOf::Service, context));
        for (kind, of) in SUBJECTS {
            let Some(name) = given(kind) else { continue };
            let quiet = matches!(kind, "instance" | "callee" | "caller") || service == Some(name);
            let node = self.ask_quietly(&mut out, kind, name, of, context, quiet);
            match kind {
                "caller" => out.caller = node.map(|n| self.service(n)),
                "callee" => out.callee = node.map(|n| self.service(n)),
                _ => {}
            }
            let Some(node) = node else { continue };
            let copy = self.kind(node) == NodeKind::Instance || self.service(node) != node;
            if copy && matches!(kind, "pod" | "pod_name" | "instance") && out.instance.is_none() {
                out.instance = Some(node);
            }
            // A machine among the instances is the host, not the subject.
            if kind == "instance" && self.kind(node) == NodeKind::Host {
                out.host = out.host.or(Some(node));
            } else if named.flatten().is_none() {
                named = Some(Some(node));
            }
        }
        let subject = named.flatten();

        let machine = host
            .map(|h| ("host", h))
            .into_iter()
            .chain(HOSTS.iter().filter_map(|&kind| Some((kind, given(kind)?))));
        let mut on = None;
        for (kind, name) in machine {
            on = on.or(self.ask(&mut out, kind, name, NameOf::Host, context));
        }
        if let Some(node) = on {
            if self.service(node) != node || self.kind(node) == NodeKind::Instance {
                // The machine is named by the copy on it.
                out.instance = out.instance.or(Some(node));
                out.host = self.own_hosts(node).first().copied().or(out.host);
            } else if self.kind(node) == NodeKind::Host || service.is_some() || workload.is_some() {
                out.host = Some(node);
            } else {
                out.host = out.host.or(Some(node));
            }
        }
        // A service that is named but unknown is not the machine it runs on.
        let on_host = if service.is_none() && workload.is_none() {
            on.or(out.host)
        } else {
            None
        };
        let last = || {
            // Who scrapes names a job, who runs containers a container; of both only what the graph surely knows.
            let job = given("job").filter(|job| !is_observer(job));
            let job = job.and_then(|job| self.look_up(job, NameOf::Service, context).known());
            job.or_else(|| {
                let containers = ["container", "container_name"].into_iter().filter_map(given);
                containers.filter_map(|name| self.by_part(name, true)).next()
            })
        };
        let named = service.is_some() || workload.is_some();
        out.subject = subject
            .or(on_host)
            .or_else(|| if named { None } else { last() })
            .map(|n| self.service(n));
        out.name = match out.subject {
            Some(node) => self.id(node).clone(),
            None => {
                let workload = workload.map(|(_, name, of)| (name, of));
                match unknown_name(service, workload, host, context) {
                    // What names nothing but a call is about whom it went to, else about who made it.
                    none if none.is_empty() => ["callee", "caller"]
                        .into_iter()
                        .find_map(given)
                        .map_or(none, |end| {
                            unknown_name(None, Some((end, NameOf::Copy)), None, context)
                        }),
                    name => name,
                }
            }
        };
        out
    }

    fn ask(
        &self,
        out: &mut Resolved,
        kind: &str,
        name: &str,
        of: NameOf,
        context: Context<'_>,
    ) -> Option<NodeId> {
        self.ask_quietly(out, kind, name, of, context, false)
    }

    fn ask_quietly(
        &self,
        out: &mut Resolved,
        kind: &str,
        name: &str,
        of: NameOf,
        context: Context<'_>,
        quiet: bool,
    ) -> Option<NodeId> {
        match self.look_up(name, of, context) {
            Resolution::Known(node) => Some(node),
            Resolution::Ambiguous(nodes) => {
                out.ambiguous.push((name.to_compact_string(), nodes));
                None
            }
            Resolution::Unknown => {
                if !quiet {
                    out.unresolved
                        .push((kind.to_compact_string(), name.to_compact_string()));
                }
                None
            }
        }
    }
}

/// The name to compare by where the graph knows none of them.
fn unknown_name(
    service: Option<&str>,
    workload: Option<(&str, NameOf)>,
    host: Option<&str>,
    context: Context<'_>,
) -> Text {
    let within = |name: String| match context.namespace {
        Some(ns) if !name.contains('/') => {
            compact_str::format_compact!("{}/{name}", ns.trim().to_lowercase())
        }
        _ => Text::from(name),
    };
    if let Some(service) = service {
        let lower = spelling::without_port(service.trim()).to_lowercase();
        return match spelling::kubernetes_dns(&lower) {
            Some((name, ns)) => compact_str::format_compact!("{ns}/{name}"),
            None => within(spelling::unversioned(&lower).to_owned()),
        };
    }
    if let Some((name, of)) = workload {
        let lower = name.trim().to_lowercase();
        let stem = match of {
            NameOf::Copy => spelling::workload_of(&lower).or_else(|| spelling::numbered_of(&lower)),
            _ => None,
        };
        return within(stem.map_or_else(|| lower.clone(), str::to_owned));
    }
    host.map(|h| Text::from(spelling::unknown_host(h)))
        .unwrap_or_default()
}

/// The name to compare by of an end of a call that the graph does not know: of a copy, the workload that it is of.
pub fn unknown_copy(name: &str, namespace: Option<&str>) -> Text {
    let context = Context {
        cluster: None,
        namespace,
    };
    unknown_name(None, Some((name, NameOf::Copy)), None, context)
}

/// How its sender wrote a name to compare by ([`Resolved::name`]) that the graph does not know: the first of those given
/// that is the same but for upper case and the namespace before it, else the name itself.
pub fn as_written<'a>(name: &'a str, given: impl IntoIterator<Item = &'a str>) -> &'a str {
    let same = |given: &&str| {
        let before = name.len().checked_sub(given.len());
        before.filter(|_| !given.is_empty()).is_some_and(|at| {
            name.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(given))
                && (at == 0 || name.as_bytes()[at - 1] == b'/')
        })
    };
    given.into_iter().map(str::trim).find(same).unwrap_or(name)
}

fn is_observer(service: &str) -> bool {
    let lower = service.to_lowercase();
    OBSERVERS.iter().any(|o| lower.contains(o))
        || lower.ends_with("-exporter")
        || lower.ends_with("_exporter")
}
