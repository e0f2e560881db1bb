//! A map that knows which of its rows have changed since the last checkpoint.
//!
//! State is written only through [`Table::get_mut`], [`Table::entry`], [`Table::insert`] and [`Table::remove`], so a
//! change that is not marked dirty cannot be written down. Rows are never visited in the order of their hashes.

use std::{collections::HashMap, fmt::Display, hash::Hash, str::FromStr};

use foldhash::fast::FixedState;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    RestoreError, StateRow,
    pack::{pack, unpack},
};

/// What a key of a table must be: ordered, hashable, and with a text form that reads back.
pub(crate) trait Key: Clone + Ord + Hash + Display + FromStr {}
impl<K: Clone + Ord + Hash + Display + FromStr> Key for K {}

/// A keyed collection of state rows.
#[derive(Debug)]
pub(crate) struct Table<K, V> {
    /// Boxed, because a map of large rows has room for twice as many.
    rows: HashMap<K, Box<Row<V>>, FixedState>,
    /// Keys that changed, some perhaps twice, some perhaps gone by now.
    changed: Vec<K>,
    /// Keys of rows that are written down and are gone, some perhaps back by now. What came and went between two
    /// checkpoints was never written, so that nothing is to be said of it.
    gone: Vec<K>,
}

#[derive(Debug)]
struct Row<V> {
    value: V,
    changed: bool,
    written: bool,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Table {
            rows: HashMap::with_hasher(FixedState::default()),
            changed: Vec::new(),
            gone: Vec::new(),
        }
    }
}

impl<K: Key, V: Serialize + DeserializeOwned> Table<K, V> {
    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key).map(|row| &row.value)
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let row = self.rows.get_mut(key)?;
        if !row.changed {
            row.changed = true;
            self.changed.push(key.clone());
        }
        Some(&mut row.value)
    }

    pub(crate) fn entry(&mut self, key: &K, new: impl FnOnce() -> V) -> &mut V {
        if !self.rows.contains_key(key) {
            self.rows.insert(
                key.clone(),
                Box::new(Row {
                    value: new(),
                    changed: false,
                    written: false,
                }),
            );
        }
        self.get_mut(key).expect("the row was just put there")
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.changed.push(key.clone());
        let row = Row {
            value,
            changed: true,
            written: false,
        };
        let before = self.rows.insert(key.clone(), Box::new(row));
        if before.is_some_and(|row| row.written) {
            self.gone.push(key);
        }
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let row = self.rows.remove(key)?;
        if row.written {
            self.gone.push(key.clone());
        }
        Some(row.value)
    }

    /// All keys, sorted; for the rare walks over everything.
    pub(crate) fn keys(&self) -> Vec<K> {
        let mut keys: Vec<K> = Vec::with_capacity(self.rows.len());
        #[expect(
            clippy::iter_over_hash_type,
            clippy::disallowed_methods,
            reason = "sorted right below"
        )]
        for key in self.rows.keys() {
            keys.push(key.clone());
        }
        keys.sort_unstable();
        keys
    }

    /// What `of` gives for the rows that it picks, with their keys, sorted; for the rare walks over everything.
    pub(crate) fn select<R: Ord>(&self, of: impl Fn(&K, &V) -> Option<R>) -> Vec<(R, K)> {
        let mut found = Vec::new();
        #[expect(
            clippy::iter_over_hash_type,
            clippy::disallowed_methods,
            reason = "sorted right below"
        )]
        for (key, row) in self.rows.iter() {
            found.extend(of(key, &row.value).map(|value| (value, key.clone())));
        }
        found.sort_unstable();
        found
    }

    /// Appends the rows that changed since the last call, as `prefix` followed by the key.
    pub(crate) fn changed_rows(&mut self, prefix: &str, out: &mut Vec<StateRow>) {
        let mut keys = std::mem::take(&mut self.changed);
        keys.retain(|key| self.rows.contains_key(key));
        keys.append(&mut self.gone);
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let value = self.rows.get_mut(&key).map(|row| {
                (row.changed, row.written) = (false, true);
                pack(&row.value)
            });
            out.push(StateRow {
                key: format!("{prefix}{key}"),
                value,
            });
        }
    }

    /// Puts back a row that [`Table::changed_rows`] gave.
    pub(crate) fn restore(&mut self, key: &str, value: &[u8]) -> Result<(), RestoreError> {
        let bad = |reason: String| RestoreError::Row {
            key: key.to_owned(),
            reason,
        };
        let parsed: K = key
            .parse()
            .map_err(|_| bad("the key does not read back".to_owned()))?;
        let value = unpack(value).map_err(bad)?;
        let row = Row {
            value,
            changed: false,
            written: true,
        };
        self.rows.insert(parsed, Box::new(row));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_written_is_not_said_to_be_gone() {
        let said = |table: &mut Table<u64, u8>| {
            let mut rows = Vec::new();
            table.changed_rows("", &mut rows);
            let said = rows.into_iter().map(|row| (row.key, row.value.is_some()));
            said.collect::<Vec<_>>()
        };
        let row = |key: &str, there| vec![(key.to_owned(), there)];
        let mut table: Table<u64, u8> = Table::default();
        table.insert(1, 0);
        table.remove(&1);
        assert_eq!(said(&mut table), []);
        table.insert(1, 0);
        assert_eq!(said(&mut table), row("1", true));
        // Written, and replaced by one that was not.
        table.insert(1, 1);
        table.remove(&1);
        assert_eq!(said(&mut table), row("1", false));
        table.restore("2", &pack(&0_u8)).unwrap();
        table.remove(&2);
        table.insert(2, 1);
        table.remove(&2);
        assert_eq!(said(&mut table), row("2", false));
        table.restore("3", &pack(&0_u8)).unwrap();
        table.remove(&3);
        table.insert(3, 1);
        assert_eq!(said(&mut table), row("3", true));
        assert_eq!(said(&mut table), []);
    }

    #[test]
    fn every_change_is_a_row_once() {
        let mut table: Table<u64, String> = Table::default();
        table.insert(2, "b".into());
        table.insert(1, "a".into());
        table.get_mut(&1).unwrap().push('!');
        let mut rows = Vec::new();
        table.changed_rows("t/", &mut rows);
        assert_eq!(
            rows.iter().map(|r| r.key.as_str()).collect::<Vec<_>>(),
            ["t/1", "t/2"]
        );
        rows.clear();
        table.changed_rows("t/", &mut rows);
        assert!(rows.is_empty());
        table.remove(&2);
        table.changed_rows("t/", &mut rows);
        assert_eq!(
            rows,
            [StateRow {
                key: "t/2".into(),
                value: None
            }]
        );
        let mut again: Table<u64, String> = Table::default();
        again.restore("1", &pack(&"a!")).unwrap();
        assert_eq!(again.get(&1).map(String::as_str), Some("a!"));
        assert!(again.restore("x", &pack(&"a!")).is_err());
    }
}
