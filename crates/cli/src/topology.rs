//! The topology file, as the journal carries it.

use model::{TopologyDocument, TopologyPart};

use crate::{fail::Failure, source};

/// A topology document is at most this long, in bytes.
const BYTES_MAX: u64 = 256 << 20;

/// Reads and checks the document.
pub(crate) fn read(file: &str) -> Result<Vec<TopologyPart>, Failure> {
    let bytes = source::read_all(file, BYTES_MAX)?;
    let text = std::str::from_utf8(&bytes).map_err(|e| Failure::Wrong(format!("{file}: not UTF-8: {e}")))?;
    wire::topology_parts(text).map_err(|e| Failure::Wrong(format!("{file}: {e}")))
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
