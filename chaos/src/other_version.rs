//! A worker like any other but for the version of the fold that it says to have.

use std::{
    io::Read,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use stream::{
    Pipeline, Settings, Stages, SystemClock, TopicTime,
    log::kafka::{KafkaLog, Properties},
};

use crate::place::{self, Place, SESSION};

/// The command by which this program is such a worker.
pub(crate) const COMMAND: &str = "other-version";

/// What it has to be told beside its name.
pub(crate) fn args(place: &Place<'_>, stages: Stages) -> Vec<String> {
    vec![
        place.broker.for_workers.clone(),
        place.prefix.clone(),
        format!("{:?}", place.settings.raw[1].time),
        format!("{stages:?}"),
    ]
}

/// So long it works on partitions that it did not refuse before it ends by itself, cleanly. Short, so that it leaves work
/// of which this version makes the next tail.
const WORKS: Duration = Duration::from_millis(500);

/// Works for a while, until its input ends, or until a person has to act.
pub(crate) fn run(args: &[String]) -> Result<ExitCode, String> {
    let [address, prefix, time, stages, instance] = args else {
        return Err("for the use of this program alone".to_owned());
    };
    let time = match time.as_str() {
        "Records" => TopicTime::Records,
        _ => TopicTime::Present,
    };
    let stages = match stages.as_str() {
        "Correlate" => Stages::Correlate,
        _ => Stages::Both,
    };
    let settings = Settings {
        instance: instance.clone(),
        stages,
        fold_version: engine::FOLD_VERSION + 1,
        ..place::settings(prefix, time)
    };
    let properties = SESSION
        .into_iter()
        .chain([("bootstrap.servers", address.as_str())]);
    let properties = Properties::new(properties.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let log = KafkaLog::new(properties.map_err(|e| e.to_string())?).map_err(|e| e.to_string())?;
    let handle =
        Pipeline::start(settings, Arc::new(log), Arc::new(SystemClock)).map_err(|e| e.to_string())?;
    let told = std::thread::spawn(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let mut since = None;
    while !told.is_finished() {
        if let Some(failure) = handle.failure() {
            eprintln!("{failure}");
            return Ok(ExitCode::from(2));
        }
        let holds = |worker: &stream::WorkerHealth| {
            worker.stage == stream::Stage::Correlate
                && matches!(worker.state, stream::WorkerState::Running { partitions: 1.. })
        };
        since = match handle.health().workers.iter().any(holds) {
            true => since.or(Some(Instant::now())),
            false => None,
        };
        if since.is_some_and(|since| since.elapsed() > WORKS) {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    handle.stop();
    Ok(ExitCode::SUCCESS)
}
