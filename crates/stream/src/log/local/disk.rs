//! Records on disk, in one file kept by redb <https://github.com/cberner/redb>: crash-safe, whole transactions, no
//! threads of its own. Why redb and not an LSM tree stands in `docs/decisions/embedded-store.md`.
//!
//! Compaction happens as records are written: in a compacted topic the record that a new one replaces is removed in the
//! same transaction, so a state topic is never larger than the state.

use std::collections::BTreeMap;
use std::path::Path;

use model::Time;
use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition};

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
pub(super) struct Disk {
    database: Database,
    topics: BTreeMap<TopicName, (u32, Topic)>,
    bounds: BTreeMap<(u32, u32), Bounds>,
}

fn failed(error: impl std::fmt::Display) -> LogError {
    LogError::new(LogErrorKind::Unavailable, format_args!("local log: {error}"))
}

impl Disk {
    /// Opens or creates the file.
    pub(super) fn open(file: &Path) -> Result<Disk, LogError> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|e| LogError::new(LogErrorKind::Setup, format_args!("{}: {e}", folder.display())))?;
        }
        let database = redb::Builder::new()
            .set_cache_size(CACHE_BYTES)
            .create(file)
            .map_err(|e| LogError::new(LogErrorKind::Setup, format_args!("{}: {e}", file.display())))?;
        let mut disk = Disk {
            database,
            topics: BTreeMap::new(),
            bounds: BTreeMap::new(),
        };
        disk.load().map_err(failed)?;
        Ok(disk)
    }

    fn load(&mut self) -> Result<(), redb::Error> {
        let write = self.database.begin_write()?;
        {
            let topics = write.open_table(TOPICS)?;
            for row in topics.iter()? {
                let (name, value) = row?;
                let (number, partitions, compact) = value.value();
                self.topics
                    .insert(name.value().into(), (number, Topic { partitions, compact }));
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

    fn number(&self, at: &TopicPartition) -> Result<u32, LogError> {
        self.topics
            .get(&at.topic)
            .filter(|(_, topic)| at.partition < topic.partitions)
            .map(|(number, _)| *number)
            .ok_or_else(|| LogError::new(LogErrorKind::Setup, format_args!("there is no {at}")))
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
        Ok(self
            .topics
            .iter()
            .map(|(name, (_, topic))| (name.clone(), *topic))
            .collect())
    }

    fn create(&mut self, name: &TopicName, topic: Topic) -> Result<(), LogError> {
        let number = self
            .topics
            .values()
            .map(|(number, _)| number + 1)
            .max()
            .unwrap_or(0);
        let write = |database: &Database| -> Result<(), redb::Error> {
            let write = database.begin_write()?;
            write
                .open_table(TOPICS)?
                .insert(&**name, (number, topic.partitions, topic.compact))?;
            write.commit()?;
            Ok(())
        };
        write(&self.database).map_err(failed)?;
        self.topics.insert(name.clone(), (number, topic));
        Ok(())
    }

    fn append(&mut self, records: &[Placed<'_>], positions: &[Position<'_>]) -> Result<(), LogError> {
        let mut bounds = BTreeMap::new();
        for placed in records {
            let at = TopicPartition::new(&placed.record.topic, placed.partition);
            let place = (self.number(&at)?, placed.partition);
            bounds.insert(
                place,
                self.bounds
                    .get(&place)
                    .copied()
                    .unwrap_or(Bounds { start: 0, end: 0 }),
            );
        }
        for position in positions {
            self.number(position.at)?;
        }
        self.write(records, positions, &mut bounds).map_err(failed)?;
        self.bounds.append(&mut bounds);
        Ok(())
    }

    fn read(
        &self,
        at: &TopicPartition,
        from: u64,
        max: usize,
        out: &mut Vec<Record>,
    ) -> Result<(), LogError> {
        let number = self.number(at)?;
        let mut read = || -> Result<Option<u64>, redb::Error> {
            let table = self.database.begin_read()?.open_table(RECORDS)?;
            for row in table
                .range((number, at.partition, from)..=(number, at.partition, u64::MAX))?
                .take(max)
            {
                let (key, value) = row?;
                let offset = key.value().2;
                match decode(at, offset, value.value()) {
                    Some(record) => out.push(record),
                    None => return Ok(Some(offset)),
                }
            }
            Ok(None)
        };
        match read().map_err(failed)? {
            None => Ok(()),
            Some(offset) => Err(LogError::new(
                LogErrorKind::Setup,
                format_args!("{at}@{offset} cannot be read"),
            )),
        }
    }

    fn bounds(&self, at: &TopicPartition) -> Result<Bounds, LogError> {
        let number = self.number(at)?;
        Ok(self
            .bounds
            .get(&(number, at.partition))
            .copied()
            .unwrap_or(Bounds { start: 0, end: 0 }))
    }

    fn committed(&self, group: &str, at: &TopicPartition) -> Result<Option<u64>, LogError> {
        let number = self.number(at)?;
        let read = || -> Result<Option<u64>, redb::Error> {
            let table = self.database.begin_read()?.open_table(POSITIONS)?;
            Ok(table
                .get((group, number, at.partition))?
                .map(|position| position.value()))
        };
        read().map_err(failed)
    }
}

const NONE: u32 = u32::MAX;

fn encode(timestamp: Time, key: Option<&[u8]>, value: Option<&[u8]>, headers: &[Header], out: &mut Vec<u8>) {
    out.extend(timestamp.nanos().to_le_bytes());
    for part in [key, value] {
        out.extend(part.map_or(NONE, |part| part.len() as u32).to_le_bytes());
        out.extend(part.unwrap_or_default());
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
    let value = part(&mut rest)?;
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
