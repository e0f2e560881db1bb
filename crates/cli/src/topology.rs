//! The topology file, as the journal carries it.

use std::collections::{BTreeMap, BTreeSet};

use model::{Node, TopologyDocument, TopologyPart};

use crate::{fail::Failure, source};

/// A topology document is at most this long, in bytes.
const BYTES_MAX: u64 = 256 << 20;

/// Reads and checks the document.
pub(crate) fn read(file: &str) -> Result<Vec<TopologyPart>, Failure> {
    let bytes = source::read_all(file, BYTES_MAX)?;
    let text = std::str::from_utf8(&bytes).map_err(|e| Failure::Wrong(format!("{file}: not UTF-8: {e}")))?;
    wire::topology_parts(text).map_err(|e| Failure::Wrong(format!("{file}: {e}")))
}

/// The document that the configuration names; an error names the field.
pub(crate) fn configured(file: &str) -> Result<Vec<TopologyPart>, Failure> {
    read(file).map_err(|failure| match failure {
        Failure::Run(said) | Failure::Wrong(said) => Failure::Wrong(format!("topology: {said}")),
        Failure::Gone => Failure::Gone,
    })
}

/// The graph of the document.
pub(crate) fn graph(file: &str) -> Result<topology::Graph, Failure> {
    let parts = read(file)?;
    let version = parts
        .first()
        .map_or_else(Default::default, |part| part.version.clone());
    Ok(topology::Graph::from_document(&joined(file, parts)?, &version))
}

/// The document itself.
pub(crate) fn document(file: &str) -> Result<TopologyDocument, Failure> {
    joined(file, read(file)?)
}

fn joined(file: &str, parts: Vec<TopologyPart>) -> Result<TopologyDocument, Failure> {
    let json: String = parts.into_iter().map(|part| part.json).collect();
    serde_json::from_str(&json).map_err(|e| Failure::Wrong(format!("{file}: {e}")))
}

/// What was hardly meant, each with its first example: it is taken as it stands, since a topology is never whole.
pub(crate) fn doubts(document: &TopologyDocument) -> Vec<String> {
    let named: BTreeSet<_> = document.nodes.iter().map(|node| node.id.as_str()).collect();
    let aliases = document.nodes.iter().flat_map(|node| {
        let others = node.aliases.iter().filter(|alias| **alias != node.id);
        let taken = others.filter(|alias| named.contains(alias.as_str()));
        taken.map(|alias| format!("alias of one node and id of another: {alias}, of {}", node.id))
    });
    let mut spellings = BTreeMap::new();
    let spelt = document.nodes.iter().filter_map(|node| {
        let first = *spellings.entry(node.id.to_lowercase()).or_insert(node);
        (first.id != node.id).then(|| {
            let (one, other) = (team_of(first), team_of(node));
            format!("two nodes that differ in capitals alone, so that another spelling means neither: {}{one} and {}{other}", first.id, node.id)
        })
    });
    let mut owners = BTreeMap::new();
    let shared = document
        .nodes
        .iter()
        .flat_map(|node| node.aliases.iter().map(move |alias| (alias, node)));
    let shared = shared.filter_map(|(alias, node)| {
        let first: &Node = owners.entry(alias.as_str()).or_insert(node);
        (first.id != node.id).then(|| {
            format!(
                "alias of two nodes, so that it means neither: {alias}, of {} and {}",
                first.id, node.id
            )
        })
    });
    let ends = document.edges.iter().flat_map(|edge| [&edge.from, &edge.to]);
    let unknown: BTreeSet<_> = ends.filter(|end| !named.contains(end.as_str())).collect();
    let unknown = unknown
        .into_iter()
        .map(|end| format!("in edges, but no node: {end}"));
    let selves = document.edges.iter().filter(|edge| edge.from == edge.to);
    let selves = selves.map(|edge| format!("depends on itself: {}", edge.from));
    [
        first_of(aliases),
        first_of(shared),
        first_of(spelt),
        first_of(unknown),
        first_of(selves),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn team_of(node: &Node) -> String {
    node.team
        .as_ref()
        .map_or_else(String::new, |team| format!(" (team {team})"))
}

/// The first one, and how many more there are.
fn first_of(mut found: impl Iterator<Item = String>) -> Option<String> {
    let first = found.next()?;
    Some(match found.count() {
        0 => first,
        more => format!("{first} (and {more} more)"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_hardly_meant_is_named() {
        let said = |json: &str| doubts(&serde_json::from_str(json).unwrap());
        assert_eq!(
            said(r#"{"nodes": [{"id": "pay", "team": "x"}, {"id": "Pay", "team": "y"}, {"id": "PAY"}]}"#),
            [
                "two nodes that differ in capitals alone, so that another spelling means neither: \
              pay (team x) and Pay (team y) (and 1 more)"
            ]
        );
        assert_eq!(
            said(r#"{"nodes": [{"id": "a", "aliases": ["q"]}, {"id": "b", "aliases": ["q", "a"]}]}"#),
            [
                "alias of one node and id of another: a, of b",
                "alias of two nodes, so that it means neither: q, of a and b",
            ]
        );
        assert_eq!(
            said(r#"{"nodes": [{"id": "a"}], "edges": [{"from": "a", "to": "a", "kind": "calls"}]}"#),
            ["depends on itself: a"]
        );
    }
}
