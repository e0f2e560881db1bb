//! The newest row of each key while a state topic is read.
//!
//! A million rows as a million keys and values would be two million pieces of memory to ask for, to touch and to give back.
//! They stand in large chunks instead, in the order in which their keys were first
//! seen. A newer value takes the place of the older one where there is room, so that a topic that is not compacted yet needs
//! little more memory than a compacted one.
//!
//! In a chunk a row is `room (4) · length of the value (4) · length of the key (4) · key · value · what is left of its
//! room`; [`GONE`] instead of the length says that another row or none has taken its place.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

const CHUNK_BYTES: usize = 1 << 20;
const HEAD: usize = 12;
const GONE: u32 = u32::MAX;
/// Rooms are multiples of this, because rows grow a little.
const ROOM_STEP: usize = 16;

/// Rows by their keys.
#[derive(Default)]
pub(super) struct Rows {
    chunks: Vec<Vec<u8>>,
    places: HashTable<Place>,
    hasher: RandomState,
}

struct Place {
    hash: u64,
    chunk: u32,
    at: u32,
}

/// What stands before a row.
struct Head {
    room: usize,
    value: u32,
    key: usize,
}

impl Head {
    fn read(bytes: &[u8]) -> Head {
        let number = |n: usize| {
            let four = bytes[4 * n..][..4].try_into().expect("four bytes were taken");
            u32::from_le_bytes(four)
        };
        Head {
            room: number(0) as usize,
            value: number(1),
            key: number(2) as usize,
        }
    }

    fn bytes(&self) -> usize {
        HEAD + self.key + self.room
    }
}

fn key_at<'a>(chunks: &'a [Vec<u8>], place: &Place) -> &'a [u8] {
    let bytes = &chunks[place.chunk as usize][place.at as usize..];
    &bytes[HEAD..][..Head::read(bytes).key]
}

impl Rows {
    /// Takes in what is newer than all before; no value is a tombstone.
    pub(super) fn put(&mut self, key: &[u8], value: Option<&[u8]>) {
        let hash = self.hasher.hash_one(key);
        let chunks = &mut self.chunks;
        let found = self.places.entry(
            hash,
            |place| place.hash == hash && key_at(chunks, place) == key,
            |place| place.hash,
        );
        let Some(value) = value else {
            if let Entry::Occupied(entry) = found {
                let place = entry.get();
                set_length(&mut chunks[place.chunk as usize][place.at as usize..], GONE);
                entry.remove();
            }
            return;
        };
        match found {
            Entry::Occupied(mut entry) => {
                let place = entry.get_mut();
                let bytes = &mut chunks[place.chunk as usize][place.at as usize..];
                let head = Head::read(bytes);
                if value.len() <= head.room {
                    set_length(bytes, value.len() as u32);
                    bytes[HEAD + head.key..][..value.len()].copy_from_slice(value);
                } else {
                    set_length(bytes, GONE);
                    (place.chunk, place.at) = append(chunks, key, value);
                }
            }
            Entry::Vacant(entry) => {
                let (chunk, at) = append(chunks, key, value);
                entry.insert(Place { hash, chunk, at });
            }
        }
    }

    /// Shows each of them.
    pub(super) fn each<E>(&self, mut see: impl FnMut(&[u8], &[u8]) -> Result<(), E>) -> Result<(), E> {
        self.chunks.iter().try_for_each(|chunk| each(chunk, &mut see))
    }

    /// The same, giving memory back on the way, so that it serves for what the rows become.
    pub(super) fn into_each<E>(self, mut take: impl FnMut(&[u8], &[u8]) -> Result<(), E>) -> Result<(), E> {
        drop(self.places);
        self.chunks
            .into_iter()
            .try_for_each(|chunk| each(&chunk, &mut take))
    }
}

fn each<E>(chunk: &[u8], see: &mut impl FnMut(&[u8], &[u8]) -> Result<(), E>) -> Result<(), E> {
    let mut rest = chunk;
    while !rest.is_empty() {
        let head = Head::read(rest);
        let (row, next) = rest.split_at(head.bytes());
        if head.value != GONE {
            let (key, value) = row[HEAD..].split_at(head.key);
            see(key, &value[..head.value as usize])?;
        }
        rest = next;
    }
    Ok(())
}

fn set_length(bytes: &mut [u8], value: u32) {
    bytes[4..8].copy_from_slice(&value.to_le_bytes());
}

/// Puts a row at the end; where that is.
fn append(chunks: &mut Vec<Vec<u8>>, key: &[u8], value: &[u8]) -> (u32, u32) {
    let room = value.len().next_multiple_of(ROOM_STEP);
    let needs = HEAD + key.len() + room;
    if chunks
        .last()
        .is_none_or(|chunk| chunk.capacity() - chunk.len() < needs)
    {
        chunks.push(Vec::with_capacity(needs.max(CHUNK_BYTES)));
    }
    let place = chunks.len() as u32 - 1;
    let chunk = chunks.last_mut().expect("one was just put there");
    let at = chunk.len() as u32;
    for number in [room, value.len(), key.len()] {
        chunk.extend((number as u32).to_le_bytes());
    }
    chunk.extend(key);
    chunk.extend(value);
    chunk.resize(chunk.len() + room - value.len(), 0);
    (place, at)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    type Seen = BTreeMap<Vec<u8>, Vec<u8>>;

    fn seen(rows: &Rows) -> Seen {
        let mut seen = Seen::new();
        let all: Result<(), ()> = rows.each(|key, value| {
            assert!(seen.insert(key.to_vec(), value.to_vec()).is_none(), "twice");
            Ok(())
        });
        assert_eq!(all, Ok(()));
        seen
    }

    /// Values of all sizes come, grow, shrink and go, some larger than a chunk.
    #[test]
    fn the_newest_value_of_each_key_is_kept() {
        let (mut rows, mut kept) = (Rows::default(), Seen::new());
        let mut dice = 7_u64;
        let mut throw = |sides: usize| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (dice >> 33) as usize % sides
        };
        for n in 0..20_000 {
            let key = format!("k/{}", throw(700)).into_bytes();
            if throw(5) == 0 {
                rows.put(&key, None);
                kept.remove(&key);
            } else {
                let size = if throw(2_000) == 0 {
                    CHUNK_BYTES + n
                } else {
                    throw(300)
                };
                let value = vec![n as u8; size];
                rows.put(&key, Some(&value));
                kept.insert(key, value);
            }
        }
        assert_eq!(seen(&rows), kept);
        let mut taken = Seen::new();
        let all: Result<(), ()> = rows.into_each(|key, value| {
            taken.insert(key.to_vec(), value.to_vec());
            Ok(())
        });
        assert_eq!((all, taken), (Ok(()), kept));
    }

    #[test]
    fn a_row_that_is_written_again_takes_no_more_memory() {
        let mut rows = Rows::default();
        for n in 0..100_000_u32 {
            rows.put(b"k", Some(&n.to_le_bytes()));
        }
        assert_eq!(rows.chunks.len(), 1);
        assert!(rows.chunks[0].len() < 64);
    }
}
