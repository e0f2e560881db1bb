//! How near two things are: components, rings, and the neighbourhoods that grouping works in.
//!
//! All on services (instances folded). A hub (more than [`HUB_NEIGHBOURS_MAX`] neighbours) is reached but not passed:
//! what everything touches connects nothing.

use crate::{Graph, NodeId, fold::Folds, links::Links};

/// A service with more neighbours than this is a hub.
pub const HUB_NEIGHBOURS_MAX: usize = 16;

/// A system with more services than this is divided into neighbourhoods; up to it everything is near everything.
pub const LARGE_SYSTEM_NODES: usize = 32;

/// But for what is more steps away than this: a call reaches that far in no public system of that size.
const SMALL_SYSTEM_HOPS: u32 = 6;

/// In a large system, symptoms within so many steps are company of a symptom.
pub const BALL_HOPS: u32 = 2;

/// Steps down or up within which a fault shows.
const NEAR_HOPS: u32 = 3;

/// Steps down to a shared dependency, and up from it again.
const SHARED_HOPS: u32 = 1;

/// Direct calls of a service that are looked at.
const CALLS_MAX: usize = 16;

/// Which way to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To what it depends on.
    Down,
    /// To what depends on it.
    Up,
    /// Both ways.
    Any,
}

/// The smallest service of each node's component, and the component's size in services.
pub(crate) fn components(folds: &Folds, near: &Links, nodes: usize) -> (Vec<NodeId>, Vec<u32>) {
    let mut of: Vec<Option<NodeId>> = vec![None; nodes];
    let mut sizes = vec![0u32; nodes];
    for start in 0..nodes {
        let root = NodeId(start as u32);
        if folds.service(root) != root || of[start].is_some() {
            continue;
        }
        of[start] = Some(root);
        let mut todo = vec![root];
        while let Some(at) = todo.pop() {
            sizes[start] += u32::from(folds.thing(at) == at);
            for &next in near.of(at) {
                if of[next.index()].is_none() {
                    of[next.index()] = Some(root);
                    todo.push(next);
                }
            }
        }
    }
    let of = (0..nodes as u32)
        .map(|i| {
            let service = folds.service(NodeId(i));
            of[service.index()].unwrap_or(service)
        })
        .collect();
    (of, sizes)
}

impl Graph {
    /// The system that a node is part of, named by the smallest service in it. Alone it is its own.
    pub fn component(&self, node: NodeId) -> NodeId {
        self.components.get(node.index()).copied().unwrap_or(node)
    }
    /// How many services the node's system has.
    pub fn component_size(&self, node: NodeId) -> usize {
        self.component_sizes
            .get(self.component(node).index())
            .map_or(1, |&n| n as usize)
    }
    /// The largest system whose smallest service carries this qualifier (before the first `/`; empty for none);
    /// systems of one do not count.
    pub fn largest_component(&self, qualifier: &str) -> Option<NodeId> {
        self.node_ids()
            .filter(|&n| self.component(n) == n && self.component_size(n) > 1)
            .filter(|&n| crate::spelling::qualifier(self.id(n)) == qualifier)
            .max_by_key(|&n| (self.component_size(n), std::cmp::Reverse(n)))
    }
    /// Services one edge away from a node's service, whatever the direction; sorted.
    pub fn neighbours(&self, node: NodeId) -> &[NodeId] {
        self.near.of(self.service(node))
    }
    /// Services one *call* away, at most 16; sorted.
    pub fn call_neighbours(&self, node: NodeId) -> &[NodeId] {
        let calls = self.calls.of(self.service(node));
        &calls[..calls.len().min(CALLS_MAX)]
    }
    /// Services that a node's service depends on, hosts among them; sorted.
    pub fn down(&self, node: NodeId) -> &[NodeId] {
        self.down.of(self.service(node))
    }
    /// Services that depend on a node's service; sorted.
    pub fn up(&self, node: NodeId) -> &[NodeId] {
        self.up.of(self.service(node))
    }
    /// How many neighbours a node's service has.
    pub fn degree(&self, node: NodeId) -> usize {
        self.neighbours(node).len()
    }
    /// Whether a node's service has so many neighbours that it connects nothing.
    pub fn is_hub(&self, node: NodeId) -> bool {
        self.degree(node) > HUB_NEIGHBOURS_MAX
    }

    fn step(&self, service: NodeId, direction: Direction) -> &[NodeId] {
        match direction {
            Direction::Down => self.down.of(service),
            Direction::Up => self.up.of(service),
            Direction::Any => self.near.of(service),
        }
    }

    /// Services within so many steps of a node's service, itself included; sorted. A hub is reached, not passed, and
    /// from a hub it is one step.
    pub fn ring(&self, node: NodeId, direction: Direction, hops: u32) -> Vec<NodeId> {
        let mut found: Vec<NodeId> = self
            .rings(node, direction, hops)
            .into_iter()
            .map(|(n, _)| n)
            .collect();
        found.sort_unstable();
        found
    }

    /// Like [`Graph::ring`] with the number of steps, in the order of (steps, node).
    pub fn rings(&self, node: NodeId, direction: Direction, hops: u32) -> Vec<(NodeId, u32)> {
        let start = self.service(node);
        let hops = if self.is_hub(start) { hops.min(1) } else { hops };
        let mut seen = std::collections::BTreeSet::from([start]);
        let mut found = vec![(start, 0)];
        let mut edge = vec![start];
        for hop in 1..=hops {
            let mut next = Vec::new();
            for at in edge {
                // Down a chain of dependencies a hub may be passed: what is behind a switch is behind its router too.
                if hop > 1 && direction != Direction::Down && self.is_hub(at) {
                    continue;
                }
                next.extend(
                    self.step(at, direction)
                        .iter()
                        .copied()
                        .filter(|&n| seen.insert(n)),
                );
            }
            next.sort_unstable();
            found.extend(next.iter().map(|&n| (n, hop)));
            edge = next;
        }
        found
    }

    /// Services that a fault of this node can share an incident with; sorted. `None`: the whole system, because it is
    /// small.
    pub fn near(&self, node: NodeId) -> Option<&[NodeId]> {
        let node = self.service(node);
        let size = self.component_size(node);
        if size <= LARGE_SYSTEM_NODES {
            let fill = || self.within(node, SMALL_SYSTEM_HOPS).into_boxed_slice();
            let within = self.near_cache.get(node.index())?.get_or_init(fill);
            return (within.len() < size).then_some(&**within);
        }
        let fill = || {
            let mut near = self.ring(node, Direction::Down, NEAR_HOPS);
            near.extend(self.ring(node, Direction::Up, NEAR_HOPS));
            for shared in self.ring(node, Direction::Down, SHARED_HOPS) {
                if !self.is_hub(shared) {
                    near.extend(self.ring(shared, Direction::Up, SHARED_HOPS));
                }
            }
            near.sort_unstable();
            near.dedup();
            near.into_boxed_slice()
        };
        self.near_cache
            .get(node.index())
            .map(|cell| &**cell.get_or_init(fill))
    }

    /// Services within so many steps of a service, whatever the direction and whatever is passed; sorted.
    fn within(&self, service: NodeId, hops: u32) -> Vec<NodeId> {
        let mut found = std::collections::BTreeSet::from([service]);
        let mut edge = vec![service];
        for _ in 0..hops {
            let next = edge.iter().flat_map(|&at| self.near.of(at)).copied();
            edge = next.filter(|&n| found.insert(n)).collect();
        }
        found.into_iter().collect()
    }

    /// Services whose symptoms are company of this node's; sorted. `None`: the whole system, because it is small.
    pub fn ball(&self, node: NodeId) -> Option<&[NodeId]> {
        let node = self.service(node);
        if self.component_size(node) <= LARGE_SYSTEM_NODES {
            return None;
        }
        let fill = || self.ring(node, Direction::Any, BALL_HOPS).into_boxed_slice();
        self.ball_cache
            .get(node.index())
            .map(|cell| &**cell.get_or_init(fill))
    }

    /// Steps between two nodes' services, whatever the direction, hubs not passed; `None` beyond `hops`.
    pub fn distance(&self, a: NodeId, b: NodeId, hops: u32) -> Option<u32> {
        let (a, b) = (self.service(a), self.service(b));
        if a == b {
            return Some(0);
        }
        if self.component(a) != self.component(b) {
            return None;
        }
        // From the side with fewer neighbours.
        let (from, to) = if self.degree(a) <= self.degree(b) {
            (a, b)
        } else {
            (b, a)
        };
        let mut seen = std::collections::BTreeSet::from([from]);
        let mut edge = vec![from];
        for hop in 1..=hops {
            let mut next = Vec::new();
            for at in edge {
                if hop > 1 && self.is_hub(at) {
                    continue;
                }
                for &n in self.near.of(at) {
                    if n == to {
                        return Some(hop);
                    }
                    if seen.insert(n) {
                        next.push(n);
                    }
                }
            }
            edge = next;
        }
        None
    }
}
