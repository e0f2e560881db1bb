//! Records on disk, in one file kept by redb <https://github.com/cberner/redb>: crash-safe, whole transactions, no
//! threads of its own. Why redb and not an LSM tree stands in `docs/decisions/embedded-store.md`.
//!
//! Compaction happens as records are written: in a compacted topic the record that a new one replaces is removed in the
//! same transaction, so a state topic is never larger than the state.
//!
//! Long values are compressed by LZ4: bodies of alerts repeat themselves, and preparing, copying and checking the pages of
//! the file costs several times what compressing costs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use model::Time;
use redb::{Database, DatabaseError, Durability, ReadableDatabase, ReadableTable, TableDefinition};

use super::store::{Placed, Position, Store, Topic};
use crate::log::{Bounds, Header, LogError, LogErrorKind, Record, TopicName, TopicPartition};

/// (number of the topic, partition, offset) → record.
const RECORDS: TableDefinition<'_, (u32, u32, u64), &[u8]> = TableDefinition::new("records/1");
/// name → (number, partitions, compact).
const TOPICS: TableDefinition<'_, &str, (u32, u32, bool)> = TableDefinition::new("topics/1");
/// (number of the topic, partition) → (start, end).
const BOUNDS: TableDefinition<'_, (u32, u32), (u64, u64)> = TableDefinition::new("bounds/1");
/// (group, number of the topic, partition) → position.
const POSITIONS: TableDefinition<'_, (&str, u32, u32), u64> = TableDefinition::new("positions/1");
/// (number of the topic, partition, key) → offset of its newest record; compacted topics only.
const NEWEST: TableDefinition<'_, (u32, u32, &[u8]), u64> = TableDefinition::new("newest/1");

/// Memory for pages of the file.
const CACHE_BYTES: usize = 64 << 20;

/// Records on disk.
///
/// After an error of the disk, a full one say, redb wants to be opened anew, and what it knew of the file may be wrong:
/// whether the last write landed is told by the file alone. So the file is closed then, and opened by whoever comes next.
pub(super) struct Disk {
    open: Box<dyn Fn() -> Result<Database, DatabaseError> + Send>,
    opened: RefCell<Option<Opened>>,
}

/// The file as it was opened, with what is known of it by heart.
struct Opened {
    database: Database,
    topics: BTreeMap<TopicName, (u32, Topic)>,
    bounds: BTreeMap<(u32, u32), Bounds>,
}

fn failed(error: impl std::fmt::Display) -> LogError {
    LogError::new(LogErrorKind::Unavailable, format_args!("local log: {error}"))
}

fn setup(what: impl std::fmt::Display) -> LogError {
    LogError::new(LogErrorKind::Setup, what)
}

fn missing(at: &TopicPartition) -> LogError {
    setup(format_args!("there is no {at}"))
}

impl Disk {
    /// Opens or creates the file.
    pub(super) fn open(file: &Path) -> Result<Disk, LogError> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(|e| setup(format_args!("{}: {e}", folder.display())))?;
        }
        let path = file.to_owned();
        Disk::over(move || builder().create(&path)).map_err(|e| match e {
            redb::Error::DatabaseAlreadyOpen => setup(format_args!(
                "{}: another process has it open, and only one can; end that one first, or ask it over HTTP",
                file.display()
            )),
            e => setup(format_args!("{}: {e}", file.display())),
        })
    }

    fn over(
        open: impl Fn() -> Result<Database, DatabaseError> + Send + 'static,
    ) -> Result<Disk, redb::Error> {
        let opened = RefCell::new(Some(Opened::new(open()?)?));
        Ok(Disk {
            open: Box::new(open),
            opened,
        })
    }

    /// Does something with the open file, and closes it when that fails.
    fn with<T>(&self, what: impl FnOnce(&mut Opened) -> Result<T, redb::Error>) -> Result<T, LogError> {
        let mut slot = self.opened.borrow_mut();
        let mut opened = match slot.take() {
            Some(opened) => opened,
            None => {
                let opened = Opened::new((self.open)().map_err(failed)?).map_err(failed)?;
                tracing::info!("the local log is open again");
                opened
            }
        };
        let done = what(&mut opened).map_err(failed)?;
        *slot = Some(opened);
        Ok(done)
    }

    fn number(&self, at: &TopicPartition) -> Result<u32, LogError> {
        self.with(|opened| Ok(opened.number(at)))?
            .ok_or_else(|| missing(at))
    }
}

fn builder() -> redb::Builder {
    let mut builder = redb::Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

impl Opened {
    fn new(database: Database) -> Result<Opened, redb::Error> {
        let mut opened = Opened {
            database,
            topics: BTreeMap::new(),
            bounds: BTreeMap::new(),
        };
        opened.load()?;
        Ok(opened)
    }

    fn load(&mut self) -> Result<(), redb::Error> {
        let write = self.database.begin_write()?;
        {
            let topics = write.open_table(TOPICS)?;
            for row in topics.iter()? {
                let (name, value) = row?;
                let (number, partitions, compact) = value.value();
                self.topics.insert(
                    name.value().into(),
                    (
                        number,
                        Topic {
                            partitions,
                            compact,
                            soon: compact,
                        },
                    ),
                );
            }
            for row in write.open_table(BOUNDS)?.iter()? {
                let (key, value) = row?;
                let (start, end) = value.value();
                self.bounds.insert(key.value(), Bounds { start, end });
            }
            write.open_table(RECORDS)?;
            write.open_table(POSITIONS)?;
            write.open_table(NEWEST)?;
        }
        write.commit()?;
        Ok(())
    }

    fn number(&self, at: &TopicPartition) -> Option<u32> {
        let (number, topic) = self.topics.get(&at.topic)?;
        (at.partition < topic.partitions).then_some(*number)
    }

    fn write(
        &self,
        records: &[Placed<'_>],
        positions: &[Position<'_>],
        bounds: &mut BTreeMap<(u32, u32), Bounds>,
    ) -> Result<(), redb::Error> {
        let mut write = self.database.begin_write()?;
        write.set_durability(Durability::Immediate)?;
        {
            let mut table = write.open_table(RECORDS)?;
            let mut newest = write.open_table(NEWEST)?;
            let mut ends = write.open_table(BOUNDS)?;
            let mut bytes = Vec::new();
            for Placed {
                partition,
                timestamp,
                record,
            } in records
            {
                let (number, topic) = self.topics[&record.topic];
                let place = (number, *partition);
                let here = bounds.entry(place).or_insert(Bounds { start: 0, end: 0 });
                let offset = here.end;
                here.end += 1;
                if let (true, Some(key)) = (topic.compact, &record.key) {
                    let before = newest
                        .insert((number, *partition, key.as_slice()), offset)?
                        .map(|old| old.value());
                    if let Some(old) = before {
                        table.remove((number, *partition, old))?;
                    }
                }
                bytes.clear();
                encode(
                    *timestamp,
                    record.key.as_deref(),
                    record.value.as_deref(),
                    &record.headers,
                    &mut bytes,
                );
                table.insert((number, *partition, offset), bytes.as_slice())?;
            }
            for (place, bound) in bounds.iter() {
                ends.insert(place, (bound.start, bound.end))?;
            }
            let mut table = write.open_table(POSITIONS)?;
            for Position { group, at, position } in positions {
                table.insert((*group, self.topics[&at.topic].0, at.partition), position)?;
            }
        }
        write.commit()?;
        Ok(())
    }
}

impl Store for Disk {
    fn topics(&self) -> Result<BTreeMap<TopicName, Topic>, LogError> {
        let topic = |(name, (_, topic)): (&TopicName, &(u32, Topic))| (name.clone(), *topic);
        self.with(|opened| Ok(opened.topics.iter().map(topic).collect()))
    }

    fn create(&mut self, name: &TopicName, topic: Topic) -> Result<(), LogError> {
        self.with(|opened| {
            let number = opened.topics.values().map(|(number, _)| number + 1).max();
            let number = number.unwrap_or(0);
            let write = opened.database.begin_write()?;
            write
                .open_table(TOPICS)?
                .insert(&**name, (number, topic.partitions, topic.compact))?;
            write.commit()?;
            opened.topics.insert(name.clone(), (number, topic));
            Ok(())
        })
    }

    fn append(&mut self, records: &[Placed<'_>], positions: &[Position<'_>]) -> Result<(), LogError> {
        for placed in records {
            self.number(&TopicPartition::new(&placed.record.topic, placed.partition))?;
        }
        for position in positions {
            self.number(position.at)?;
        }
        self.with(|opened| {
            let mut bounds = BTreeMap::new();
            for placed in records {
                let place = (opened.topics[&placed.record.topic].0, placed.partition);
                let known = opened.bounds.get(&place).copied();
                bounds.insert(place, known.unwrap_or(Bounds { start: 0, end: 0 }));
            }
            opened.write(records, positions, &mut bounds)?;
            opened.bounds.append(&mut bounds);
            Ok(())
        })
    }

    fn read(
        &self,
        at: &TopicPartition,
        from: u64,
        max: usize,
        out: &mut Vec<Record>,
    ) -> Result<(), LogError> {
        let number = self.number(at)?;
        let unreadable = self.with(|opened| {
            let table = opened.database.begin_read()?.open_table(RECORDS)?;
            let places = (number, at.partition, from)..=(number, at.partition, u64::MAX);
            for row in table.range(places)?.take(max) {
                let (key, value) = row?;
                let offset = key.value().2;
                match decode(at, offset, value.value()) {
                    Some(record) => out.push(record),
                    None => return Ok(Some(offset)),
                }
            }
            Ok(None)
        })?;
        match unreadable {
            None => Ok(()),
            Some(offset) => Err(setup(format_args!("{at}@{offset} cannot be read"))),
        }
    }

    fn bounds(&self, at: &TopicPartition) -> Result<Bounds, LogError> {
        let number = self.number(at)?;
        let known = self.with(|opened| Ok(opened.bounds.get(&(number, at.partition)).copied()))?;
        Ok(known.unwrap_or(Bounds { start: 0, end: 0 }))
    }

    fn committed(&self, group: &str, at: &TopicPartition) -> Result<Option<u64>, LogError> {
        let number = self.number(at)?;
        self.with(|opened| {
            let table = opened.database.begin_read()?.open_table(POSITIONS)?;
            let position = table.get((group, number, at.partition))?;
            Ok(position.map(|position| position.value()))
        })
    }
}

const NONE: u32 = u32::MAX;
/// Set in the length of a value that is compressed; the length of what it was before follows.
const COMPRESSED: u32 = 1 << 31;
/// Shorter values are kept as they are, in bytes: several of them share a page anyway.
const COMPRESS_MIN: usize = 1_024;

fn encode(timestamp: Time, key: Option<&[u8]>, value: Option<&[u8]>, headers: &[Header], out: &mut Vec<u8>) {
    out.extend(timestamp.nanos().to_le_bytes());
    out.extend(key.map_or(NONE, |key| key.len() as u32).to_le_bytes());
    out.extend(key.unwrap_or_default());
    if !value.is_some_and(|value| compress(value, out)) {
        out.extend(value.map_or(NONE, |value| value.len() as u32).to_le_bytes());
        out.extend(value.unwrap_or_default());
    }
    for (name, value) in headers {
        for part in [name.as_bytes(), value] {
            out.extend((part.len() as u32).to_le_bytes());
            out.extend(part);
        }
    }
}

fn decode(at: &TopicPartition, offset: u64, bytes: &[u8]) -> Option<Record> {
    let (timestamp, mut rest) = bytes.split_first_chunk()?;
    let timestamp = Some(Time::from_nanos(i64::from_le_bytes(*timestamp)));
    let key = part(&mut rest)?;
    let value = value(&mut rest)?;
    let mut headers = Vec::new();
    while !rest.is_empty() {
        headers.push((String::from_utf8(part(&mut rest)??).ok()?, part(&mut rest)??));
    }
    Some(Record {
        at: at.clone(),
        offset,
        timestamp,
        key,
        value,
        headers,
    })
}

/// Writes a value compressed; does nothing where that gains little.
fn compress(value: &[u8], out: &mut Vec<u8>) -> bool {
    if value.len() < COMPRESS_MIN || value.len() >= COMPRESSED as usize {
        return false;
    }
    let start = out.len();
    let head = start + 8;
    out.resize(head + lz4_flex::block::get_maximum_output_size(value.len()), 0);
    match lz4_flex::block::compress_into(value, &mut out[head..]) {
        Ok(len) if len < value.len() / 8 * 7 => {
            out[start..start + 4].copy_from_slice(&(len as u32 | COMPRESSED).to_le_bytes());
            out[start + 4..head].copy_from_slice(&(value.len() as u32).to_le_bytes());
            out.truncate(head + len);
            true
        }
        _ => {
            out.truncate(start);
            false
        }
    }
}

/// A value, which may be compressed.
fn value(rest: &mut &[u8]) -> Option<Option<Vec<u8>>> {
    let (len, after) = rest.split_first_chunk()?;
    let len = u32::from_le_bytes(*len);
    if len == NONE || len & COMPRESSED == 0 {
        return part(rest);
    }
    let (whole, after) = after.split_first_chunk()?;
    let (packed, after) = after.split_at_checked((len & !COMPRESSED) as usize)?;
    *rest = after;
    let value = lz4_flex::block::decompress(packed, u32::from_le_bytes(*whole) as usize).ok()?;
    Some(Some(value))
}

/// A part with its length before it; `Some(None)` is a part that is absent.
fn part(rest: &mut &[u8]) -> Option<Option<Vec<u8>>> {
    let (len, after) = rest.split_first_chunk()?;
    *rest = after;
    match u32::from_le_bytes(*len) {
        NONE => Some(None),
        len => {
            let (part, after) = rest.split_at_checked(len as usize)?;
            *rest = after;
            Some(Some(part.to_vec()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use redb::StorageBackend;
    use redb::backends::FileBackend;

    use super::*;
    use crate::log::Outgoing;

    /// A file on a disk that is full after so many more writes.
    #[derive(Debug)]
    struct Filling {
        file: FileBackend,
        left: Arc<AtomicU64>,
    }

    impl Filling {
        fn take(&self) -> Result<(), std::io::Error> {
            let taken = self
                .left
                .try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            match taken {
                Ok(_) => Ok(()),
                Err(_) => Err(std::io::ErrorKind::StorageFull.into()),
            }
        }
    }

    impl StorageBackend for Filling {
        fn len(&self) -> Result<u64, std::io::Error> {
            self.file.len()
        }
        fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
            self.file.read(offset, out)
        }
        fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
            self.take()?;
            self.file.set_len(len)
        }
        fn sync_data(&self) -> Result<(), std::io::Error> {
            self.file.sync_data()
        }
        fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
            self.take()?;
            self.file.write(offset, data)
        }
    }

    #[test]
    fn values_come_back_whether_compressed_or_not() {
        let at = TopicPartition::new(&"t".into(), 0);
        let repeated = b"{\"alertname\":\"QueueTooLong\"},".repeat(200);
        // As good as random: compressing would make it longer.
        let mut state = 1u64;
        let random: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .take(5_000)
        .collect();
        let headers = vec![("source".to_owned(), b"probe".to_vec())];
        for (value, shorter) in [
            (None, false),
            (Some(&b""[..]), false),
            (Some(&repeated[..100]), false),
            (Some(&repeated[..]), true),
            (Some(&random[..]), false),
        ] {
            let mut bytes = Vec::new();
            encode(Time::from_secs(7), Some(b"k"), value, &headers, &mut bytes);
            assert_eq!(bytes.len() < value.map_or(0, <[u8]>::len), shorter);
            let record = decode(&at, 3, &bytes).unwrap();
            assert_eq!(record.value.as_deref(), value);
            assert_eq!(record.key.as_deref(), Some(&b"k"[..]));
            assert_eq!(record.headers, headers);
        }
    }

    /// whichever write is the one that finds no room, what was said to be kept is kept once, and the log goes on by
    /// itself when there is room again.
    #[test]
    fn a_full_disk_loses_and_doubles_nothing() {
        let topic = Topic {
            partitions: 1,
            compact: false,
            soon: false,
        };
        let at = TopicPartition::new(&"t".into(), 0);
        let mut failures = 0;
        for room in 0..60 {
            let folder = tempfile::tempdir().unwrap();
            let (path, left) = (folder.path().join("log"), Arc::new(AtomicU64::new(u64::MAX)));
            let (file, room_left) = (path.clone(), left.clone());
            let open = move || {
                let file = OpenOptions::new()
                    .read(true)
                    .write(true)
                    .create(true)
                    .truncate(false)
                    .open(&file)?;
                let left = room_left.clone();
                builder().create_with_backend(Filling {
                    file: FileBackend::new(file)?,
                    left,
                })
            };
            let mut disk = Disk::over(open).unwrap();
            disk.create(&at.topic, topic).unwrap();
            let append = |disk: &mut Disk, n: u64| {
                let record = Outgoing::to(&at.topic, 0, n.to_string(), Some(vec![n as u8; 3_000]));
                let placed = Placed {
                    partition: 0,
                    timestamp: Time::from_secs(0),
                    record: &record,
                };
                let position = Position {
                    group: "g",
                    at: &at,
                    position: n + 1,
                };
                disk.append(&[placed], &[position])
            };
            let (mut next, mut fills) = (0, true);
            while next < 12 {
                if next == 4 && std::mem::take(&mut fills) {
                    left.store(room, Ordering::Relaxed);
                }
                if append(&mut disk, next).is_ok() {
                    next += 1;
                    continue;
                }
                failures += 1;
                // Full: it is asked again and again, and refuses.
                assert!(append(&mut disk, next).is_err());
                left.store(u64::MAX, Ordering::Relaxed);
                // What was not acknowledged may have landed; the file tells.
                next = disk.committed("g", &at).unwrap().unwrap_or(0);
            }
            let mut records = Vec::new();
            disk.read(&at, 0, 100, &mut records).unwrap();
            let keys: Vec<_> = records
                .iter()
                .map(|r| String::from_utf8(r.key.clone().unwrap()).unwrap())
                .collect();
            let expected: Vec<_> = (0..12).map(|n: u64| n.to_string()).collect();
            assert_eq!(keys, expected, "room for {room} writes");
            assert_eq!(disk.bounds(&at).unwrap(), Bounds { start: 0, end: 12 });
        }
        assert!(failures > 20, "the disk was full only {failures} times");
    }
}
