//! Adjacency as two flat arrays: the neighbours of each node, sorted, each once.

use crate::NodeId;

/// For each node a sorted list of others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links {
    starts: Vec<u32>,
    flat: Vec<NodeId>,
}

impl Links {
    /// From pairs (node, other) in any order, with repetitions.
    pub(crate) fn new(nodes: usize, mut pairs: Vec<(NodeId, NodeId)>) -> Links {
        pairs.sort_unstable();
        pairs.dedup();
        let mut starts = vec![0u32; nodes + 1];
        for (node, _) in &pairs {
            starts[node.index() + 1] += 1;
        }
        for i in 0..nodes {
            starts[i + 1] += starts[i];
        }
        Links {
            starts,
            flat: pairs.into_iter().map(|(_, other)| other).collect(),
        }
    }

    /// The others of a node.
    pub(crate) fn of(&self, node: NodeId) -> &[NodeId] {
        match (self.starts.get(node.index()), self.starts.get(node.index() + 1)) {
            (Some(&from), Some(&to)) => &self.flat[from as usize..to as usize],
            _ => &[],
        }
    }
}
