//! What the pipeline costs on a real Kafka: `cargo xtask latency`, `restore` and `gap`.

pub(crate) mod gap;
pub(crate) mod latency;
pub(crate) mod pass;
pub(crate) mod restore;

use std::{fs, path::Path};

use crate::place::{PARTITIONS, Place, said};

/// Numbers given as options, in pairs; `known` names them with their defaults.
pub(crate) fn numbers<const N: usize>(args: &[String], known: [(&str, u64); N]) -> Result<[u64; N], String> {
    let mut values = known.map(|(_, value)| value);
    for pair in args.chunks(2) {
        let place = known.iter().position(|(name, _)| *name == pair[0]);
        let value = pair.get(1).and_then(|value| value.parse().ok());
        let (Some(place), Some(value)) = (place, value) else {
            let names = known.map(|(name, _)| name).join(" N, ");
            return Err(format!("what is {}? There are {names} N", pair.join(" ")));
        };
        values[place] = value;
    }
    Ok(values)
}

/// Seconds of CPU that a process has taken.
pub(crate) fn cpu(process: u32) -> Result<f64, String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).map_err(said)?;
    let (_, rest) = stat.rsplit_once(')').ok_or("no process")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    // Fields 14 and 15, in hundredths of a second.
    let ticks = |n: usize| fields.get(n).and_then(|field| field.parse::<f64>().ok());
    let both = ticks(11).zip(ticks(12)).ok_or("no times of a process")?;
    Ok((both.0 + both.1) / 100.0)
}

/// What the topics take on the broker's disk, in bytes an event.
fn written(place: &Place<'_>, events: u64) -> Result<String, String> {
    let topics = &place.settings.topics;
    let topics = [
        &place.settings.raw[1].name,
        &topics.journal,
        &topics.changes,
        &topics.incidents,
        &topics.state,
    ];
    let mut words = Vec::new();
    for topic in topics {
        let mut bytes = 0;
        for partition in 0..PARTITIONS {
            let dir = place.broker.data().join(format!("{topic}-{partition}"));
            for file in fs::read_dir(dir).map_err(said)?.flatten() {
                if file.path().extension().is_some_and(|end| end == "log") {
                    // The broker may be compacting, and remove it just now.
                    bytes += file.metadata().map_or(0, |file| file.len());
                }
            }
        }
        let name = topic.rsplit('.').next().unwrap_or(topic);
        words.push(format!("{name} {}", bytes / events.max(1)));
    }
    Ok(format!("bytes on disk an event: {}", words.join(", ")))
}

/// Memory of this process that is resident, in bytes.
fn resident() -> Result<u64, String> {
    let status = fs::read_to_string("/proc/self/status").map_err(said)?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    Ok(kilobytes.ok_or("no VmRSS")? * 1024)
}

/// The process of the broker whose data are in `dir`.
fn broker_process(dir: &Path) -> Result<u32, String> {
    let id = fs::read_to_string(dir.join("kafka.pid")).map_err(said)?;
    id.trim().parse().map_err(said)
}
