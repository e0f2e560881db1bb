//! The graph itself: what the document says, and everything that is derived from it once per version.

use std::{collections::BTreeMap, fmt, sync::OnceLock};

use model::{Edge, Hash128, Labels, Node, Text, TopologyChange, TopologyDocument};

use crate::{
    AliasSuggestion, NodeKind, Relation,
    fold::{self, Folds},
    links::Links,
    names::Names,
    reach,
};

/// A node within one version of the graph: its place in the order of the ids, so comparing two compares their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// By the name of a label: how many nodes carry it, and how many each value.
type LabelCounts = BTreeMap<Text, (u32, BTreeMap<Text, u32>)>;

/// One version of the topology.
#[derive(Clone)]
pub struct Graph {
    version: Text,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    pub(crate) kinds: Vec<NodeKind>,
    pub(crate) folds: Folds,
    /// Any edge between services (instances folded), without direction.
    pub(crate) near: Links,
    /// Services that a service depends on, hosts among them.
    pub(crate) down: Links,
    /// Services that depend on a service.
    pub(crate) up: Links,
    /// Services one call away, without direction.
    pub(crate) calls: Links,
    /// Like `down`, between things (aliases folded too), without hosts.
    pub(crate) needs: Links,
    /// Like `up`, between things, without residents of hosts.
    pub(crate) needed_by: Links,
    /// Hosts that a thing runs on.
    pub(crate) hosts: Links,
    /// Things that run on a host.
    pub(crate) residents: Links,
    /// Hosts of each node itself, before any folding.
    pub(crate) own_hosts: Links,
    /// Smallest service of the connected component.
    pub(crate) components: Vec<NodeId>,
    pub(crate) component_sizes: Vec<u32>,
    pub(crate) names: Names,
    label_counts: OnceLock<LabelCounts>,
    pub(crate) near_cache: Vec<OnceLock<Box<[NodeId]>>>,
    pub(crate) ball_cache: Vec<OnceLock<Box<[NodeId]>>>,
}

impl Graph {
    /// A graph without nodes, version empty.
    pub fn empty() -> Graph {
        Graph::build(Text::default(), Vec::new(), Vec::new())
    }

    /// The graph of a document. Of nodes with one id the last counts; an edge to a node that is not listed brings it
    /// in with an unknown kind.
    pub fn from_document(document: &TopologyDocument, version: &str) -> Graph {
        let nodes: BTreeMap<Text, Node> = document.nodes.iter().map(|n| (n.id.clone(), n.clone())).collect();
        Graph::build(
            version.into(),
            nodes.into_values().collect(),
            document.edges.clone(),
        )
    }

    /// The next version after a change: removals first, then what appears. Node handles of the old version are void.
    /// The new version's name is a hash of the old one and the change, so equal histories have equal names.
    pub fn apply(&mut self, change: &TopologyChange) {
        let mut nodes: BTreeMap<Text, Node> = self.nodes.drain(..).map(|n| (n.id.clone(), n)).collect();
        let mut edges = std::mem::take(&mut self.edges);
        for id in &change.remove_nodes {
            nodes.remove(id);
        }
        let gone: std::collections::BTreeSet<&Text> = change.remove_nodes.iter().collect();
        edges
            .retain(|e| !gone.contains(&e.from) && !gone.contains(&e.to) && !change.remove_edges.contains(e));
        for node in &change.upsert_nodes {
            nodes.insert(node.id.clone(), node.clone());
        }
        edges.extend(change.upsert_edges.iter().cloned());
        *self = Graph::build(
            next_version(&self.version, change),
            nodes.into_values().collect(),
            edges,
        );
    }

    fn build(version: Text, mut nodes: Vec<Node>, mut edges: Vec<Edge>) -> Graph {
        edges.sort_unstable();
        edges.dedup();
        add_unlisted(&mut nodes, &edges);
        let place = |id: &Text| {
            nodes
                .binary_search_by(|n| n.id.cmp(id))
                .ok()
                .map(|i| NodeId(i as u32))
        };
        let kinds: Vec<NodeKind> = nodes
            .iter()
            .map(|n| {
                if n.external {
                    NodeKind::External
                } else {
                    NodeKind::from_word(&n.kind)
                }
            })
            .collect();
        let raw: Vec<(NodeId, NodeId, Relation)> = edges
            .iter()
            .filter_map(|e| Some((place(&e.from)?, place(&e.to)?, Relation::from_word(&e.kind))))
            .collect();
        let folds = fold::folds(&nodes, &kinds, &raw);
        let n = nodes.len();
        let (mut near, mut down, mut up, mut calls) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut needs, mut needed_by, mut hosts, mut residents) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut own_hosts = Vec::new();
        for &(from, to, relation) in &raw {
            if relation == Relation::RunsOn {
                own_hosts.push((from, to));
            }
            let (a, b) = (folds.service(from), folds.service(to));
            if a != b {
                near.extend([(a, b), (b, a)]);
                down.push((a, b));
                up.push((b, a));
                if relation == Relation::Calls {
                    calls.extend([(a, b), (b, a)]);
                }
            }
            let (a, b) = (folds.thing(from), folds.thing(to));
            if a != b {
                match relation {
                    Relation::RunsOn => {
                        hosts.push((a, b));
                        residents.push((b, a));
                    }
                    _ => {
                        needs.push((a, b));
                        needed_by.push((b, a));
                    }
                }
            }
        }
        let near = Links::new(n, near);
        let (components, component_sizes) = reach::components(&folds, &near, n);
        let names = Names::new(&nodes, &kinds);
        Graph {
            version,
            kinds,
            down: Links::new(n, down),
            up: Links::new(n, up),
            calls: Links::new(n, calls),
            needs: Links::new(n, needs),
            needed_by: Links::new(n, needed_by),
            hosts: Links::new(n, hosts),
            residents: Links::new(n, residents),
            own_hosts: Links::new(n, own_hosts),
            near,
            components,
            component_sizes,
            names,
            label_counts: OnceLock::new(),
            near_cache: vec![OnceLock::new(); n],
            ball_cache: vec![OnceLock::new(); n],
            folds,
            nodes,
            edges,
        }
    }

    /// Name of the version; empty for no topology.
    pub fn version(&self) -> &str {
        &self.version
    }
    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }
    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
    /// All nodes in the order of their ids.
    pub fn node_ids(&self) -> impl ExactSizeIterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }
    /// The document in force: nodes and edges in their order, so that a state row can hold it.
    pub fn document(&self) -> TopologyDocument {
        TopologyDocument {
            nodes: self.nodes.clone(),
            edges: self.edges.clone(),
        }
    }
    /// The node with exactly this id.
    pub fn find(&self, id: &str) -> Option<NodeId> {
        self.nodes
            .binary_search_by(|n| n.id.as_str().cmp(id))
            .ok()
            .map(|i| NodeId(i as u32))
    }
    /// The node as the document gives it.
    ///
    /// # Panics
    /// When the handle is of another version and too large; the other accessors give nothing then.
    pub fn node(&self, node: NodeId) -> &Node {
        &self.nodes[node.index()]
    }
    /// The node as the document gives it, or `None` for a handle of another version.
    pub fn get(&self, node: NodeId) -> Option<&Node> {
        self.nodes.get(node.index())
    }
    /// The id of a node; empty for a handle of another version.
    pub fn id(&self, node: NodeId) -> &Text {
        static NOTHING: Text = Text::const_new("");
        self.nodes.get(node.index()).map_or(&NOTHING, |n| &n.id)
    }
    /// What sort of thing it is.
    pub fn kind(&self, node: NodeId) -> NodeKind {
        self.kinds.get(node.index()).copied().unwrap_or(NodeKind::Other)
    }
    /// Its labels.
    pub fn labels(&self, node: NodeId) -> &Labels {
        static NOTHING: Labels = Labels::new();
        self.nodes.get(node.index()).map_or(&NOTHING, |n| &n.labels)
    }
    /// Whether it is somebody else's.
    pub fn is_external(&self, node: NodeId) -> bool {
        self.kind(node) == NodeKind::External
    }

    /// The service that an instance is a copy of; any other node is its own.
    pub fn service(&self, node: NodeId) -> NodeId {
        self.folds.service(node)
    }
    /// The one node that stands for all names of this thing: instances folded into their service, and the several
    /// names that a tracing tool gives one service (`x`, `x_client`, `X_AWS::Lambda`) into one.
    pub fn thing(&self, node: NodeId) -> NodeId {
        self.folds.thing(node)
    }
    /// External names that probably are one of our services under another name. To be confirmed by somebody, never
    /// assumed.
    pub fn alias_suggestions(&self) -> &[AliasSuggestion] {
        &self.folds.suggestions
    }

    /// Of the nodes that carry a label of this name, the share that carries this value; 0 when none does.
    pub fn label_share(&self, name: &str, value: &str) -> f64 {
        let counts = self.label_counts.get_or_init(|| {
            let mut counts = LabelCounts::new();
            for node in &self.nodes {
                for (name, value) in node.labels.iter() {
                    let (all, values) = counts.entry(name.into()).or_default();
                    *all += 1;
                    *values.entry(value.into()).or_default() += 1;
                }
            }
            counts
        });
        let Some((all, values)) = counts.get(name) else {
            return 0.0;
        };
        f64::from(values.get(value).copied().unwrap_or(0)) / f64::from(*all)
    }

    /// Things that a thing depends on directly, without its hosts. For representatives ([`Graph::thing`]).
    pub fn needs(&self, thing: NodeId) -> &[NodeId] {
        self.needs.of(thing)
    }
    /// Things that depend on a thing directly, without residents of a host. For representatives.
    pub fn needed_by(&self, thing: NodeId) -> &[NodeId] {
        self.needed_by.of(thing)
    }
    /// Hosts that a thing, or any of its instances, runs on. For representatives.
    pub fn hosts(&self, thing: NodeId) -> &[NodeId] {
        self.hosts.of(thing)
    }
    /// Things that run on a host, themselves or by an instance.
    pub fn residents(&self, host: NodeId) -> &[NodeId] {
        self.residents.of(host)
    }
    /// Hosts that this very node runs on, before any folding.
    pub fn own_hosts(&self, node: NodeId) -> &[NodeId] {
        self.own_hosts.of(node)
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Graph {{ version: {:?}, nodes: {}, edges: {} }}",
            self.version,
            self.nodes.len(),
            self.edges.len()
        )
    }
}

impl Default for Graph {
    fn default() -> Graph {
        Graph::empty()
    }
}

/// Nodes must be sorted by id, and are afterwards.
fn add_unlisted(nodes: &mut Vec<Node>, edges: &[Edge]) {
    let mut missing: Vec<Text> = edges
        .iter()
        .flat_map(|e| [&e.from, &e.to])
        .filter(|id| nodes.binary_search_by(|n| n.id.cmp(id)).is_err())
        .cloned()
        .collect();
    if missing.is_empty() {
        return;
    }
    missing.sort_unstable();
    missing.dedup();
    nodes.extend(missing.into_iter().map(|id| Node {
        id,
        kind: Text::const_new("unknown"),
        ..Node::default()
    }));
    nodes.sort_unstable_by(|a, b| a.id.cmp(&b.id));
}

fn next_version(version: &str, change: &TopologyChange) -> Text {
    let mut hash = Hash128::new("topology change/1");
    hash.part(version.as_bytes())
        .part(&change.at.nanos().to_le_bytes());
    for node in &change.upsert_nodes {
        hash.part(b"node")
            .part(node.id.as_bytes())
            .part(node.kind.as_bytes());
        hash.maybe(node.team.as_deref().map(str::as_bytes))
            .part(&[u8::from(node.external)]);
        for alias in &node.aliases {
            hash.part(b"alias").part(alias.as_bytes());
        }
        for (name, value) in node.labels.iter() {
            hash.part(name.as_bytes()).part(value.as_bytes());
        }
    }
    for id in &change.remove_nodes {
        hash.part(b"remove node").part(id.as_bytes());
    }
    for (what, edges) in [
        ("edge", &change.upsert_edges),
        ("remove edge", &change.remove_edges),
    ] {
        for e in edges {
            hash.part(what.as_bytes())
                .part(e.from.as_bytes())
                .part(e.to.as_bytes())
                .part(e.kind.as_bytes());
        }
    }
    compact_str::format_compact!("{:016x}", (hash.finish() >> 64) as u64)
}
