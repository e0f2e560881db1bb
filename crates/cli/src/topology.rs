//! The topology file, as the journal carries it.

use model::TopologyPart;

use crate::{fail::Failure, source};

/// A topology document is at most this long, in bytes.
const BYTES_MAX: u64 = 256 << 20;

/// Reads and checks the document.
pub(crate) fn read(file: &str) -> Result<Vec<TopologyPart>, Failure> {
    let bytes = source::read_all(file, BYTES_MAX)?;
    let text = std::str::from_utf8(&bytes).map_err(|e| Failure::Wrong(format!("{file}: not UTF-8: {e}")))?;
    wire::topology_parts(text).map_err(|e| Failure::Wrong(format!("{file}: {e}")))
}
