//! Event ids seen within the lateness, so that a redelivery is not a repeat.
//!
//! Ids are kept as 64-bit hashes by ten seconds of receipt; whole slots expire, so a checkpoint writes a few rows
//! however many events came.

use std::collections::{BTreeMap, HashSet};

use foldhash::fast::FixedState;
use model::{Hash128, Time};

use crate::{
    StateRow,
    state::table::{Rows, Table},
};

#[derive(Debug, Default)]
pub(crate) struct Seen {
    slots: Table<i64, Vec<u64>>,
    order: BTreeMap<i64, ()>,
    all: HashSet<u64, FixedState>,
}

const SLOT_S: i64 = 10;

impl Seen {
    /// Whether this id was seen within the lateness; remembers it if not.
    pub(crate) fn again(&mut self, event_id: &str, now: Time, lateness_s: f64) -> bool {
        let slot = now.secs().div_euclid(SLOT_S);
        let oldest = slot - (lateness_s as i64).div_euclid(SLOT_S) - 1;
        while let Some((&first, ())) = self.order.first_key_value()
            && first < oldest
        {
            self.order.pop_first();
            for id in self.slots.remove(&first).unwrap_or_default() {
                self.all.remove(&id);
            }
        }
        let id = (Hash128::new("seen").part(event_id.as_bytes()).finish() >> 64) as u64;
        if !self.all.insert(id) {
            return true;
        }
        self.order.insert(slot, ());
        self.slots.entry(&slot, Vec::new).push(id);
        false
    }

    /// Forgets the oldest ids before their time, if there are more than `max`; how many. A copy of one of them that comes
    /// now counts as a repeat.
    pub(crate) fn forget_beyond(&mut self, max: usize) -> u64 {
        let before = self.all.len();
        while self.all.len() > max
            && let Some((&first, ())) = self.order.first_key_value()
        {
            let slot = self.slots.entry(&first, Vec::new);
            // Half of a slot at once: what is left is moved, and must not be for each id.
            let gone: Vec<u64> = slot.drain(..slot.len().div_ceil(2)).collect();
            if slot.is_empty() {
                self.slots.remove(&first);
                self.order.pop_first();
            }
            for id in gone {
                self.all.remove(&id);
            }
        }
        (before - self.all.len()) as u64
    }

    pub(crate) fn restore(&mut self, key: &str, value: &[u8]) -> Result<(), crate::RestoreError> {
        self.slots.restore(key, value)?;
        let slot: i64 = key.parse().expect("the table has just read this key");
        self.order.insert(slot, ());
        self.all.extend(self.slots.get(&slot).into_iter().flatten());
        Ok(())
    }
}

impl Rows for Seen {
    fn changed_rows(&mut self, prefix: &str, out: &mut Vec<StateRow>) {
        self.slots.changed_rows(prefix, out);
    }

    fn may_be_written(&mut self) {
        self.slots.may_be_written();
    }

    fn clear(&mut self) {
        self.slots.clear();
        self.order.clear();
        self.all.clear();
    }
}
