//! Who could be the root of a symptom, and how likely the symptom would be then.

use std::collections::{BTreeMap, BTreeSet};

use topology::{Graph, NodeId, NodeKind};

use super::{
    AlertKind, Entity,
    symptoms::Group,
    weights::{
        CALLEE, CALLER, EXPLAIN_HOPS, HOP, HOST_BREAKS, HOST_STRAINS, RING_MAX, TAKER, above, at_itself,
        below, on_host,
    },
};

/// How a root lies to the place of a symptom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tie {
    /// It is that place.
    Itself,
    /// It is what the call went to.
    Callee,
    /// The place depends on it, over so many hops.
    Needed(u32),
    /// The place runs on it.
    Host,
    /// Something that the place depends on, over so many hops, runs on it.
    HostOfNeeded(u32),
    /// It made the call.
    Caller,
    /// It depends on the place, over so many hops.
    Needs(u32),
    /// It runs on the place.
    Resident,
}

/// Why a symptom speaks for a root: with this probability it appears then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) q: f64,
    pub(super) tie: Tie,
}

/// Walks of the graph that several groups share.
pub(super) struct Blame<'a> {
    graph: &'a Graph,
    /// Things that are down, or say of their inside that it broke.
    broken: BTreeSet<NodeId>,
    /// Such hosts as no topology knows.
    broken_named: BTreeSet<Entity>,
    /// Machines that are broken or have something down on them.
    shaken: BTreeSet<NodeId>,
    /// Things that are down.
    fallen: BTreeSet<NodeId>,
    down: BTreeMap<NodeId, Vec<(NodeId, u32)>>,
    up: BTreeMap<NodeId, Vec<(NodeId, u32)>>,
}

impl<'a> Blame<'a> {
    pub(super) fn new(graph: &'a Graph, groups: &[Group]) -> Blame<'a> {
        let down = || groups.iter().filter(|g| g.kind.is_down());
        let breaks = groups.iter().filter(|g| g.breaks || g.kind.is_down());
        let broken: BTreeSet<NodeId> = breaks.clone().filter_map(|g| g.site.node()).collect();
        let named = breaks.filter(|g| g.site.node().is_none());
        let mut shaken = broken.clone();
        shaken.extend(down().flat_map(|g| g.hosts.iter().copied()));
        Blame {
            graph,
            broken,
            broken_named: named.map(|g| g.site.clone()).collect(),
            shaken,
            fallen: down().filter_map(|g| g.site.node()).collect(),
            down: BTreeMap::new(),
            up: BTreeMap::new(),
        }
    }

    /// Everything that could be the root of a group of symptoms.
    pub(super) fn of(&mut self, group: &Group) -> BTreeMap<Entity, Link> {
        let kind = group.kind;
        let mut found = Found::default();
        let call = group.call.as_ref().filter(|_| kind.is_of_calls());
        if let Some(call) = call {
            // The alert's own machines are those of the end that raised it.
            let said = |end: &Entity| if *end == group.site { &group.hosts[..] } else { &[] };
            found.add(call.callee.clone(), CALLEE, Tie::Callee);
            if let Some(callee) = call.callee.node() {
                self.broken_below(callee, CALLEE * HOP, &mut found);
                self.broken_hosts(callee, said(&call.callee), CALLEE, Tie::Host, &mut found);
            }
            if let Some(caller) = call.caller.as_ref().filter(|&c| *c != call.callee) {
                found.add(caller.clone(), CALLER, Tie::Caller);
                if let Some(caller_node) = caller.node() {
                    self.broken_hosts(caller_node, said(caller), CALLER, Tie::Host, &mut found);
                }
            }
            return found.links;
        }
        found.add(group.site.clone(), at_itself(kind), Tie::Itself);
        // What runs on a machine that broke shows it as it shows a fault of its own.
        let shown = |broke: bool| {
            if broke {
                (HOST_BREAKS * at_itself(kind)).max(on_host(kind))
            } else {
                on_host(kind)
            }
        };
        for &host in &group.hosts {
            let q = shown(self.broken.contains(&host));
            found.add(Entity::Node(host), q / group.hosts.len() as f64, Tie::Host);
        }
        if let Some(on) = &group.on {
            found.add(on.clone(), shown(self.broken_named.contains(on)), Tie::Host);
        }
        if kind.is_down() {
            // What the host needs and is down with it took it and all that runs on it along.
            for &host in &group.hosts {
                if !self.fallen.contains(&host) {
                    continue;
                }
                let q = HOST_BREAKS * at_itself(kind) / group.hosts.len() as f64;
                self.fallen_below(host, q, 1, &mut found);
            }
        }
        if let Some(thing) = &group.probably {
            found.add(Entity::Named(thing.clone()), above(kind), Tie::Needed(1));
        }
        if let Some(site) = group.site.node() {
            self.broken_below(site, above(kind), &mut found);
            if kind.is_down() {
                self.fallen_below(site, above(kind), 0, &mut found);
            }
            // What waits in a queue waits for who takes it.
            let waits = kind == AlertKind::Latency && self.graph.kind(site) == NodeKind::Queue;
            let at_next = if waits { TAKER } else { below(kind) };
            for &(node, hops) in self.up(site) {
                let q = if hops == 1 {
                    at_next
                } else {
                    below(kind) * power(HOP, hops - 1)
                };
                found.add(Entity::Node(node), q, Tie::Needs(hops));
            }
            for &resident in self.graph.residents(site).iter().take(RING_MAX) {
                found.add(Entity::Node(resident), below(kind), Tie::Resident);
            }
        }
        found.links
    }

    /// Blames what a thing depends on, with `q` one hop away, and the hosts of that.
    fn broken_below(&mut self, thing: NodeId, q: f64, found: &mut Found) {
        let down: Vec<(NodeId, u32)> = self.down(thing).to_vec();
        for (node, hops) in down {
            let q = q * power(HOP, hops - 1);
            found.add(Entity::Node(node), q, Tie::Needed(hops));
            self.broken_hosts(node, &[], q, Tie::HostOfNeeded(hops), found);
        }
    }

    /// Blames the far end of a chain of things that are all down as much as its near end: each is down because the next
    /// one is, so nothing is lost on the way.
    ///
    /// `further`: steps between the symptom and the thing.
    fn fallen_below(&mut self, thing: NodeId, q: f64, further: u32, found: &mut Found) {
        let mut chain = vec![thing];
        for (node, hops) in self.down(thing).to_vec() {
            let is_next = |&from: &NodeId| self.graph.needs(from).contains(&node);
            if self.fallen.contains(&node) && chain.iter().any(is_next) {
                chain.push(node);
                found.add(Entity::Node(node), q, Tie::Needed(hops + further));
            }
        }
    }

    /// Blames the hosts of a thing that would be blamed with `q`: a host takes its residents along, and a thing on
    /// several hosts loses only a part with one.
    fn broken_hosts(&self, thing: NodeId, said: &[NodeId], q: f64, tie: Tie, found: &mut Found) {
        let hosts = if said.is_empty() {
            self.graph.hosts(thing)
        } else {
            said
        };
        for &host in hosts.iter().take(RING_MAX) {
            let breaks = if self.shaken.contains(&host) {
                HOST_BREAKS
            } else {
                HOST_STRAINS
            };
            found.add(Entity::Node(host), q * breaks / hosts.len() as f64, tie);
        }
    }

    /// What a thing depends on, nearest first, with the hops; itself left out.
    pub(super) fn down(&mut self, thing: NodeId) -> &[(NodeId, u32)] {
        let graph = self.graph;
        self.down.entry(thing).or_insert_with(|| {
            walk(thing, |at, out| {
                out.extend(graph.needs(at));
                // What probably is one of ours under a foreign name leads on to it.
                out.extend(
                    graph
                        .alias_suggestions()
                        .iter()
                        .filter(|s| s.external == at)
                        .map(|s| s.service),
                );
            })
        })
    }

    /// What depends on a thing, nearest first, with the hops; itself left out.
    pub(super) fn up(&mut self, thing: NodeId) -> &[(NodeId, u32)] {
        let graph = self.graph;
        self.up.entry(thing).or_insert_with(|| {
            walk(thing, |at, out| {
                out.extend(graph.needed_by(at));
                out.extend(
                    graph
                        .alias_suggestions()
                        .iter()
                        .filter(|s| s.service == at)
                        .map(|s| s.external),
                );
            })
        })
    }
}

#[derive(Default)]
struct Found {
    links: BTreeMap<Entity, Link>,
}

impl Found {
    /// Of several ways to blame an entity the most likely one counts.
    fn add(&mut self, entity: Entity, q: f64, tie: Tie) {
        let link = self.links.entry(entity).or_insert(Link { q, tie });
        if q > link.q {
            *link = Link { q, tie };
        }
    }
}

fn walk(start: NodeId, step: impl Fn(NodeId, &mut Vec<NodeId>)) -> Vec<(NodeId, u32)> {
    let mut seen = BTreeSet::from([start]);
    let (mut found, mut edge) = (Vec::new(), vec![start]);
    for hop in 1..=EXPLAIN_HOPS {
        let mut next = Vec::new();
        for at in edge {
            step(at, &mut next);
            if next.len() > 4 * RING_MAX {
                break;
            }
        }
        next.sort_unstable();
        next.dedup();
        next.retain(|&n| seen.insert(n));
        next.truncate(RING_MAX - found.len());
        found.extend(next.iter().map(|&n| (n, hop)));
        if next.is_empty() {
            break;
        }
        edge = next;
    }
    found
}

pub(super) fn power(base: f64, exponent: u32) -> f64 {
    (0..exponent).fold(1.0, |p, _| p * base)
}
