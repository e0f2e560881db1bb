//! What sort of thing a node is, and what sort of dependency an edge is. Unknown words are kept and mean the plainest.

/// What sort of thing a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// A service.
    Service,
    /// One running copy of a service: process, pod, container, broker.
    Instance,
    /// A machine, virtual or not.
    Host,
    /// A database.
    Database,
    /// A cache.
    Cache,
    /// A queue, topic, log or broker.
    Queue,
    /// A gateway, proxy or load balancer.
    Gateway,
    /// A function run by a platform.
    Lambda,
    /// Somebody else's.
    External,
    /// Something that only calls: a browser, a load generator, the calling side of a service.
    Client,
    /// Coordination and configuration: registries, locks, discovery, DNS.
    Coordination,
    /// A word that we do not know.
    Other,
}

impl NodeKind {
    /// The kind that a word of the document means.
    pub fn from_word(word: &str) -> NodeKind {
        match word.to_ascii_lowercase().as_str() {
            "service" | "app" | "application" | "api" | "workload" | "deployment" => NodeKind::Service,
            "instance" | "pod" | "container" | "process" | "task" | "replica" | "broker" => {
                NodeKind::Instance
            }
            "host" | "node" | "machine" | "vm" | "server" | "hypervisor" => NodeKind::Host,
            "database" | "db" | "store" | "table" | "bucket" => NodeKind::Database,
            "cache" => NodeKind::Cache,
            "queue" | "topic" | "stream" => NodeKind::Queue,
            "gateway" | "proxy" | "load_balancer" | "loadbalancer" | "ingress" => NodeKind::Gateway,
            "lambda" | "function" => NodeKind::Lambda,
            "external" | "third_party" | "saas" => NodeKind::External,
            "client" | "browser" => NodeKind::Client,
            "coordination" | "registry" | "discovery" | "dns" | "configuration" | "config" => {
                NodeKind::Coordination
            }
            _ => NodeKind::Other,
        }
    }
}

/// What sort of dependency an edge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// `from` calls `to`.
    Calls,
    /// `from` consists of copies, `to` is one of them.
    ComposedOf,
    /// `from` runs on the machine, in the rack or zone, or by the power, `to`.
    RunsOn,
    /// Any other dependency, `registers_with` and unknown words among them.
    Plain,
}

impl Relation {
    /// The relation that a word of the document means.
    pub fn from_word(word: &str) -> Relation {
        match word.to_ascii_lowercase().as_str() {
            "calls" | "reads" | "writes" | "queries" | "invokes" => Relation::Calls,
            "composed_of" | "has_instance" => Relation::ComposedOf,
            "runs_on" | "runs_in" | "hosted_on" | "hosted_in" | "scheduled_on" | "deployed_on"
            | "located_in" | "powered_by" => Relation::RunsOn,
            _ => Relation::Plain,
        }
    }
}
