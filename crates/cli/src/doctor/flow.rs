//! What a deployment leaves in its log: how far it is, who lives, what it keeps, what it refused.

use std::collections::{BTreeMap, BTreeSet};

use model::{Input, Time};
use serde_json::Value;
use stream::{
    Settings, TopicTime,
    log::{Log, Record, TopicName, TopicPartition},
};

use super::{Findings, long};
use crate::{fail::Failure, logs, records};

/// Workers say that they live every ten seconds; one that missed three is gone.
const SILENT_MS: i64 = 30_000;
/// Input older than this waits for too long.
const LAG_MS: i64 = 60_000;
/// A clock that differs by more than this moves deadlines.
const SKEW_MS: i64 = 5_000;
/// So many of the last records of a partition are looked at.
const LAST: u64 = 5_000;
/// And so many state rows of each partition.
const ROWS_MAX: usize = 200_000;

pub(super) fn examine(log: &dyn Log, settings: &Settings, now: Time, findings: &mut Findings) {
    let done = lag(log, settings, now, findings);
    findings.tried("lag", done);
    let done = heartbeats(log, settings, now, findings);
    findings.tried("heartbeat", done);
    let done = clocks(log, settings, findings);
    findings.tried("clocks", done);
    let done = state(log, settings, findings);
    findings.tried("state", done);
    let done = letters(log, settings, now, findings);
    findings.tried("deadletters", done);
}

/// What each stage has not done yet.
fn lag(log: &dyn Log, settings: &Settings, now: Time, findings: &mut Findings) -> Result<(), Failure> {
    for raw in &settings.raw {
        let group = match raw.time {
            TopicTime::Present => "ingest",
            TopicTime::Records => "history",
        };
        if is_empty(log, &raw.name)? {
            let mend = "point a sender at it; over HTTP: curl -d @FILE http://HOST:8780/v1/ingest";
            findings.note("raw", format!("topic {} has no records", raw.name), mend);
        } else {
            stage(log, settings, group, &raw.name, now, findings)?;
        }
    }
    if !is_empty(log, &settings.topics.journal)? {
        stage(
            log,
            settings,
            "correlate",
            &settings.topics.journal,
            now,
            findings,
        )?;
    }
    Ok(())
}

fn is_empty(log: &dyn Log, topic: &TopicName) -> Result<bool, Failure> {
    for at in records::partitions(log, topic)? {
        let bounds = log.bounds(&at).map_err(logs::failed)?;
        // Transactions that were given up leave positions and no records.
        if bounds.start > 0 || bounds.end > 0 && first(log, &at, bounds.start)?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn stage(
    log: &dyn Log,
    settings: &Settings,
    stage: &'static str,
    topic: &TopicName,
    now: Time,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let group = settings.topics.group(stage);
    let partitions = records::partitions(log, topic)?;
    let positions = log.positions(&group, &partitions).map_err(logs::failed)?;
    if positions.iter().all(Option::is_none) {
        let what = format!("{topic} has records, and {stage} has never read it");
        findings.wrong(
            "lag",
            what,
            "start `stormfold run` with pipeline.stages: all, or with this stage",
        );
        return Ok(());
    }
    let mut oldest: Option<(Time, TopicPartition)> = None;
    let mut waiting = 0;
    for (at, position) in partitions.iter().zip(positions) {
        let bounds = log.bounds(at).map_err(logs::failed)?;
        let next = position.unwrap_or(bounds.start).max(bounds.start);
        if position.is_some_and(|position| position > bounds.end) {
            let what = format!(
                "{stage} stands at {next} of {at}, which ends at {}: it was made anew",
                bounds.end
            );
            findings.wrong(
                "lag",
                what,
                "it is read from its start; see docs/time-order-identity.md",
            );
            continue;
        }
        // Behind the last record there may be marks of transactions.
        let Some(first) = first(log, at, next)? else {
            continue;
        };
        waiting += bounds.end - next;
        if let Some(time) = first.timestamp
            && oldest.as_ref().is_none_or(|(oldest, _)| time < *oldest)
        {
            oldest = Some((time, at.clone()));
        }
    }
    match oldest {
        Some((time, at)) if now.since(time).millis() > LAG_MS && stage != "history" => findings.wrong(
            "lag",
            format!(
                "{stage} is {} behind in {at}; {waiting} positions wait",
                long(time, now)
            ),
            "does it run? if so, more workers of this stage, at most one a partition; see docs/scale.md",
        ),
        _ => findings.ok("lag", format!("{stage} of {topic}: {waiting} positions wait")),
    }
    Ok(())
}

/// The first record from a position on.
fn first(log: &dyn Log, at: &TopicPartition, from: u64) -> Result<Option<Record>, Failure> {
    let mut reader = log.reader().map_err(logs::failed)?;
    reader.assign(&[(at.clone(), from)]).map_err(logs::failed)?;
    let mut found = Vec::new();
    for _ in 0..30 {
        reader
            .poll(std::time::Duration::from_millis(100), 1, &mut found)
            .map_err(logs::failed)?;
        if !found.is_empty() || reader.at_end(at) {
            break;
        }
    }
    Ok(found.into_iter().next())
}

/// The last records of a partition.
fn last(
    log: &dyn Log,
    at: &TopicPartition,
    each: impl FnMut(Record) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let end = log.bounds(at).map_err(logs::failed)?.end;
    records::to_end(log, at, Some(end.saturating_sub(LAST)), each)
}

/// Who lives, and whether somebody holds every partition.
fn heartbeats(log: &dyn Log, settings: &Settings, now: Time, findings: &mut Findings) -> Result<(), Failure> {
    let area = "heartbeat";
    let mut beats: BTreeMap<String, (Time, Value)> = BTreeMap::new();
    for at in records::partitions(log, &settings.topics.heartbeat)? {
        last(log, &at, |record| {
            let beat: Value =
                serde_json::from_slice(record.value.as_deref().unwrap_or_default()).unwrap_or_default();
            let time = beat["at"].as_str().and_then(|at| at.parse::<Time>().ok());
            if let (Some(worker), Some(time)) = (beat["worker"].as_str(), time) {
                beats.insert(worker.to_owned(), (time, beat.clone()));
            }
            Ok(())
        })?;
    }
    let lives = |time: Time| now.since(time).millis() <= SILENT_MS;
    let Some(newest) = beats.values().map(|(time, _)| *time).max() else {
        let mend = "start `stormfold run` with pipeline.stages: all or correlate";
        findings.note(area, "no correlate worker has ever held a partition", mend);
        return Ok(());
    };
    if !lives(newest) {
        let mend = "start the correlate workers; the log of one that does not start says why";
        findings.wrong(
            area,
            format!("no worker has said for {} that it lives", long(newest, now)),
            mend,
        );
        return Ok(());
    }
    let mut held = BTreeSet::new();
    for (worker, (time, beat)) in &beats {
        if lives(*time) {
            let partitions = beat["partitions"].as_array().into_iter().flatten();
            held.extend(partitions.filter_map(|one| one["partition"].as_u64()));
        } else if now.since(*time).millis() < 86_400_000 {
            let what = format!("{worker} has been silent for {}", long(*time, now));
            findings.note(area, what, "if it was not stopped for good, look at its log");
        }
    }
    let missing: Vec<_> = (0..u64::from(settings.partitions))
        .filter(|n| !held.contains(n))
        .collect();
    match missing.is_empty() {
        true => findings.ok(area, format!("every one of {} partitions is held", settings.partitions)),
        false => findings.wrong(
            area,
            format!("partitions {missing:?} of the journal are held by nobody"),
            "they move when the session of a lost worker ends (10 s); if they stay, start more correlate workers",
        ),
    }
    Ok(())
}

/// The clock of ingest moves stream time; the broker's stamp on what it wrote is another clock.
fn clocks(log: &dyn Log, settings: &Settings, findings: &mut Findings) -> Result<(), Failure> {
    let at = TopicPartition::new(&settings.topics.journal, 0);
    let mut seen = None;
    last(log, &at, |record| {
        if let (Some(stamped), Some(value)) = (record.timestamp, &record.value)
            && let Ok(Input::Progress(progress)) = wire::journal::decode(value)
            && let Some(present) = progress.present
        {
            seen = Some((present, stamped));
        }
        Ok(())
    })?;
    let Some((ours, brokers)) = seen else {
        return Ok(());
    };
    let skew = ours.since(brokers).millis();
    let what = format!(
        "the clock of ingest is {:.1} s {} the log's",
        skew.abs() as f64 / 1e3,
        if skew < 0 { "behind" } else { "before" }
    );
    match skew.abs() > SKEW_MS {
        true => findings.wrong(
            "clocks",
            what,
            "set the clocks by NTP, on the brokers as well; deadlines hang on them",
        ),
        false => findings.ok("clocks", what),
    }
    Ok(())
}

/// Which build wrote what a restore would read.
fn state(log: &dyn Log, settings: &Settings, findings: &mut Findings) -> Result<(), Failure> {
    let area = "state";
    let (mut rows, mut versions, mut faults) = (0, BTreeMap::new(), BTreeSet::new());
    for at in records::partitions(log, &settings.topics.state)? {
        let mut left = ROWS_MAX;
        let mut newest: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        records::to_end(log, &at, None, |record| {
            let key = String::from_utf8_lossy(record.key.as_deref().unwrap_or_default()).into_owned();
            left = left.saturating_sub(1);
            match record.value {
                Some(value) if left > 0 => drop(newest.insert(key, value)),
                _ => drop(newest.remove(&key)),
            }
            Ok(())
        })?;
        for (key, value) in &newest {
            rows += 1;
            match stream::look_at_row(key, value) {
                Err(what) => drop(faults.insert(format!("row {key} of {at} {what}"))),
                Ok(row) => {
                    *versions.entry(row.fold).or_insert(0_u64) += 1;
                    if let Some(partitions) = row.partitions.filter(|n| *n != settings.partitions) {
                        faults.insert(format!(
                            "the checkpoint of {at} is of {partitions} partitions, the configuration says {}",
                            settings.partitions
                        ));
                    }
                }
            }
        }
    }
    for fault in &faults {
        let mend = "a restore refuses it; go back to the former configuration or build, or begin with another topics.prefix";
        findings.wrong(area, fault.clone(), mend);
    }
    let others: Vec<_> = versions
        .keys()
        .filter(|version| **version != stream::FOLD_VERSION)
        .collect();
    if !others.is_empty() {
        findings.note(
            area,
            format!("rows of fold version {others:?}; this build has {}", stream::FOLD_VERSION),
            "before an upgrade, stop the former build cleanly (SIGTERM), so that nothing is left to fold again",
        );
    } else if faults.is_empty() {
        findings.ok(
            area,
            format!("{rows} rows, all of fold version {}", stream::FOLD_VERSION),
        );
    }
    Ok(())
}

/// What was refused within the last hour.
fn letters(log: &dyn Log, settings: &Settings, now: Time, findings: &mut Findings) -> Result<(), Failure> {
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for at in records::partitions(log, &settings.topics.deadletter)? {
        last(log, &at, |record| {
            if record
                .timestamp
                .is_some_and(|at| now.since(at).millis() < 3_600_000)
            {
                *reasons
                    .entry(record.header("reason").unwrap_or("no reason").to_owned())
                    .or_default() += 1;
            }
            Ok(())
        })?;
    }
    let count: usize = reasons.values().sum();
    match reasons.iter().max_by_key(|(_, count)| **count) {
        None => findings.ok("deadletters", "none within the hour"),
        Some((reason, most)) => findings.note(
            "deadletters",
            format!("{count} within the hour; {most} of them: {reason}"),
            "stormfold deadletters list --reasons; what is understood of one: stormfold normalize --explain",
        ),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stream::{
        SetClock,
        log::{Outgoing, local::LocalLog},
    };

    use super::super::Level;
    use super::*;

    /// What is found of an area, with its level.
    fn found(findings: &Findings, area: &str) -> Vec<(Level, String)> {
        let of_area = findings.findings.iter().filter(|finding| finding.area == area);
        of_area
            .map(|finding| (finding.level, finding.what.clone()))
            .collect()
    }

    #[test]
    fn a_deployment_in_trouble_is_described() {
        let now = Time::from_secs(1_800_000_000);
        let clock = Arc::new(SetClock::new(Time::from_secs(1_800_000_000 - 300)));
        let log = LocalLog::memory(clock.clone());
        let settings = Settings::default();
        let topics = &settings.topics;
        stream::topics::create(&log, &settings).unwrap();
        let append = |records| log.appender().unwrap().append(records).unwrap();
        let beat = |worker: &str, seconds_ago: i64, partitions: &[u32]| {
            let at = Time::from_secs(now.secs() - seconds_ago);
            let held = partitions.iter().map(|n| serde_json::json!({"partition": n}));
            let value =
                serde_json::json!({"worker": worker, "at": at, "partitions": held.collect::<Vec<_>>()});
            Outgoing::to(&topics.heartbeat, 0, worker, Some(value.to_string().into_bytes()))
        };
        let progress = Input::Progress(model::Progress {
            to: now,
            present: Some(now),
        });
        let mut journal = Vec::new();
        wire::journal::encode(&progress, &mut journal);
        append(vec![
            Outgoing::to(&topics.raw, 0, "k", Some(b"{}".to_vec())),
            Outgoing::to(&topics.journal, 0, "", Some(journal)),
            Outgoing::to(&topics.state, 1, "row", Some(b"not a row".to_vec())),
            beat("lost", 3_600, &[3]),
            beat("a", 5, &[0, 1]),
            beat("b", 9, &[2]),
        ]);
        clock.set(now);
        let letter = Outgoing::to(&topics.deadletter, 0, "", Some(b"?".to_vec()));
        append(vec![letter.header("reason", "no source has this shape")]);

        let mut findings = Findings::default();
        examine(&log, &settings, now, &mut findings);
        let one = |area: &str, level: Level, words: &str| {
            let found = found(&findings, area);
            assert!(
                found.iter().any(|(l, what)| *l == level && what.contains(words)),
                "{area}: {found:?}"
            );
        };
        one(
            "lag",
            Level::Wrong,
            "stormfold.raw has records, and ingest has never read it",
        );
        one("lag", Level::Wrong, "correlate has never read it");
        one(
            "heartbeat",
            Level::Wrong,
            "partitions [3] of the journal are held by nobody",
        );
        one("heartbeat", Level::Note, "lost has been silent for 60 min");
        one("clocks", Level::Wrong, "300.0 s before the log's");
        one("state", Level::Wrong, "row row of stormfold.state");
        one(
            "deadletters",
            Level::Note,
            "1 within the hour; 1 of them: no source has this shape",
        );
    }
}
