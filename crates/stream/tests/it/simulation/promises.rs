//! The promises I1 to I9, as far as a log can show them, checked on what was published.

use std::collections::{BTreeMap, BTreeSet};

use model::{ChangeKind, Input, Origin, Span, Time};
use stream::Settings;
use stream::log::{Log, RECORD_BYTES_MAX, Record};

use super::world::{Becomes, Raw};
use crate::house::{Inputs, Journal, folded, published, quarantined, read};

/// What was sent, by raw partition and offset.
pub(super) struct Sent {
    becomes: BTreeMap<(u32, u64), Becomes>,
    /// How many of them no fold can take.
    booms: usize,
}

impl Sent {
    pub(super) fn of(raw: &[Raw]) -> Sent {
        let mut next: BTreeMap<u32, u64> = BTreeMap::new();
        let place = |raw: &Raw| {
            let next = next.entry(raw.partition).or_default();
            *next += 1;
            ((raw.partition, *next - 1), raw.becomes)
        };
        Sent {
            becomes: raw.iter().map(place).collect(),
            booms: raw.iter().filter(|raw| raw.is_boom()).count(),
        }
    }
}

/// Events in the journal that no quarantine leaves out.
pub(super) fn events(journal: &Journal) -> u64 {
    let is_event = |(_, input): &&(u64, Input)| matches!(input, Input::Event(_));
    let events = |inputs: &Inputs| {
        let out = quarantined(inputs);
        let counts = inputs.iter().filter(is_event);
        counts.filter(|(offset, _)| !out.contains(offset)).count() as u64
    };
    journal.values().map(events).sum()
}

/// Checks everything but the books; `latest`: no clock showed a later time.
pub(super) fn hold(
    log: &dyn Log,
    settings: &Settings,
    journal: &Journal,
    sent: &Sent,
    latest: Time,
) -> Result<(), String> {
    nothing_is_lost_before_the_journal(log, settings, journal, sent)?;
    time_is_what_was_recorded(journal, latest)?;
    // I3, and with it that nothing is lost or doubled behind the journal.
    let (found, expected) = (published(log, settings), folded(journal, settings));
    if let Some(difference) = found.difference(&expected) {
        return Err(format!(
            "I3: published differs from a fold of the journal: {difference}"
        ));
    }
    let lists = incidents_are_the_truth(log, settings)?;
    numbers_have_no_gaps(log, settings, &lists)
}

/// I1 and I2 for the first hop: each record gave one event or was refused, and within a partition order is kept.
fn nothing_is_lost_before_the_journal(
    log: &dyn Log,
    settings: &Settings,
    journal: &Journal,
    sent: &Sent,
) -> Result<(), String> {
    let mut found: BTreeMap<(u32, u64), (u32, u32)> = BTreeMap::new();
    let mut quarantines = 0_usize;
    for (partition, inputs) in journal {
        let mut last: BTreeMap<u32, u64> = BTreeMap::new();
        for (place, input) in inputs {
            quarantines += usize::from(matches!(input, Input::Quarantine { .. }));
            let Input::Event(event) = input else { continue };
            let Some(Origin::Log {
                partition: from,
                offset,
                ..
            }) = &event.origin
            else {
                return Err(format!("an event without origin at {partition}@{place}"));
            };
            found.entry((*from, *offset)).or_default().0 += 1;
            if last.insert(*from, *offset).is_some_and(|last| last >= *offset) {
                return Err(format!(
                    "I2: raw {from}@{offset} is out of order or double at journal {partition}@{place}"
                ));
            }
        }
    }
    let mut panics = 0_usize;
    for letter in read(log, &settings.topics.deadletter).values().flatten() {
        let origin = letter.header("origin").ok_or("a dead letter without origin")?;
        if letter.header("stage") == Some("fold") {
            panics += 1;
            continue;
        }
        let place = origin
            .strip_prefix("alerts[")
            .and_then(|o| o.split_once("]@"))
            .ok_or(origin)?;
        let place = place.0.parse().ok().zip(place.1.parse().ok()).ok_or(origin)?;
        found.entry(place).or_default().1 += 1;
    }
    for (place, becomes) in &sent.becomes {
        let found = found.remove(place).unwrap_or_default();
        let held = match becomes {
            Becomes::Event => found == (1, 0),
            Becomes::Letter => found == (0, 1),
            Becomes::Nothing => found == (0, 0),
        };
        if !held {
            return Err(format!(
                "I1: raw {place:?} should be one {becomes:?}, there are {} events and {} letters",
                found.0, found.1
            ));
        }
    }
    if let Some((place, _)) = found.first_key_value() {
        return Err(format!("I2: raw {place:?} was never sent"));
    }
    let expected = sent.booms;
    if (quarantines, panics) != (expected, expected) {
        return Err(format!(
            "{quarantines} quarantines and {panics} letters of them, expected {expected}"
        ));
    }
    Ok(())
}

/// No sender and no producer moves time beyond the clock of ingest.
fn time_is_what_was_recorded(journal: &Journal, latest: Time) -> Result<(), String> {
    for (partition, inputs) in journal {
        for (_, input) in inputs {
            let time = match input {
                Input::Event(event) => event.received_at,
                Input::Progress(progress) => progress.to,
                _ => continue,
            };
            if time > latest {
                return Err(format!(
                    "partition {partition}: {time} was recorded, the clock never passed {latest}"
                ));
            }
        }
    }
    Ok(())
}

/// I2 and I6: `seq` and revisions rise by one, an incident begins once, and it reopens only after its end. The list of
/// what a system keeps quiet on a day is none: it begins with the first entry and holds nothing but entries.
fn numbers_have_no_gaps(log: &dyn Log, settings: &Settings, lists: &BTreeSet<String>) -> Result<(), String> {
    let mut seqs: BTreeMap<String, u64> = BTreeMap::new();
    let mut revisions: BTreeMap<String, (u64, bool)> = BTreeMap::new();
    for record in read(log, &settings.topics.changes).values().flatten() {
        let bytes = record.value.as_deref().ok_or("a change without value")?;
        bounded(record)?;
        let change = wire::record::read_change(bytes).map_err(|e| format!("I9: {e}"))?;
        let seq = seqs.entry(change.domain.as_str().to_owned()).or_default();
        *seq += 1;
        if change.seq != *seq {
            return Err(format!(
                "I2: seq {} of {} where {seq} is due",
                change.seq,
                change.domain.as_str()
            ));
        }
        let id = change.incident_id.to_string();
        let (revision, over) = revisions.entry(id.clone()).or_default();
        *revision += 1;
        if change.revision != *revision {
            return Err(format!(
                "I6: revision {} of {id} where {revision} is due",
                change.revision
            ));
        }
        let fits = match lists.contains(&id) {
            true => matches!(change.change, ChangeKind::Suppressed | ChangeKind::Released),
            false => (change.change == ChangeKind::Opened) == (*revision == 1),
        };
        if !fits {
            return Err(format!("I6: revision {revision} of {id} is {:?}", change.change));
        }
        match change.change {
            ChangeKind::Resolved if *over => return Err(format!("I6: {id} ends twice")),
            ChangeKind::Reopened if !*over => return Err(format!("I6: {id} reopens while it is open")),
            ChangeKind::Resolved => *over = true,
            ChangeKind::Reopened => *over = false,
            _ => {}
        }
    }
    Ok(())
}

/// I2, I5 and I6 for what consumers page from: revisions rise, members are bounded, text is nothing but text. Gives
/// the records that are lists of what is kept quiet; they always were.
fn incidents_are_the_truth(log: &dyn Log, settings: &Settings) -> Result<BTreeSet<String>, String> {
    let mut revisions: BTreeMap<String, u64> = BTreeMap::new();
    let mut kinds: BTreeMap<String, bool> = BTreeMap::new();
    for record in read(log, &settings.topics.incidents).values().flatten() {
        bounded(record)?;
        let id =
            String::from_utf8_lossy(record.key.as_deref().ok_or("an incident without key")?).into_owned();
        let Some(bytes) = &record.value else {
            revisions.remove(&id);
            continue;
        };
        let incident = wire::record::read_incident(bytes).map_err(|e| format!("I9: {e}"))?;
        let revision = incident.revision;
        if revisions
            .insert(id.clone(), revision)
            .is_some_and(|last| last >= revision)
        {
            return Err(format!("I6: revision {revision} of {id} is not news"));
        }
        if incident.incident_id.to_string() != id {
            return Err(format!("{id} holds {}", incident.incident_id));
        }
        let is_list = incident.flags.iter().any(|flag| flag == "background");
        if *kinds.entry(id.clone()).or_insert(is_list) != is_list {
            return Err(format!("I6: {id} is a list and an incident"));
        }
    }
    kinds.retain(|_, is_list| *is_list);
    Ok(kinds.into_keys().collect())
}

fn bounded(record: &Record) -> Result<(), String> {
    let bytes = record.value.as_ref().map_or(0, Vec::len);
    if bytes > RECORD_BYTES_MAX {
        return Err(format!("I5: {}@{} has {bytes} bytes", record.at, record.offset));
    }
    Ok(())
}

/// When workers said that they live, in the order in which they said it.
pub(super) fn heartbeats(log: &dyn Log, settings: &Settings) -> Result<Vec<Time>, String> {
    let heartbeats = read(log, &settings.topics.heartbeat);
    let time = |record: &Record| {
        let value: serde_json::Value = serde_json::from_slice(record.value.as_deref()?).ok()?;
        value["at"].as_str()?.parse::<Time>().ok()
    };
    heartbeats
        .values()
        .flatten()
        .map(|record| time(record).ok_or_else(|| "a heartbeat without time".to_owned()))
        .collect()
}

/// I8: in a quiet time nobody is silent for longer than the interval of heartbeats allows.
pub(super) fn somebody_lives(
    log: &dyn Log,
    settings: &Settings,
    from: Time,
    before: usize,
    until: Time,
) -> Result<(), String> {
    let mut times = vec![from];
    times.extend(heartbeats(log, settings)?.into_iter().skip(before));
    times.push(until);
    times.sort();
    let gap = times
        .windows(2)
        .map(|pair| pair[1].since(pair[0]))
        .max()
        .unwrap_or_default();
    if gap > Span::from_secs(16) {
        return Err(format!("I8: silence for {} s", gap.secs()));
    }
    Ok(())
}
