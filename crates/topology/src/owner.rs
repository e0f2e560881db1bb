//! Who owns a thing, and what hangs on it.

use model::Text;

use crate::{Graph, NodeId};

/// The team that answers for a node, and how it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedBy {
    /// The team.
    pub team: Text,
    /// The node that the team is entered for.
    pub node: NodeId,
    /// Steps from the node asked for: 0 its own team, 1 its service's or that of another name of it, 2 its host's.
    pub hops: u32,
}

/// What depends on a thing, directly or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependents {
    /// With the steps to it, in the order of (steps, node).
    pub found: Vec<(NodeId, u32)>,
    /// There are more than were asked for.
    pub more: bool,
}

impl Graph {
    /// The owner of a node: its own team, else its service's (or that of the same thing under another name), else its
    /// host's.
    pub fn owner(&self, node: NodeId) -> Option<OwnedBy> {
        let team = |at: NodeId, hops: u32| {
            let team = self.get(at)?.team.as_ref().filter(|t| !t.is_empty())?;
            Some(OwnedBy {
                team: team.clone(),
                node: at,
                hops,
            })
        };
        let (service, thing) = (self.service(node), self.thing(node));
        team(node, 0)
            .or_else(|| team(service, 1))
            .or_else(|| team(thing, 1))
            .or_else(|| self.own_hosts(node).iter().find_map(|&h| team(h, 2)))
            .or_else(|| self.hosts(thing).iter().find_map(|&h| team(h, 2)))
    }

    /// Things that depend on a node's thing, directly or not, residents of a host among them; at most `limit`.
    pub fn dependents(&self, node: NodeId, limit: usize) -> Dependents {
        let start = self.thing(node);
        let mut seen = std::collections::BTreeSet::from([start]);
        let mut out = Dependents::default();
        let mut edge = vec![start];
        let mut hop = 0;
        while !edge.is_empty() {
            hop += 1;
            let mut next: Vec<NodeId> = Vec::new();
            for at in edge {
                for &up in self.needed_by(at).iter().chain(self.residents(at)) {
                    if seen.insert(up) {
                        next.push(up);
                    }
                }
                // Enough for the answer; the rest of the graph need not be walked.
                if out.found.len() + next.len() > limit {
                    out.more = true;
                    break;
                }
            }
            next.sort_unstable();
            next.truncate(limit - out.found.len());
            out.found.extend(next.iter().map(|&n| (n, hop)));
            if out.more {
                break;
            }
            edge = next;
        }
        out
    }
}
