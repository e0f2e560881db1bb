//! A map that knows which of its rows have changed since the last checkpoint.
//!
//! State is written only through [`Table::get_mut`], [`Table::entry`], [`Table::insert`] and [`Table::remove`], so a
//! change that is not marked dirty cannot be written down. Rows are never visited in the order of their hashes.

use std::{
    collections::{HashMap, HashSet},
    fmt::Display,
    hash::Hash,
    str::FromStr,
};

use foldhash::fast::FixedState;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    RestoreError, StateRow,
    state::pack::{pack, unpack},
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
    /// Keys of rows that were written, or may be, and removed since: they owe a tombstone unless they are there again. What
    /// comes and goes between two checkpoints owes none.
    removed: Vec<K>,
}

#[derive(Debug)]
struct Row<V> {
    value: V,
    changed: bool,
    /// Whether a row of it was written, or may be.
    written: bool,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Table {
            rows: HashMap::with_hasher(FixedState::default()),
            changed: Vec::new(),
            removed: Vec::new(),
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
            let row = Row {
                value: new(),
                changed: false,
                written: false,
            };
            self.rows.insert(key.clone(), Box::new(row));
        }
        self.get_mut(key).expect("the row was just put there")
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.changed.push(key.clone());
        let written = self.rows.get(&key).is_some_and(|row| row.written);
        let row = Row {
            value,
            changed: true,
            written,
        };
        self.rows.insert(key, Box::new(row));
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let row = self.rows.remove(key)?;
        if row.written {
            self.removed.push(key.clone());
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
        self.gather(|key, value, found| found.extend(of(key, value).map(|found| (found, key.clone()))))
    }

    /// All that `of` puts there for each row, sorted; for the rare walks over everything.
    pub(crate) fn gather<R: Ord>(&self, of: impl Fn(&K, &V, &mut Vec<R>)) -> Vec<R> {
        let mut found = Vec::new();
        #[expect(
            clippy::iter_over_hash_type,
            clippy::disallowed_methods,
            reason = "sorted right below"
        )]
        for (key, row) in self.rows.iter() {
            of(key, &row.value, &mut found);
        }
        found.sort_unstable();
        found
    }

    /// Puts back a row that [`Rows::changed_rows`] gave.
    pub(crate) fn restore(&mut self, key: &str, value: &[u8]) -> Result<(), RestoreError> {
        let bad = |reason: String| RestoreError::Row {
            key: key.to_owned(),
            reason,
        };
        let parsed: K = key
            .parse()
            .map_err(|_| bad("the key does not read back".to_owned()))?;
        let value: V = unpack(value).map_err(bad)?;
        let row = Row {
            value,
            changed: false,
            written: true,
        };
        self.rows.insert(parsed, Box::new(row));
        Ok(())
    }
}

/// What all tables have in common, whatever is in them.
pub(crate) trait Rows {
    /// Appends the rows that changed since the last call, as `prefix` followed by the key.
    fn changed_rows(&mut self, prefix: &str, out: &mut Vec<StateRow>);

    /// Somebody else may have written what changed since the last checkpoint: what of it is gone, or goes before the next
    /// one, owes a tombstone too.
    fn may_be_written(&mut self);

    /// Removes all rows.
    fn clear(&mut self);
}

impl<K: Key, V: Serialize + DeserializeOwned> Rows for Table<K, V> {
    fn may_be_written(&mut self) {
        for key in &self.changed {
            match self.rows.get_mut(key) {
                Some(row) => row.written = true,
                None => self.removed.push(key.clone()),
            }
        }
    }

    fn clear(&mut self) {
        for key in self.keys() {
            self.remove(&key);
        }
    }

    fn changed_rows(&mut self, prefix: &str, out: &mut Vec<StateRow>) {
        let removed = std::mem::take(&mut self.removed);
        let mut keys = std::mem::take(&mut self.changed);
        keys.extend(removed.iter().cloned());
        keys.sort_unstable();
        keys.dedup();
        let removed: HashSet<K, FixedState> = removed.into_iter().collect();
        for key in keys {
            let value = self.rows.get_mut(&key).map(|row| {
                (row.changed, row.written) = (false, true);
                pack(&row.value)
            });
            if value.is_some() || removed.contains(&key) {
                out.push(StateRow {
                    key: format!("{prefix}{key}"),
                    value,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        again.restore("1", &pack(&"a!".to_owned())).unwrap();
        assert_eq!(again.get(&1).map(String::as_str), Some("a!"));
        assert!(again.restore("x", &pack(&"a!".to_owned())).is_err());
    }

    #[test]
    fn a_tombstone_is_owed_by_what_was_written_only() {
        let mut table: Table<u64, String> = Table::default();
        let given = |table: &mut Table<u64, String>| {
            let mut rows = Vec::new();
            table.changed_rows("", &mut rows);
            rows.into_iter()
                .map(|row| (row.key, row.value.is_some()))
                .collect::<Vec<_>>()
        };
        table.insert(1, "came and went".into());
        table.remove(&1);
        assert_eq!(given(&mut table), []);

        table.insert(1, "written".into());
        table.insert(1, "and again".into());
        assert_eq!(given(&mut table), [("1".to_owned(), true)]);
        table.insert(1, "in its place".into());
        table.remove(&1);
        table.insert(1, "came and went after it".into());
        table.remove(&1);
        assert_eq!(given(&mut table), [("1".to_owned(), false)]);
        assert_eq!(given(&mut table), [], "once");

        table.restore("2", &pack(&"read".to_owned())).unwrap();
        table.remove(&2);
        assert_eq!(given(&mut table), [("2".to_owned(), false)]);

        table.restore("3", &pack(&"read".to_owned())).unwrap();
        table.remove(&3);
        table.entry(&3, || "there again".into());
        assert_eq!(given(&mut table), [("3".to_owned(), true)]);
        table.clear();
        assert_eq!(given(&mut table), [("3".to_owned(), false)]);
    }

    #[test]
    fn a_tombstone_is_owed_by_what_somebody_else_may_have_written() {
        let mut table: Table<u64, String> = Table::default();
        table.insert(1, "gone already".into());
        table.insert(2, "goes".into());
        table.insert(3, "stays".into());
        table.remove(&1);
        table.may_be_written();
        table.insert(4, "came and went after it".into());
        table.remove(&2);
        table.remove(&4);
        let mut rows = Vec::new();
        table.changed_rows("", &mut rows);
        let rows: Vec<(&str, bool)> = rows
            .iter()
            .map(|row| (row.key.as_str(), row.value.is_some()))
            .collect();
        assert_eq!(rows, [("1", false), ("2", false), ("3", true)]);
    }
}
