//! Change and incident records: JSON with the schema's name as the first field.

use model::{Change, Incident};
use serde::{Serialize, de::DeserializeOwned};

/// Schema name of an event.
pub const EVENT: &str = "stormfold.event/1";
/// Schema name of a topology document.
pub const TOPOLOGY: &str = "stormfold.topology/1";
/// Schema name of an incident record.
pub const INCIDENT: &str = "stormfold.incident/1";
/// Schema name of a change record.
pub const CHANGE: &str = "stormfold.change/1";

/// Bytes that are no record of the expected schema.
#[derive(Debug, thiserror::Error)]
#[error("no {schema} record: {cause}")]
pub struct RecordError {
    schema: &'static str,
    cause: serde_json::Error,
}

/// The bytes of a change record.
pub fn change(change: &Change) -> Vec<u8> {
    with_schema(CHANGE, change)
}

/// The bytes of an incident record.
pub fn incident(incident: &Incident) -> Vec<u8> {
    with_schema(INCIDENT, incident)
}

/// Reads a change record; fields it does not know are ignored.
pub fn read_change(bytes: &[u8]) -> Result<Change, RecordError> {
    read(CHANGE, bytes)
}

/// Reads an incident record; fields it does not know are ignored.
pub fn read_incident(bytes: &[u8]) -> Result<Incident, RecordError> {
    read(INCIDENT, bytes)
}

fn read<T: DeserializeOwned>(schema: &'static str, bytes: &[u8]) -> Result<T, RecordError> {
    serde_json::from_slice(bytes).map_err(|cause| RecordError { schema, cause })
}

fn with_schema<T: Serialize>(schema: &str, record: &T) -> Vec<u8> {
    let mut bytes = format!("{{\"schema\":\"{schema}\",").into_bytes();
    let inner = bytes.len();
    serde_json::to_writer(&mut bytes, record)
        .expect("records have text keys only, and writing to memory cannot fail");
    bytes.remove(inner);
    bytes
}
