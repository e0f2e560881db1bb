//! Rows too large for one record are written in parts: a topology of ten thousand nodes, ids of a hundred thousand events
//! within ten seconds.
//!
//! Part `n` of `of` of a row has the key `!part/<n>/<of>/<key>`, and the row itself a tombstone. All parts of a row are
//! written in one transaction, those of its former size are removed in the same, and a set that is not whole is refused.

use std::collections::BTreeMap;

use engine::StateRow;

use super::row;
use crate::log::RECORD_BYTES_MAX;

/// Before the keys of parts.
pub(super) const PART: &str = "!part/";
/// The largest payload of one record; what is left is for its key and head.
const PAYLOAD_BYTES_MAX: usize = RECORD_BYTES_MAX / 10 * 9;

/// Rows that stand in parts, and in how many.
pub(super) type Parted = BTreeMap<String, usize>;

fn part_key(n: usize, of: usize, key: &str) -> String {
    format!("{PART}{n}/{of}/{key}")
}

/// Keys and values of the records that say what a row is.
pub(super) fn split(
    row: StateRow,
    fold: u32,
    parted: &mut Parted,
    mut put: impl FnMut(String, Option<Vec<u8>>),
) {
    let StateRow { key, value } = row;
    let of = match &value {
        Some(payload) if payload.len() > PAYLOAD_BYTES_MAX => payload.len().div_ceil(PAYLOAD_BYTES_MAX),
        _ => 0,
    };
    let before = parted.get(&key).copied().unwrap_or(0);
    if before != of {
        for n in 0..before {
            put(part_key(n, before, &key), None);
        }
        parted.remove(&key);
    }
    if of == 0 {
        let value = value.map(|payload| row::encode(&key, fold, &payload));
        put(key, value);
        return;
    }
    let payload = value.expect("only what is there is too large");
    for (n, part) in payload.chunks(PAYLOAD_BYTES_MAX).enumerate() {
        let key = part_key(n, of, &key);
        let value = row::encode(&key, fold, part);
        put(key, Some(value));
    }
    if before == 0 {
        put(key.clone(), None);
    }
    parted.insert(key, of);
}

/// The key of a row and its payload.
type Whole = (String, Vec<u8>);

/// Puts rows together again from parts that come in any order.
#[derive(Default)]
pub(super) struct Parts {
    rows: BTreeMap<String, BTreeMap<(usize, usize), Vec<u8>>>,
}

impl Parts {
    /// Takes a part in; `name` is its key without [`PART`]. False if that is no name of a part.
    pub(super) fn take(&mut self, name: &str, payload: Vec<u8>) -> bool {
        let mut words = name.splitn(3, '/');
        let mut number = || words.next().and_then(|word| word.parse::<usize>().ok());
        let (Some(n), Some(of)) = (number(), number()) else {
            return false;
        };
        let Some(key) = words.next() else { return false };
        let parts = self.rows.entry(key.to_owned()).or_default();
        parts.insert((of, n), payload).is_none()
    }

    /// The rows, and which they are; the key of one that is not whole is the error.
    pub(super) fn join(self) -> Result<(Vec<Whole>, Parted), String> {
        let (mut rows, mut parted) = (Vec::new(), Parted::new());
        for (key, parts) in self.rows {
            let of = parts.len();
            if !parts.keys().copied().eq((0..of).map(|n| (of, n))) {
                return Err(key);
            }
            parted.insert(key.clone(), of);
            rows.push((key, parts.into_values().flatten().collect()));
        }
        Ok((rows, parted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(bytes: usize) -> StateRow {
        let value = (0..bytes).map(|n| (n % 251) as u8).collect();
        StateRow {
            key: "0a/topology/x/y".to_owned(),
            value: Some(value),
        }
    }

    /// What a compacted topic holds after each of these sizes; `None`: the row is gone.
    #[test]
    fn a_row_comes_back_whatever_its_size_was_before() {
        let mut parted = Parted::new();
        let mut kept: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for bytes in [10, 2_000_000, 2_000_001, 950_000, 5_000_000, 20, 1_000_000]
            .map(Some)
            .into_iter()
            .chain([None])
        {
            let of = bytes.map(row);
            let gone = StateRow {
                key: row(0).key,
                value: None,
            };
            split(
                of.clone().unwrap_or(gone),
                3,
                &mut parted,
                |key, value| match value {
                    Some(value) => {
                        assert!(key.len() + value.len() <= RECORD_BYTES_MAX);
                        kept.insert(key, value);
                    }
                    None => drop(kept.remove(&key)),
                },
            );
            let (mut parts, mut whole) = (Parts::default(), Vec::new());
            for (key, value) in &kept {
                let (fold, payload) = row::decode(key, value).unwrap();
                assert_eq!(fold, 3);
                match key.strip_prefix(PART) {
                    Some(name) => assert!(parts.take(name, payload.to_vec())),
                    None => whole.push(StateRow {
                        key: key.clone(),
                        value: Some(payload.to_vec()),
                    }),
                }
            }
            let (joined, again) = parts.join().unwrap();
            assert_eq!(again, parted, "{bytes:?}");
            whole.extend(joined.into_iter().map(|(key, payload)| StateRow {
                key,
                value: Some(payload),
            }));
            assert_eq!(whole, Vec::from_iter(of), "{bytes:?}");
        }
    }

    #[test]
    fn a_set_that_is_not_whole_is_found_out() {
        let mut all = Vec::new();
        split(row(3_000_000), 1, &mut Parted::new(), |key, value| {
            all.extend(value.map(|value| (key, value)))
        });
        for missing in 0..all.len() {
            let mut parts = Parts::default();
            for (key, value) in all
                .iter()
                .enumerate()
                .filter(|(n, _)| *n != missing)
                .map(|(_, one)| one)
            {
                let part = row::decode(key, value).unwrap().1.to_vec();
                assert!(parts.take(&key[PART.len()..], part));
            }
            assert_eq!(parts.join().unwrap_err(), row(0).key, "without part {missing}");
        }
        assert!(!Parts::default().take("1/x", Vec::new()));
    }
}
