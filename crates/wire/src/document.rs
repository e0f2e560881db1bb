//! A topology document on its way into the journal: checked, named by its hash, cut into parts.

use model::{Hash128, Text, TopologyDocument, TopologyPart};

/// Bytes of JSON in one part, at most.
const PART_BYTES_MAX: usize = 512 << 10;

/// A topology document that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TopologyError {
    /// It is not JSON of the expected form.
    #[error("no topology document: {path}: {error}")]
    Syntax {
        /// Where, as in `edges[3]`; `.` is the document itself.
        path: String,
        /// What is wrong, with line and column.
        error: serde_json::Error,
    },
    /// A node or an edge names nothing.
    #[error("{path}: an empty name")]
    EmptyName {
        /// Where, as in `edges[3].from`.
        path: String,
    },
    /// Two nodes of one id say different things.
    #[error(
        "nodes[{second}], line {line}: {id:?} is nodes[{first}], line {first_line}, already, with another `{field}`: \
         keep one of them"
    )]
    Twice {
        /// The id.
        id: Text,
        /// Index of the first.
        first: usize,
        /// Where the first begins, from 1.
        first_line: usize,
        /// Index of the second.
        second: usize,
        /// Where the second begins, from 1.
        line: usize,
        /// The first field of which they say different things.
        field: String,
    },
}

/// Checks a document and cuts it into parts. The version is a hash of what it says, not of how it is spaced.
pub fn topology_parts(json: &str) -> Result<Vec<TopologyPart>, TopologyError> {
    let json = json.trim_start_matches('\u{feff}');
    let mut document = read(json)?;
    check(&document, json)?;
    // Two inventories put together hold some things twice, and say the same of them.
    let mut seen = std::collections::BTreeSet::new();
    document.nodes.retain(|node| seen.insert(node.id.clone()));
    let text = serde_json::to_string(&document).expect("what was read can be written");
    let hash = Hash128::new("topology").part(text.as_bytes()).finish();
    let version: Text = compact_str::format_compact!("{:016x}", (hash >> 64) as u64);
    let mut pieces = Vec::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (piece, tail) = rest.split_at(crate::bounds::prefix(rest, PART_BYTES_MAX).len());
        pieces.push(piece);
        rest = tail;
    }
    let parts = u32::try_from(pieces.len()).unwrap_or(u32::MAX);
    let part = |(i, json): (usize, &str)| TopologyPart {
        version: version.clone(),
        part: u32::try_from(i).unwrap_or(u32::MAX),
        parts,
        json: json.to_owned(),
    };
    Ok(pieces.into_iter().enumerate().map(part).collect())
}

fn read(json: &str) -> Result<TopologyDocument, TopologyError> {
    let syntax = |error: serde_json::Error, path| TopologyError::Syntax { path, error };
    let whole = |error| syntax(error, ".".to_owned());
    // A struct would also be read from an array of its fields.
    if json.trim_start().starts_with('[') {
        return Err(whole(serde::de::Error::custom(
            "an array, where {\"nodes\": […], \"edges\": […]} is expected",
        )));
    }
    let mut from = serde_json::Deserializer::from_str(json);
    let document = serde_path_to_error::deserialize(&mut from).map_err(|e| {
        let path = e.path().to_string();
        syntax(e.into_inner(), path)
    })?;
    from.end().map_err(whole)?;
    Ok(document)
}

fn check(document: &TopologyDocument, json: &str) -> Result<(), TopologyError> {
    let empty = |path: String| Err(TopologyError::EmptyName { path });
    let mut seen = std::collections::BTreeMap::new();
    for (i, node) in document.nodes.iter().enumerate() {
        if node.id.trim().is_empty() {
            return empty(format!("nodes[{i}].id"));
        }
        let first = *seen.entry(node.id.as_str()).or_insert(i);
        if document.nodes[first] != *node {
            return Err(TopologyError::Twice {
                id: node.id.clone(),
                first,
                first_line: line_of_node(json, first),
                second: i,
                line: line_of_node(json, i),
                field: differing(&document.nodes[first], node),
            });
        }
    }
    for (i, edge) in document.edges.iter().enumerate() {
        if edge.from.trim().is_empty() {
            return empty(format!("edges[{i}].from"));
        }
        if edge.to.trim().is_empty() {
            return empty(format!("edges[{i}].to"));
        }
    }
    Ok(())
}

/// The line in which a node begins, from 1.
fn line_of_node(json: &str, index: usize) -> usize {
    #[derive(serde::Deserialize)]
    struct Written<'a> {
        #[serde(borrow)]
        nodes: Vec<&'a serde_json::value::RawValue>,
    }
    let written = serde_json::from_str::<Written<'_>>(json).expect("it was read before");
    let offset = written.nodes[index].get().as_ptr() as usize - json.as_ptr() as usize;
    json[..offset].matches('\n').count() + 1
}

/// The first field of which two nodes say different things.
fn differing(a: &model::Node, b: &model::Node) -> String {
    let fields = |node| serde_json::to_value(node).expect("what was read can be written");
    let (a, b) = (fields(a), fields(b));
    let names = a
        .as_object()
        .into_iter()
        .chain(b.as_object())
        .flat_map(|fields| fields.keys());
    let mut differ = names.filter(|name| a.get(name.as_str()) != b.get(name.as_str()));
    differ.next().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spacing_is_no_version() {
        let a = topology_parts(r#"{"nodes":[{"id":"a"}],"edges":[]}"#).unwrap();
        let b = topology_parts("{ \"edges\": [], \"nodes\": [ {\"kind\": \"service\", \"id\": \"a\"} ] }")
            .unwrap();
        assert_eq!(a, b);
        assert_eq!(a.len(), 1);
    }

    #[test]
    fn large_documents_are_cut_and_join_again() {
        let nodes: Vec<String> = (0..20_000)
            .map(|i| format!(r#"{{"id":"größe-{i:05}-{}"}}"#, "x".repeat(40)))
            .collect();
        let parts = topology_parts(&format!(r#"{{"nodes":[{}],"edges":[]}}"#, nodes.join(","))).unwrap();
        assert!(parts.len() > 1 && parts.iter().all(|p| p.json.len() <= PART_BYTES_MAX));
        let whole: String = parts.iter().map(|p| p.json.as_str()).collect();
        assert_eq!(
            serde_json::from_str::<TopologyDocument>(&whole)
                .unwrap()
                .nodes
                .len(),
            20_000
        );
    }

    #[test]
    fn what_is_refused() {
        assert!(matches!(topology_parts("[]"), Err(TopologyError::Syntax { .. })));
        assert!(topology_parts("{} {}").is_err());
        let text = topology_parts("{\"edges\": [\n{\"from\": \"a\"}]}")
            .unwrap_err()
            .to_string();
        assert_eq!(
            text,
            "no topology document: edges[0]: missing field `to` at line 2 column 13"
        );
        assert!(matches!(
            topology_parts(r#"{"nodes":[{"id":" "}]}"#),
            Err(TopologyError::EmptyName { .. })
        ));
        let twice = "{\"nodes\": [\n{\"id\": \"a\", \"team\": \"x\"},\n{\"id\": \"a\", \"team\": \"y\"}]}";
        assert_eq!(
            topology_parts(twice).unwrap_err().to_string(),
            "nodes[1], line 3: \"a\" is nodes[0], line 2, already, with another `team`: keep one of them"
        );
    }

    #[test]
    fn what_is_said_twice_is_said_once() {
        let once = topology_parts(r#"{"nodes":[{"id":"a"}]}"#).unwrap();
        assert_eq!(
            topology_parts(r#"{"nodes":[{"id":"a"},{"id":"a"}]}"#).unwrap(),
            once
        );
    }
}
