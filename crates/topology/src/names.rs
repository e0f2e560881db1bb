//! The index of names: from a spelling to the node it means, or to all that it could mean.
//!
//! Forms of a name are tried from the most to the least precise. The first form that meets any node decides; when it
//! meets more than one thing the name is ambiguous, which is said, never guessed.

use model::{Node, Text};

use crate::{Graph, NodeId, NodeKind, spelling};

/// What a name means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Resolution {
    /// One node.
    Known(NodeId),
    /// One of these, in their order; the name does not tell which.
    Ambiguous(Vec<NodeId>),
    /// Nothing in the graph.
    #[default]
    Unknown,
}

impl Resolution {
    /// The node, when there is exactly one.
    pub fn known(&self) -> Option<NodeId> {
        match self {
            Resolution::Known(node) => Some(*node),
            _ => None,
        }
    }
}

/// How surely a key of the index is the node's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    /// Its id or a declared alias, in any case of letters.
    Own,
    /// Its id without the first of several qualifiers (`west/shop/checkout` by `shop/checkout`).
    Qualified,
    /// A shorter form: without qualifier, without domain, without a tracer's suffix, the resource of an ARN.
    Short,
    /// As plain words: separators alike, and without the word `service`.
    Plain,
}

/// Sorted keys with the nodes that they may mean.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    keys: Vec<(Text, Level, NodeId)>,
    /// First qualifiers that occur, sorted: a namespace among them contradicts another.
    qualifiers: Vec<Text>,
}

/// Where a name was said to be, to choose between equal names and to refuse wrong ones.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Context<'a> {
    pub(crate) cluster: Option<&'a str>,
    pub(crate) namespace: Option<&'a str>,
}

/// What sort of name it is; more may be dropped from a host's than from a service's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameOf {
    Service,
    /// Pods, instances and the ends of a call: a controller's random words may be dropped.
    Copy,
    Host,
}

impl Names {
    pub(crate) fn new(nodes: &[Node], kinds: &[NodeKind]) -> Names {
        let mut keys = Vec::with_capacity(nodes.len() * 3);
        let mut qualifiers = Vec::new();
        for (i, node) in nodes.iter().enumerate() {
            let id = NodeId(i as u32);
            for name in std::iter::once(&node.id).chain(&node.aliases) {
                let lower = name.to_lowercase();
                let mut short = |form: &str| {
                    if !form.is_empty() && form != lower {
                        keys.push((Text::from(form), Level::Short, id));
                    }
                };
                let last = spelling::unqualified(&lower);
                short(last);
                if drops_domain(kinds[i], last) {
                    short(spelling::first_label(last));
                }
                if let Some(base) = spelling::traced_base(&lower) {
                    short(base);
                    short(spelling::unqualified(base));
                }
                if let Some(resource) = spelling::arn_resource(&lower) {
                    short(resource);
                }
                if let Some((service, namespace)) = spelling::kubernetes_dns(&lower) {
                    short(service);
                    keys.push((
                        compact_str::format_compact!("{namespace}/{service}"),
                        Level::Qualified,
                        id,
                    ));
                }
                if !lower.contains("://") && lower.matches('/').count() >= 2 {
                    let from = lower.find('/').map_or(0, |at| at + 1);
                    keys.push((Text::from(&lower[from..]), Level::Qualified, id));
                }
                let qualifier = spelling::qualifier(&lower);
                if !qualifier.is_empty() {
                    qualifiers.push(Text::from(qualifier));
                }
                // What is somebody else's, or a machine, is known by its very name.
                if !matches!(kinds[i], NodeKind::External | NodeKind::Host)
                    && let Some(plain) = spelling::plain(name)
                {
                    keys.push((plain, Level::Plain, id));
                }
                keys.push((Text::from(lower), Level::Own, id));
            }
            if let Some(namespace) = node.labels.get("namespace") {
                let last = spelling::unqualified(&node.id).to_lowercase();
                keys.push((
                    compact_str::format_compact!("{}/{last}", namespace.to_lowercase()),
                    Level::Qualified,
                    id,
                ));
            }
        }
        keys.sort_unstable();
        keys.dedup();
        qualifiers.sort_unstable();
        qualifiers.dedup();
        Names { keys, qualifiers }
    }

    /// Nodes under a key, up to a level, best level first.
    fn under<'a>(&'a self, key: &'a str, level: Level) -> impl Iterator<Item = (Level, NodeId)> + 'a {
        let from = self.keys.partition_point(|(k, _, _)| k.as_str() < key);
        self.keys[from..]
            .iter()
            .take_while(move |(k, _, _)| k == key)
            .filter(move |(_, l, _)| *l <= level)
            .map(|&(_, l, node)| (l, node))
    }

    fn is_qualifier(&self, name: &str) -> bool {
        self.qualifiers.binary_search_by(|q| q.as_str().cmp(name)).is_ok()
    }
}

impl Graph {
    /// The node that a name means, whatever sort of name it is.
    pub fn name(&self, name: &str) -> Resolution {
        self.look_up(name, NameOf::Service, Context::default())
    }

    pub(crate) fn look_up(&self, name: &str, of: NameOf, context: Context<'_>) -> Resolution {
        let name = name.trim();
        if name.is_empty() || self.is_empty() {
            return Resolution::Unknown;
        }
        if let Some(node) = self.find(name)
            && (context.namespace.is_none() || name.contains('/') || !self.contradicts(node, context))
        {
            // A qualified twin is what a name with a namespace means.
            if context
                .namespace
                .is_none_or(|ns| self.find(&format!("{ns}/{name}")).is_none())
            {
                return Resolution::Known(node);
            }
        }
        let lower = name.to_lowercase();
        let cluster = context.cluster.map(str::to_lowercase);
        let namespace = context.namespace.map(str::to_lowercase);
        let mut tries = Tries {
            graph: self,
            context,
            said: &lower,
            found: Resolution::Unknown,
        };
        let done = tries.forms(&lower, cluster.as_deref(), namespace.as_deref(), of);
        if done {
            return tries.found;
        }
        // A copy is what its controller made it of.
        let stem = spelling::workload_of(spelling::unqualified(&lower)).or_else(|| {
            (of == NameOf::Copy)
                .then(|| spelling::numbered_of(spelling::unqualified(&lower)))
                .flatten()
        });
        if let Some(stem) = stem {
            let qualified = match spelling::qualifier(&lower) {
                "" => stem.to_owned(),
                q => format!("{q}/{stem}"),
            };
            if tries.forms(
                &qualified,
                cluster.as_deref(),
                namespace.as_deref(),
                NameOf::Service,
            ) {
                return tries.found;
            }
        }
        if of != NameOf::Host
            && let Some(plain) = spelling::plain(stem.unwrap_or(name))
            && tries.at(&plain, Level::Plain)
        {
            return tries.found;
        }
        // What belongs elsewhere is not found by a part of its name.
        if of != NameOf::Host
            && let Some(node) = self.by_part(stem.unwrap_or(name), false)
            && !self.contradicts(node, context)
        {
            return Resolution::Known(node);
        }
        Resolution::Unknown
    }

    /// What plain words name, wherever it is.
    pub(crate) fn plain(&self, words: &str) -> Resolution {
        let mut tries = Tries {
            graph: self,
            context: Context::default(),
            said: words,
            found: Resolution::Unknown,
        };
        tries.at(words, Level::Plain);
        tries.found
    }

    /// Whether the event says a place that this node is not in.
    fn contradicts(&self, node: NodeId, context: Context<'_>) -> bool {
        let Some(namespace) = context.namespace else {
            return false;
        };
        let given = self.node(node);
        if let Some(own) = given.labels.get("namespace") {
            return !own.eq_ignore_ascii_case(namespace);
        }
        let id = given.id.to_lowercase();
        let namespace = namespace.to_lowercase();
        let mut segments = id.rsplit('/').skip(1).peekable();
        if segments.peek().is_none() || id.contains("://") {
            return false;
        }
        // A namespace that the graph knows as a qualifier parts; any other word may be another way of dividing.
        self.names.is_qualifier(&namespace) && !segments.any(|s| s == namespace)
    }
}

/// Whether a node may be meant by the first label of its name. Two labels of a service may be a package and a class,
/// and the first label of somebody else's name (`api`, `www`) is not theirs alone.
fn drops_domain(kind: NodeKind, name: &str) -> bool {
    match kind {
        NodeKind::Host | NodeKind::Instance => true,
        NodeKind::External => false,
        _ => spelling::host_part(name).split('.').count() >= 3,
    }
}

/// One look-up in progress.
struct Tries<'a> {
    graph: &'a Graph,
    context: Context<'a>,
    said: &'a str,
    found: Resolution,
}

impl Tries<'_> {
    /// Tries the forms of one name; whether one of them met something.
    fn forms(&mut self, name: &str, cluster: Option<&str>, namespace: Option<&str>, of: NameOf) -> bool {
        if let Some(ns) = namespace {
            let qualified = format!("{ns}/{name}");
            let full = cluster.map(|c| format!("{c}/{qualified}"));
            if full.is_some_and(|full| self.at(&full, Level::Own)) || self.at(&qualified, Level::Qualified) {
                return true;
            }
        }
        if let Some(cluster) = cluster
            && self.at(&format!("{cluster}/{name}"), Level::Own)
        {
            return true;
        }
        if self.at(name, Level::Qualified) {
            return true;
        }
        if let Some((service, namespace)) = spelling::kubernetes_dns(name) {
            let qualified = format!("{namespace}/{service}");
            let full = cluster.map(|c| format!("{c}/{qualified}"));
            return full.is_some_and(|full| self.at(&full, Level::Own))
                || self.at(&qualified, Level::Qualified)
                || self.within(service, namespace, Level::Short);
        }
        let host = spelling::host_part(name);
        if host != name && self.at(host, Level::Own) {
            return true;
        }
        if of != NameOf::Host
            && let Some((service, rest)) = host.split_once('.')
            && self.at(&format!("{rest}/{service}"), Level::Qualified)
        {
            return true;
        }
        if self.at(spelling::unqualified(name), Level::Short) {
            return true;
        }
        if let Some(resource) = spelling::arn_resource(name)
            && self.at(resource, Level::Short)
        {
            return true;
        }
        if let Some(base) = spelling::traced_base(name)
            && (self.at(base, Level::Own) || self.at(spelling::unqualified(base), Level::Short))
        {
            return true;
        }
        // Two labels may be a package and a class; a service's domain has more.
        let labels = host.split('.').count();
        if spelling::is_address(host) || labels < 2 || (of == NameOf::Service && labels < 3) {
            return false;
        }
        let first = spelling::first_label(host).to_owned();
        self.machine(&first, host)
    }

    /// Takes what is under a key unless the place contradicts; whether there was anything.
    fn at(&mut self, key: &str, level: Level) -> bool {
        let (graph, context) = (self.graph, self.context);
        let fits = |node: NodeId, l: Level| {
            // Whole ids that were said in full need no further proof.
            (l == Level::Own && key.contains('/')) || !graph.contradicts(node, context)
        };
        let said_qualifier = spelling::qualifier(self.said);
        let other_place = |node: NodeId, l: Level| {
            // `a/x` never means `b/x`.
            l >= Level::Short && !said_qualifier.is_empty() && {
                let id = graph.id(node).to_lowercase();
                let own = spelling::qualifier(&id);
                !own.is_empty() && own != said_qualifier
            }
        };
        let nodes: Vec<(Level, NodeId)> = graph
            .names
            .under(key, level)
            .filter(|&(l, n)| fits(n, l) && !other_place(n, l))
            .collect();
        self.take(nodes)
    }

    /// Like [`Tries::at`] with a namespace that the name itself gives.
    fn within(&mut self, key: &str, namespace: &str, level: Level) -> bool {
        let context = Context {
            namespace: Some(namespace),
            ..self.context
        };
        let graph = self.graph;
        let nodes = graph
            .names
            .under(key, level)
            .filter(|&(_, n)| !graph.contradicts(n, context))
            .collect();
        self.take(nodes)
    }

    /// Nodes whose host name is this one with more or less of its domain.
    fn machine(&mut self, first: &str, host: &str) -> bool {
        let graph = self.graph;
        let nodes: Vec<(Level, NodeId)> = graph
            .names
            .under(first, Level::Short)
            .filter(|&(_, n)| {
                let given = graph.node(n);
                std::iter::once(&given.id)
                    .chain(&given.aliases)
                    .any(|name| spelling::same_machine(spelling::unqualified(name), host))
            })
            .collect();
        self.take(nodes)
    }

    fn take(&mut self, mut nodes: Vec<(Level, NodeId)>) -> bool {
        let Some(best) = nodes.iter().map(|(l, _)| *l).min() else {
            return false;
        };
        nodes.retain(|(l, _)| *l == best);
        let mut nodes: Vec<NodeId> = nodes.into_iter().map(|(_, n)| n).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let mut things: Vec<NodeId> = nodes.iter().map(|&n| self.graph.thing(n)).collect();
        things.sort_unstable();
        things.dedup();
        self.found = match (&nodes[..], &things[..]) {
            ([node], _) => Resolution::Known(*node),
            (_, [thing]) => Resolution::Known(*thing),
            _ => Resolution::Ambiguous(nodes),
        };
        true
    }
}
