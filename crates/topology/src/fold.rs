//! Which nodes are one thing.
//!
//! Two foldings. *Service*: a copy (`composed_of`) stands for its service; grouping works on these. *Thing*: besides,
//! the several names that one service has in a trace-derived graph; blame works on these, or a fault would be shared
//! out among the names of one culprit. Only what the names themselves or the shape of the graph make certain is
//! folded; what is merely likely is a suggestion.

use std::collections::BTreeMap;

use model::{Node, Text};

use crate::{NodeId, NodeKind, Relation, spelling};

/// An external name that probably is one of our own services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasSuggestion {
    /// The external name.
    pub external: NodeId,
    /// The service that it probably is.
    pub service: NodeId,
    /// The part of the name that occurs in no other service.
    pub token: Text,
}

/// Representatives by node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folds {
    services: Vec<NodeId>,
    things: Vec<NodeId>,
    pub(crate) suggestions: Vec<AliasSuggestion>,
}

impl Folds {
    pub(crate) fn service(&self, node: NodeId) -> NodeId {
        self.services.get(node.index()).copied().unwrap_or(node)
    }
    pub(crate) fn thing(&self, node: NodeId) -> NodeId {
        self.things.get(node.index()).copied().unwrap_or(node)
    }
}

pub(crate) fn folds(nodes: &[Node], kinds: &[NodeKind], edges: &[(NodeId, NodeId, Relation)]) -> Folds {
    let services = services(kinds, edges);
    let things = things(nodes, kinds, edges, &services);
    let suggestions = suggestions(nodes, kinds, &things);
    Folds {
        services,
        things,
        suggestions,
    }
}

/// Follows `composed_of` upwards. A service that is composed of services is a product, not one thing, and stays apart.
fn services(kinds: &[NodeKind], edges: &[(NodeId, NodeId, Relation)]) -> Vec<NodeId> {
    let mut whole: Vec<Option<NodeId>> = vec![None; kinds.len()];
    for &(from, to, relation) in edges {
        let part = matches!(
            kinds[to.index()],
            NodeKind::Instance | NodeKind::Database | NodeKind::Cache | NodeKind::Queue | NodeKind::Other
        );
        // Edges are sorted, so the first of several wholes is the one with the smallest name.
        if relation == Relation::ComposedOf && part && from != to && whole[to.index()].is_none() {
            whole[to.index()] = Some(from);
        }
    }
    let top = |node: usize| {
        let mut at = NodeId(node as u32);
        // A circle of parts is cut after as many steps as nobody nests.
        for _ in 0..8 {
            match whole[at.index()] {
                Some(next) if next.index() != node => at = next,
                _ => break,
            }
        }
        at
    };
    (0..kinds.len()).map(top).collect()
}

fn things(
    nodes: &[Node],
    kinds: &[NodeKind],
    edges: &[(NodeId, NodeId, Relation)],
    services: &[NodeId],
) -> Vec<NodeId> {
    let mut same: Vec<usize> = services.iter().map(|s| s.index()).collect();
    let mut by_base: BTreeMap<String, usize> = BTreeMap::new();
    for (i, node) in nodes.iter().enumerate() {
        if let Some(base) = spelling::traced_base(&node.id) {
            join(&mut same, *by_base.entry(base.to_lowercase()).or_insert(i), i);
        }
    }
    for (i, node) in nodes.iter().enumerate() {
        let lower = node.id.as_str().to_lowercase();
        if let Some(&first) = by_base.get(&lower)
            && spelling::traced_base(&node.id).is_none()
        {
            join(&mut same, first, i);
        }
    }
    // The calling side of exactly one thing is that thing's front door.
    let mut callees: Vec<Option<Option<usize>>> = vec![None; nodes.len()];
    for &(from, to, relation) in edges {
        if kinds[from.index()] == NodeKind::Client && relation != Relation::RunsOn {
            let callee = services[to.index()].index();
            callees[from.index()] = match callees[from.index()] {
                None => Some(Some(callee)),
                Some(Some(known)) if known == callee => Some(Some(callee)),
                _ => Some(None),
            };
        }
    }
    for (i, callee) in callees.iter().enumerate() {
        if let Some(Some(callee)) = callee {
            join(&mut same, *callee, i);
        }
    }
    let roots: Vec<usize> = (0..nodes.len()).map(|i| root(&mut same, i)).collect();
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (i, &r) in roots.iter().enumerate() {
        if services[i].index() == i {
            members.entry(r).or_default().push(i);
        }
    }
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for &(from, to, _) in edges {
        let (a, b) = (services[from.index()].index(), services[to.index()].index());
        if a != b && roots[a] == roots[b] {
            below[a].push(b);
        }
    }
    let mut stands_for: BTreeMap<usize, NodeId> = BTreeMap::new();
    for (&r, list) in &members {
        let best = if list.len() == 1 {
            list[0]
        } else {
            deepest(list, kinds, &below)
        };
        stands_for.insert(r, NodeId(best as u32));
    }
    roots
        .iter()
        .enumerate()
        .map(|(i, r)| stands_for.get(r).copied().unwrap_or(NodeId(i as u32)))
        .collect()
}

/// The member of a thing that answers for it: our own before external and client names, then the one furthest down
/// the calls between the members, then the smallest name.
fn deepest(members: &[usize], kinds: &[NodeKind], below: &[Vec<usize>]) -> usize {
    let depth = |start: usize| {
        let (mut seen, mut edge, mut depth) = (vec![start], vec![start], 0usize);
        while !edge.is_empty() && depth < members.len() {
            let mut next: Vec<usize> = edge.iter().flat_map(|&i| below[i].iter().copied()).collect();
            next.sort_unstable();
            next.dedup();
            next.retain(|i| !seen.contains(i));
            seen.extend(&next);
            depth += usize::from(!next.is_empty());
            edge = next;
        }
        depth
    };
    let foreign = |i: usize| matches!(kinds[i], NodeKind::External | NodeKind::Client);
    members
        .iter()
        .copied()
        .min_by_key(|&i| (foreign(i), depth(i), i))
        .expect("a thing has at least one member")
}

fn root(same: &mut [usize], mut i: usize) -> usize {
    while same[i] != i {
        same[i] = same[same[i]];
        i = same[i];
    }
    i
}

fn join(same: &mut [usize], a: usize, b: usize) {
    let (a, b) = (root(same, a), root(same, b));
    // The smaller index leads, so the result does not depend on the order of joins.
    same[a.max(b)] = a.min(b);
}

/// Letters that a token must have to identify a service.
const TOKEN_LETTERS_MIN: usize = 5;

/// Names are compared with tokens at most so often; a larger graph gets no suggestions.
const SUGGESTION_COMPARISONS_MAX: usize = 4_000_000;

/// An external name whose first host label holds a word that occurs in exactly one of our services' names, where of a
/// host name only its first label counts, too: what is hosted at `orders.rds.amazonaws.com` is not named for Amazon.
fn suggestions(nodes: &[Node], kinds: &[NodeKind], things: &[NodeId]) -> Vec<AliasSuggestion> {
    let externals: Vec<usize> = (0..nodes.len())
        .filter(|&i| kinds[i] == NodeKind::External)
        .collect();
    if externals.is_empty() {
        return Vec::new();
    }
    let mut tokens: BTreeMap<(&str, String), Vec<usize>> = BTreeMap::new();
    for &i in &externals {
        let host = spelling::first_label(spelling::unqualified(&nodes[i].id)).to_lowercase();
        for token in host
            .split(|c: char| !c.is_ascii_alphabetic())
            .filter(|t| t.len() >= TOKEN_LETTERS_MIN)
        {
            tokens
                .entry((spelling::qualifier(&nodes[i].id), token.to_owned()))
                .or_default()
                .push(i);
        }
    }
    let mut found = Vec::new();
    if tokens.len() * nodes.len() > SUGGESTION_COMPARISONS_MAX {
        return found;
    }
    let lower: Vec<String> = nodes
        .iter()
        .map(|n| spelling::first_label(&n.id[spelling::qualifier(&n.id).len()..]).to_lowercase())
        .collect();
    for ((system, token), externals) in tokens {
        let mut owners: Vec<NodeId> = (0..nodes.len())
            .filter(|&i| !matches!(kinds[i], NodeKind::External | NodeKind::Client | NodeKind::Host))
            .filter(|&i| lower[i].contains(&token) && spelling::qualifier(&nodes[i].id) == system)
            .map(|i| things[i])
            .collect();
        owners.sort_unstable();
        owners.dedup();
        if let [service] = owners[..] {
            let suggest = |&i: &usize| AliasSuggestion {
                external: NodeId(i as u32),
                service,
                token: token.as_str().into(),
            };
            found.extend(externals.iter().filter(|&&i| things[i] != service).map(suggest));
        }
    }
    found.sort_unstable_by_key(|s| (s.external, s.service));
    found.dedup_by(|a, b| a.external == b.external && a.service == b.service);
    found
}
