//! State rows as bytes: what a checkpoint is made of.
//!
//! The row `!position` says up to which journal position outputs were published; it is part of every transaction that
//! publishes some of its partition, so that what was published is known from the log itself. The positions of the group say the same, but they are kept by the
//! coordinator apart from the outputs, and it was seen to forget them: when a group is idle for a week, and for a moment
//! after a broker was killed. Who believes it then publishes everything twice.
//!
//! A row is `format (1) · fold version (4) · checksum (8) · payload`; the checksum (XXH3 <https://xxhash.com>, for what
//! breaks by itself; who may write here may do worse) covers key and format, so that a row under another's key is found out. The row `!checkpoint` says up to which journal position the rows of its partition hold
//! what was folded; it is written in the same transaction as they are.

use model::Text;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

/// Key of the row that says what the others cover. Rows of the fold never begin with `!`.
pub(super) const CHECKPOINT: &str = "!checkpoint";
/// Key of the row that says how far the outputs go.
pub(super) const POSITION: &str = "!position";
/// Key of the row with the settings under which everything behind the checkpoint was folded: whoever restores folds the
/// tail under them once more, and goes on under its own. It is written with the first outputs under other settings; where
/// that leaves a tail, with a checkpoint.
pub(super) const SETTINGS: &str = "!settings";
/// Before the keys of quarantined positions.
pub(super) const QUARANTINE: &str = "!quarantine/";

/// 5: payloads of the fold are MessagePack, structs as lists; as maps they were in format 4 and in format 2, whose checksum
/// does not cover the format. Format 3 had codes in MessagePack, of which a compressed batch keeps little; format 1 had
/// JSON and BLAKE3.
const FORMAT: u8 = 5;
const FORMATS_READ: [u8; 3] = [2, 4, FORMAT];
const HEAD: usize = 1 + 4 + 8;

/// How far the outputs of a partition go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The journal position behind the last input whose outputs were published.
    pub(super) position: u64,
}

/// What the rows of a partition cover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    /// The journal position behind the last input that was folded.
    pub(super) position: u64,
    /// The journal partition, to notice rows that stand in the wrong one.
    pub(super) partition: u32,
    /// How many partitions the journal had.
    pub(super) partitions: u32,
    /// The build that wrote it.
    pub(super) build: Text,
}

/// A row that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum RowError {
    #[error("is cut short")]
    Short,
    #[error("has format {0}, this build reads {FORMATS_READ:?}; {remedy}", remedy = remedy(*.0))]
    Format(u8),
    #[error("has a wrong checksum")]
    Checksum,
}

fn remedy(format: u8) -> &'static str {
    if format > FORMAT {
        "a later build wrote it: start that one"
    } else {
        "stop all workers, make the state topic anew, and the journal is folded again"
    }
}

/// Behind format 2 it covers the format, since there is more than one that is read.
fn checksum(format: u8, key: &str, payload: &[u8]) -> [u8; 8] {
    let of_key = XxHash3_64::oneshot(key.as_bytes());
    let of_format = if format == 2 { 0 } else { u64::from(format) };
    XxHash3_64::oneshot_with_seed(of_key ^ of_format, payload).to_le_bytes()
}

/// The bytes of a row.
pub(super) fn encode(key: &str, fold: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD + payload.len());
    bytes.push(FORMAT);
    bytes.extend(fold.to_le_bytes());
    bytes.extend(checksum(FORMAT, key, payload));
    bytes.extend(payload);
    bytes
}

/// The fold version and the payload of a row.
pub(super) fn decode<'a>(key: &str, bytes: &'a [u8]) -> Result<(u32, &'a [u8]), RowError> {
    let (format, rest) = bytes.split_first().ok_or(RowError::Short)?;
    if !FORMATS_READ.contains(format) {
        return Err(RowError::Format(*format));
    }
    let (fold, rest) = rest.split_first_chunk().ok_or(RowError::Short)?;
    let (sum, payload) = rest.split_first_chunk::<8>().ok_or(RowError::Short)?;
    if *sum != checksum(*format, key, payload) {
        return Err(RowError::Checksum);
    }
    Ok((u32::from_le_bytes(*fold), payload))
}

/// What can be said of a row from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowSeen {
    /// The fold version that wrote it.
    pub fold: u32,
    /// How many partitions the journal had, if it is a checkpoint.
    pub partitions: Option<u32>,
    /// The journal position that it names, if it is a checkpoint or says how far outputs go.
    pub position: Option<u64>,
}

/// Looks at a row of the state topic; the error says in words why it cannot be used.
pub fn look_at_row(key: &str, bytes: &[u8]) -> Result<RowSeen, String> {
    let (fold, payload) = decode(key, bytes).map_err(|e| e.to_string())?;
    let bad = |e: serde_json::Error| format!("cannot be read: {e}");
    let mut seen = RowSeen {
        fold,
        partitions: None,
        position: None,
    };
    if key == CHECKPOINT {
        let checkpoint: Checkpoint = serde_json::from_slice(payload).map_err(bad)?;
        (seen.partitions, seen.position) = (Some(checkpoint.partitions), Some(checkpoint.position));
    } else if key == POSITION {
        seen.position = Some(serde_json::from_slice::<Position>(payload).map_err(bad)?.position);
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back_and_any_flipped_or_missing_byte_is_found() {
        let bytes = encode("a/1", 7, b"payload");
        assert_eq!(decode("a/1", &bytes), Ok((7, &b"payload"[..])));
        assert_eq!(decode("a/2", &bytes), Err(RowError::Checksum));
        for len in 0..bytes.len() {
            assert!(decode("a/1", &bytes[..len]).is_err(), "cut to {len}");
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                // The fold version is compared by whoever restores, so a flip there is seen as another version.
                let seen = decode("a/1", &flipped);
                assert!(
                    seen.is_err() || seen.is_ok_and(|(fold, _)| fold != 7),
                    "bit {bit} of byte {at}"
                );
            }
        }
    }

    /// Rows written by released builds must be read for ever, or refused; never misread.
    #[test]
    fn the_format_is_as_released() {
        let hex: String = encode("k", 1, b"{}")
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hex, include_str!("../../testdata/state-row-5.hex").trim());
        let released = |hex: &str| -> Vec<u8> {
            let digits = hex.trim().as_bytes().chunks(2);
            let byte = |two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap();
            digits.map(byte).collect()
        };
        let first = released(include_str!("../../testdata/state-row-1.hex"));
        assert_eq!(decode("k", &first), Err(RowError::Format(1)));
        let second = released(include_str!("../../testdata/state-row-2.hex"));
        assert_eq!(decode("k", &second), Ok((1, &b"{}"[..])));
        let third = released(include_str!("../../testdata/state-row-3.hex"));
        assert_eq!(decode("k", &third), Err(RowError::Format(3)));
        let fourth = released(include_str!("../../testdata/state-row-4.hex"));
        assert_eq!(decode("k", &fourth), Ok((1, &b"{}"[..])));
        let fifth = released(include_str!("../../testdata/state-row-5.hex"));
        assert_eq!(decode("k", &fifth), Ok((1, &b"{}"[..])));
        let beyond = [&[6], &fifth[1..]].concat();
        assert_eq!(decode("k", &beyond), Err(RowError::Format(6)));
    }
}
