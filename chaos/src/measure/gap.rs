//! How long nothing comes of what a worker held that was killed: `cargo xtask gap`.
//!
//! Two correlate workers share the partitions while events come at a rate. One is killed with SIGKILL; in turn it is started
//! again at once, which takes its partitions back by its name, or stays dead, so that the other one takes over when the
//! session has ended. The gap of a kill is the longest that a marked event sent around it took to come out.

use std::{
    path::Path,
    process::ExitCode,
    sync::atomic::Ordering,
    thread::sleep,
    time::{Duration, Instant},
};

use stream::{Stages, TopicTime};

use super::{
    latency::{Both, see, send},
    numbers,
};
use crate::{
    broker::Broker,
    place::{PATIENCE, Place, SESSION},
    worker::Workers,
};

/// The command: `gap [--kills N] [--rate N]`.
pub(crate) const COMMAND: &str = "gap";

/// Between two kills, and before the first: longer than any gap that is no fault.
const APART: Duration = Duration::from_secs(15);
/// What was sent shortly before the kill may wait for the end of the gap, too.
const BEFORE: Duration = Duration::from_millis(500);

/// Measures.
pub(crate) fn run(args: &[String], stormfold: &Path) -> Result<ExitCode, String> {
    let [kills, rate] = numbers(args, [("--kills", 6), ("--rate", 5_000)])?;
    let broker = Broker::start(&[], 0)?;
    let place = Place::as_users_have_it(&broker, "gap", TopicTime::Present)?;
    let mut ingest = Workers::new(stormfold, &place, Stages::Ingest, 1)?;
    let mut correlate = Workers::new(stormfold, &place, Stages::Correlate, 2)?;
    let (raw, changes) = (&place.settings.raw[1].name, &place.settings.topics.changes);
    let both = Both::default();
    let span = APART * (kills as u32 + 2);
    let (seen, struck) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| see(&place, changes, &both));
        let sender = scope.spawn(|| send(&place, raw, &both, rate, span));
        let struck = (|| {
            let knocked = Instant::now();
            while !both.open.load(Ordering::Acquire) {
                if knocked.elapsed() > PATIENCE || sender.is_finished() {
                    return Err("no marked event comes through".to_owned());
                }
                sleep(Duration::from_millis(10));
            }
            sleep(APART);
            let mut struck = Vec::new();
            for kill in 0..kills {
                let (which, again) = ((kill / 2 % 2) as usize, kill % 2 == 0);
                struck.push((Instant::now(), again));
                correlate.kill(which)?;
                if again {
                    correlate.start(which)?;
                    sleep(APART);
                } else {
                    sleep(APART / 3 * 2);
                    correlate.start(which)?;
                    sleep(APART / 3);
                }
            }
            Ok(struck)
        })();
        both.over.store(true, Ordering::Release);
        sender.join().map_err(|_| "the sender panicked")??;
        let seen = reader.join().map_err(|_| "the reader panicked")??;
        Ok::<_, String>((seen, struck?))
    })?;
    for (at, again) in struck {
        let near = seen
            .marks
            .iter()
            .filter(|(sent, _)| *sent + BEFORE >= at && sent.saturating_duration_since(at) < APART / 3 * 2);
        let gap = near.map(|(_, took)| *took).fold(0.0, f64::max);
        let how = match again {
            true => "started again at once",
            false => "left dead",
        };
        println!(
            "a killed worker that is {how}: {:.2} s until everything flows",
            gap / 1e3
        );
    }
    let [(name, session), _] = SESSION;
    println!("{name} {session}");
    ingest.end_all()?;
    correlate.end_all()?;
    Ok(ExitCode::SUCCESS)
}
