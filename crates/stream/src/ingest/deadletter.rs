//! Dead letters: the original bytes, with what was wrong with them in the headers.

use model::Hash128;
use wire::Rejection;

use crate::log::{Outgoing, Record};
use crate::settings::Topics;

/// At most so many dead letters are written for one record; the rest is counted.
pub(super) const FOR_ONE_RECORD_MAX: usize = 16;

/// Bytes of an original that are kept; a longer one is cut and its length and hash are told.
const ORIGINAL_BYTES_MAX: usize = 900_000;

/// Headers of the original that are kept, and the bytes of each, at most.
const HEADERS_MAX: usize = 32;
const HEADER_BYTES_MAX: usize = 1_024;

/// The dead letter of something refused.
pub(super) fn letter(topics: &Topics, record: &Record, rejection: &Rejection) -> Outgoing {
    let mut letter = original(topics, record)
        .header("reason", rejection.reason.as_bytes())
        .header("stage", rejection.stage.as_str());
    if let Some(path) = &rejection.path {
        letter = letter.header("path", path.as_bytes());
    }
    if let Some(offset) = rejection.offset {
        letter = letter.header("offset", offset.to_string());
    }
    let source = rejection.source.as_deref().or_else(|| record.header("source"));
    match source {
        Some(source) => letter.header("source", source),
        None => letter,
    }
}

/// The dead letter of an event whose input would not fit into the journal.
pub(super) fn oversize(topics: &Topics, record: &Record, bytes: usize) -> Outgoing {
    original(topics, record)
        .header(
            "reason",
            format!("the event takes {bytes} bytes, more than a journal record may have"),
        )
        .header("stage", "journal")
}

fn original(topics: &Topics, record: &Record) -> Outgoing {
    let bytes = record.value.as_deref().unwrap_or_default();
    let letter = Outgoing {
        topic: topics.deadletter.clone(),
        partition: None,
        timestamp: None,
        key: None,
        value: Some(bytes[..bytes.len().min(ORIGINAL_BYTES_MAX)].to_vec()),
        headers: Vec::new(),
    };
    let mut letter = letter.header("origin", format!("{}@{}", record.at, record.offset));
    // What its sender said in headers is needed to read it once more.
    for (name, value) in record.headers.iter().take(HEADERS_MAX) {
        if value.len() <= HEADER_BYTES_MAX {
            letter = letter.header(&format!("original.{name}"), value.as_slice());
        }
    }
    if bytes.len() <= ORIGINAL_BYTES_MAX {
        return letter;
    }
    let hash = Hash128::new("dead letter").part(bytes).finish();
    letter
        .header("cut-from-bytes", bytes.len().to_string())
        .header("cut-from-hash", format!("{hash:032x}"))
}
