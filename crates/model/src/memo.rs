//! What was derived from an input is not derived again while that input keeps coming: streams of alerts repeat themselves.
//!
//! An input is found by a fast hash and compared whole, so what is remembered changes how long an answer takes and never
//! which it is. Each input has one place; whatever comes there next takes it, so there is nothing to age, and a sender
//! who crowds one place makes nothing slower than it is without.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

/// Places; a power of two.
const PLACES: usize = 8_192;
/// Longer inputs, in bytes, are not remembered: all places together take some megabytes at most.
const INPUT_BYTES_MAX: usize = 1_024;

/// Answers by their inputs.
#[derive(Clone, Debug)]
pub(crate) struct Memo<V> {
    /// None until the first answer.
    places: Vec<Option<Box<Known<V>>>>,
    /// The input in question.
    input: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Known<V> {
    input: Vec<u8>,
    value: V,
}

impl<V> Default for Memo<V> {
    fn default() -> Memo<V> {
        Memo {
            places: Vec::new(),
            input: Vec::new(),
        }
    }
}

impl<V: Clone> Memo<V> {
    /// What follows from the input that `write` writes down: `derive` tells it where it is not known. All that `derive`
    /// reads must be written, and in one way only.
    pub(crate) fn of(&mut self, write: impl FnOnce(&mut Vec<u8>), derive: impl FnOnce() -> V) -> V {
        self.input.clear();
        write(&mut self.input);
        if self.input.len() > INPUT_BYTES_MAX {
            // One long input is not paid for with its room ever after.
            self.input = Vec::new();
            return derive();
        }
        if self.places.is_empty() {
            self.places.resize_with(PLACES, || None);
        }
        let at = FixedState::default().hash_one(self.input.as_slice()) as usize % PLACES;
        let place = &mut self.places[at];
        match place {
            Some(known) if known.input == self.input => known.value.clone(),
            Some(known) => {
                known.input.clone_from(&self.input);
                known.value = derive();
                known.value.clone()
            }
            None => {
                let value = derive();
                *place = Some(Box::new(Known {
                    input: self.input.clone(),
                    value: value.clone(),
                }));
                value
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_derived_once_while_its_place_is_its_own() {
        let mut memo = Memo::default();
        let mut derived = 0;
        let mut ask = |n: u64| {
            let write = |input: &mut Vec<u8>| input.extend_from_slice(&n.to_le_bytes());
            let given = memo.of(write, || {
                derived += 1;
                n
            });
            assert_eq!(given, n);
        };
        (0..10).for_each(|_| ask(7));
        // Many more than there are places: whoever takes another's place gives no answer of his.
        (0..3 * PLACES as u64).for_each(&mut ask);
        ask(7);
        assert!((2..=3 * PLACES + 2).contains(&derived), "{derived}");
    }

    #[test]
    fn a_long_input_is_not_kept() {
        let mut memo = Memo::default();
        let long = vec![0; 64 * INPUT_BYTES_MAX];
        for n in 0..3 {
            assert_eq!(memo.of(|input| input.extend_from_slice(&long), || n), n);
        }
        assert!(memo.places.is_empty() && memo.input.capacity() < 2 * INPUT_BYTES_MAX);
    }
}
