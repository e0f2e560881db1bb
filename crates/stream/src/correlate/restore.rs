//! Restoring partitions: the newest rows, then the journal from the checkpoint to the committed position once more.
//!
//! Exact, because the fold is deterministic and of one version; what it gives while it is folded again was published by
//! whoever folded it first, and is dropped.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::{Restoring, Shard};

use super::panics::{self, Panicked};
use super::parts::{PART, Parted, Parts};
use super::row::{self, CHECKPOINT, Checkpoint, POSITION, Position, QUARANTINE, SETTINGS};
use super::rows::Rows;
use crate::counters::Counters;
use crate::log::{Log, LogError, LogErrorKind, Reader, Record, TopicPartition, Worker};
use crate::settings::{Gap, Settings};

/// Inputs folded at once.
const BATCH: usize = 4096;
/// A log that tells nothing new for this long while it has more is taken for gone.
const PATIENCE: u32 = 600;
const WAIT: Duration = Duration::from_millis(100);

/// A partition ready to go on.
pub(super) struct Restored {
    pub(super) shard: Shard,
    /// The journal position of the next input.
    pub(super) next: u64,
    /// Positions that the fold must not see.
    pub(super) quarantined: BTreeSet<u64>,
    /// Rows that stand in parts.
    pub(super) parted: Parted,
    /// How much the checkpoint does not cover. Another is due at once of a journal that is no more, of which it covers
    /// nothing, and where what it does not cover was folded under other settings.
    pub(super) since: u64,
    /// Whether the settings that the rows name are these.
    pub(super) settings_named: bool,
    /// Where the group stands.
    pub(super) committed: Option<u64>,
    /// Whether there is a row that says how far the outputs go.
    pub(super) placed: bool,
}

fn setup(what: impl std::fmt::Display) -> LogError {
    LogError::new(LogErrorKind::Setup, what)
}

/// Restores the journal partitions `given`, all at once; gives them in their order.
pub(super) fn restore(
    settings: &Settings,
    log: &dyn Log,
    worker: &mut dyn Worker,
    given: &[TopicPartition],
    counters: &Counters,
) -> Result<Vec<Restored>, LogError> {
    // Waits until nothing is undecided, so it comes before the rows are read.
    let given: Vec<(&TopicPartition, Option<u64>)> = given
        .iter()
        .map(|at| Ok((at, worker.committed(at)?)))
        .collect::<Result<_, LogError>>()?;
    let part = |given: &[(&TopicPartition, Option<u64>)]| part(settings, log, given, counters);
    let each = given.len().div_ceil(settings.restore_threads.max(1)).max(1);
    let restored: Vec<Restored> = match given.chunks(each).collect::<Vec<_>>()[..] {
        [all] => part(all)?,
        ref parts => std::thread::scope(|scope| {
            let threads: Vec<_> = parts.iter().map(|given| scope.spawn(|| part(given))).collect();
            let parts = threads.into_iter().map(|thread| match thread.join() {
                Ok(restored) => restored,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            parts.collect::<Result<Vec<_>, _>>()
        })?
        .into_iter()
        .flatten()
        .collect(),
    };
    for ((at, committed), restored) in given.iter().zip(&restored) {
        // A group that does not say where it stands may still begin somewhere.
        if committed.map_or(restored.placed, |committed| committed != restored.next) {
            worker.seek(at, restored.next)?;
        }
    }
    Ok(restored)
}

/// Restores some partitions with a reader of its own, one after another: what the rows of one took serves for those of the
/// next, and memory that was never touched costs more than all other work on a row.
fn part(
    settings: &Settings,
    log: &dyn Log,
    given: &[(&TopicPartition, Option<u64>)],
    counters: &Counters,
) -> Result<Vec<Restored>, LogError> {
    let mut reader = log.reader()?;
    let mut restored = Vec::with_capacity(given.len());
    for (at, committed) in given {
        let stored = read_rows(settings, log, reader.as_mut(), at.partition, counters)?;
        restored.push(one(
            settings,
            log,
            reader.as_mut(),
            at,
            stored,
            *committed,
            counters,
        )?);
        counters.restores.add(1);
    }
    Ok(restored)
}

/// The newest rows of a partition.
fn read_rows(
    settings: &Settings,
    log: &dyn Log,
    reader: &mut dyn Reader,
    partition: u32,
    counters: &Counters,
) -> Result<Rows, LogError> {
    let at = TopicPartition::new(&settings.topics.state, partition);
    let mut rows = Rows::default();
    // The group stands where the last transaction put it, but its rows may hear of that later.
    let bounds = log.decided(&at)?;
    if bounds.start == bounds.end {
        return Ok(rows);
    }
    reader.assign(&[(at.clone(), bounds.start)])?;
    let (mut silent, mut ended) = (0, false);
    while !ended {
        let (mut seen, mut keyless) = (0, None);
        reader.visit(WAIT, BATCH, &mut |record| {
            seen += 1;
            ended |= record.offset + 1 >= bounds.end;
            match record.key {
                Some(key) => rows.put(key, record.value),
                None => keyless = Some(record.offset),
            }
        })?;
        if let Some(offset) = keyless {
            return Err(setup(format_args!("{at}@{offset} has no key")));
        }
        silent = if seen == 0 { silent + 1 } else { 0 };
        counters.restored_rows.add(seen);
        ended |= reader.at_end(&at);
        if silent > PATIENCE {
            return Err(LogError::new(
                LogErrorKind::Unavailable,
                "the state topic cannot be read to its end",
            ));
        }
    }
    Ok(rows)
}

fn text<'a>(at: &TopicPartition, key: &'a [u8]) -> Result<&'a str, LogError> {
    std::str::from_utf8(key).map_err(|e| setup(format_args!("the key of a row of {at}: {e}")))
}

/// The fold version and the payload of a row.
fn payload<'a>(at: &TopicPartition, key: &str, bytes: &'a [u8]) -> Result<(u32, &'a [u8]), LogError> {
    row::decode(key, bytes).map_err(|e| setup(format_args!("state row {key} of {at} {e}")))
}

fn unreadable(at: &TopicPartition, key: &str, error: &serde_json::Error) -> LogError {
    setup(format_args!("state row {key} of {at} cannot be read: {error}"))
}

fn one(
    settings: &Settings,
    log: &dyn Log,
    reader: &mut dyn Reader,
    at: &TopicPartition,
    stored: Rows,
    committed: Option<u64>,
    counters: &Counters,
) -> Result<Restored, LogError> {
    let bounds = log.bounds(at)?;
    let mut quarantined = BTreeSet::new();
    let mut checkpoint = None;
    let mut published = None;
    let mut folded_under = None;
    let mut first = Vec::new();
    let mut parts = Parts::default();
    stored.each(|key, bytes| {
        if !key.starts_with(b"!") && !Restoring::comes_first(key) {
            return Ok(());
        }
        let key = text(at, key)?;
        let (fold, payload) = payload(at, key, bytes)?;
        if let Some(position) = key.strip_prefix(QUARANTINE) {
            quarantined.extend(position.parse::<u64>().ok());
        } else if key == CHECKPOINT {
            let read: Checkpoint = serde_json::from_slice(payload).map_err(|e| unreadable(at, key, &e))?;
            checkpoint = Some((fold, read));
        } else if key == POSITION {
            let read: Position = serde_json::from_slice(payload).map_err(|e| unreadable(at, key, &e))?;
            published = Some((fold, read.position));
        } else if key == SETTINGS {
            folded_under = Some(payload.to_vec());
        } else if let Some(name) = key.strip_prefix(PART) {
            if !parts.take(name, payload.to_vec()) {
                return Err(setup(format_args!("state row {key} of {at} is no part of a row")));
            }
        } else if !key.starts_with('!') {
            first.push((key.to_owned(), payload.to_vec()));
        }
        Ok(())
    })?;
    let (joined, parted) = parts
        .join()
        .map_err(|key| setup(format_args!("parts of state row {key} of {at} are missing")))?;
    let (joined_first, joined): (Vec<_>, Vec<_>) = joined
        .into_iter()
        .partition(|(key, _)| Restoring::comes_first(key));
    first.extend(joined_first);
    let from = match &checkpoint {
        Some((_, c)) if c.partition != at.partition || c.partitions != settings.partitions => {
            return Err(setup(format_args!(
                "the checkpoint is of partition {} of {}, this is partition {} of {}: the number of journal partitions must not change",
                c.partition, c.partitions, at.partition, settings.partitions
            )));
        }
        Some((_, c)) => c.position,
        None => bounds.start,
    };
    // Whoever publishes says so in a row. Where there is none and nothing was published, the group was set by hand, and
    // what lies before its position is still to be published. Where something was, the rows are lost, and it counts.
    let virgin = published.is_none() && checkpoint.is_none();
    let committed = match committed {
        Some(position)
            if virgin && position > from && !was_published(settings, log, reader, at.partition)? =>
        {
            tracing::error!(partition = %at, position,
                "the group stands behind inputs of which nothing was ever published; beginning before them");
            None
        }
        committed => committed,
    };
    // The row was written with the outputs, in one transaction. The position of the group says the same, but it is kept
    // apart from them: it can be forgotten, and anybody who may read may set it. It counts where there is no row; and
    // without any other word the checkpoint is the best there is, because a clean stop leaves no tail. The group is ahead of
    // it where nothing followed from what was folded; then nothing follows from it again.
    if let (Some((_, published)), Some(committed)) = (published, committed)
        && published > committed
    {
        tracing::error!(partition = %at, committed, published,
            "the group stands before outputs that were published; going on behind them");
    }
    let next = published.map(|(_, position)| position);
    let next = next.or(committed).unwrap_or(from).max(from);
    let recreated = next > bounds.end;
    let next = if recreated {
        counters.recreated_topics.add(1);
        tracing::error!(partition = %at, position = next, end = bounds.end,
            "the position is beyond the end of the journal: it was made anew; what is known stays, and it is read from its start");
        bounds.start
    } else {
        next.max(bounds.start)
    };
    let tail = if recreated { 0 } else { next.saturating_sub(from) };
    // Whoever published last folded all of what was published of the tail, because nobody goes on behind a tail of another
    // version.
    let folded_by = published.map(|(fold, _)| fold);
    let folded_by = folded_by.or(checkpoint.map(|(fold, _)| fold));
    if let Some(fold) = folded_by.filter(|fold| tail > 0 && *fold != settings.fold_version) {
        return Err(setup(format_args!(
            "{tail} positions of {at} behind its checkpoint were folded by fold version {fold}; this build has fold version {}: start the former version once and stop it cleanly",
            settings.fold_version
        )));
    }
    if from < bounds.start && tail > 0 {
        let gap = format!(
            "the journal {at} begins at {}, the checkpoint needs it from {from} on",
            bounds.start
        );
        match settings.gap {
            Gap::Refuse => return Err(setup(gap)),
            Gap::Accept => tracing::error!("{gap}; going on without it as told"),
        }
    }
    let settings_named = folded_under.as_deref() == Some(&settings_row(settings)[..]);
    // What was published of the tail was folded under the settings of then. Under others it would be something else, of
    // which nobody would ever hear.
    let before = match folded_under.filter(|_| tail > 0 && !settings_named) {
        Some(row) => Some(serde_json::from_slice(&row).map_err(|e| unreadable(at, SETTINGS, &e))?),
        None => None,
    };
    let under_others = before.is_some();
    let fold = before.unwrap_or_else(|| settings.fold.clone());
    let refused = |e: engine::RestoreError| setup(format_args!("{at}: {e}"));
    let mut restoring = Restoring::begin(fold, first).map_err(refused)?;
    for (key, payload) in joined {
        restoring.row(&key, &payload).map_err(refused)?;
    }
    stored.into_each(|key, bytes| {
        if key.starts_with(b"!") || Restoring::comes_first(key) {
            return Ok(());
        }
        let key = text(at, key)?;
        let (_, payload) = payload(at, key, bytes)?;
        restoring.row(key, payload).map_err(refused)
    })?;
    let shard = restoring.done();
    let mut restored = Restored {
        shard,
        next,
        quarantined,
        parted,
        since: if recreated || tail > 0 && !settings_named {
            settings.checkpoint_inputs
        } else {
            tail
        },
        settings_named,
        committed,
        placed: published.is_some() && !recreated,
    };
    if tail > 0 {
        refold(
            settings,
            reader,
            at,
            from.max(bounds.start),
            &mut restored,
            counters,
        )?;
    }
    if under_others {
        restored.shard.set_settings(settings.fold.clone());
    }
    tracing::info!(partition = %at, from, next, "restored");
    Ok(restored)
}

/// Whether anything was ever published of a partition, as far as it is kept.
fn was_published(
    settings: &Settings,
    log: &dyn Log,
    reader: &mut dyn Reader,
    partition: u32,
) -> Result<bool, LogError> {
    let at = TopicPartition::new(&settings.topics.changes, partition);
    let bounds = log.decided(&at)?;
    // Records that were removed since were published once.
    if bounds.start > 0 || bounds.start == bounds.end {
        return Ok(bounds.start > 0);
    }
    reader.assign(&[(at.clone(), bounds.start)])?;
    let mut records = Vec::new();
    for _ in 0..PATIENCE {
        reader.poll(WAIT, 1, &mut records)?;
        if !records.is_empty() || reader.at_end(&at) {
            return Ok(!records.is_empty());
        }
    }
    let what = format_args!("{at} cannot be read to its end");
    Err(LogError::new(LogErrorKind::Unavailable, what))
}

/// The settings of the fold as the row that names them.
pub(super) fn settings_row(settings: &Settings) -> Vec<u8> {
    serde_json::to_vec(&settings.fold).expect("settings are plain data")
}

/// Folds what lies before the position `to`, too; what it gives is dropped.
pub(super) fn go_on(
    settings: &Settings,
    log: &dyn Log,
    at: &TopicPartition,
    restored: &mut Restored,
    to: u64,
    counters: &Counters,
) -> Result<(), LogError> {
    let from = restored.next;
    if to <= from {
        return Ok(());
    }
    restored.next = to;
    refold(settings, log.reader()?.as_mut(), at, from, restored, counters)
}

/// Folds `from..restored.next` again.
fn refold(
    settings: &Settings,
    reader: &mut dyn Reader,
    at: &TopicPartition,
    from: u64,
    restored: &mut Restored,
    counters: &Counters,
) -> Result<(), LogError> {
    reader.assign(&[(at.clone(), from)])?;
    let mut records: Vec<Record> = Vec::new();
    let mut dropped = Vec::new();
    let mut silent = 0;
    loop {
        reader.poll(WAIT, BATCH, &mut records)?;
        silent = if records.is_empty() { silent + 1 } else { 0 };
        let reached = records.last().map_or(from, |record| record.offset + 1);
        let left = restored.next.saturating_sub(reached);
        counters.restoring_inputs_left.set(left as i64);
        let beyond = records.iter().any(|record| record.offset + 1 >= restored.next);
        records.retain(|record| record.offset < restored.next);
        let inputs = super::inputs(&records, &restored.quarantined, counters);
        counters.refolded_inputs.add(inputs.len() as u64);
        let shard = &mut restored.shard;
        panics::step(settings.step, shard, &inputs, &mut dropped).map_err(|Panicked(reason)| {
            setup(format_args!(
                "{at}: the fold panicked on what it has folded before: {reason}"
            ))
        })?;
        records.clear();
        dropped.clear();
        if beyond || reader.at_end(at) {
            return Ok(());
        }
        if silent > PATIENCE {
            return Err(LogError::new(
                LogErrorKind::Unavailable,
                format_args!("{at} cannot be read to its end"),
            ));
        }
    }
}
