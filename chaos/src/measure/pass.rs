//! The barest hop there is: records of one topic go to another as they are, in transactions like those of the pipeline.

use std::{
    io::Read,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use stream::log::{
    Log, Member, Outgoing, Share, TopicName, Transaction,
    kafka::{KafkaLog, Properties},
};

use crate::place::{SESSION, said};

/// The command by which this program is such a hop: address, from, to.
pub(crate) const COMMAND: &str = "pass";

/// As the pipeline has it.
const COMMIT: Duration = Duration::from_millis(10);
const BATCH: usize = 5_000;

pub(crate) fn connect(address: &str) -> Result<Arc<dyn Log>, String> {
    let properties = SESSION.into_iter().chain([("bootstrap.servers", address)]);
    let properties = Properties::new(properties.map(|(name, value)| (name.to_owned(), value.to_owned())));
    Ok(Arc::new(KafkaLog::new(properties.map_err(said)?).map_err(said)?))
}

/// Passes on until its input ends.
pub(crate) fn run(args: &[String]) -> Result<ExitCode, String> {
    let [address, from, to] = args else {
        return Err("for the use of this program alone".to_owned());
    };
    let log = connect(address)?;
    let to: TopicName = to.as_str().into();
    let member = Member {
        group: format!("{from}-pass"),
        name: "pass".to_owned(),
        topics: vec![from.as_str().into()],
        share: Share::Partitions,
    };
    let mut worker = log.join(&member).map_err(said)?;
    let told = std::thread::spawn(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let mut last = Instant::now();
    while !told.is_finished() {
        let mut records = Vec::new();
        let mut wait = Duration::from_millis(100);
        loop {
            let before = records.len();
            worker.poll(wait, BATCH, &mut records).map_err(said)?;
            wait = (last + COMMIT).saturating_duration_since(Instant::now());
            if wait.is_zero() || records.len() == before || records.len() >= BATCH {
                break;
            }
        }
        let mut transaction = Transaction::default();
        for record in records {
            let position = record.offset + 1;
            match transaction.positions.iter_mut().find(|(at, _)| *at == record.at) {
                Some((_, known)) => *known = position,
                None => transaction.positions.push((record.at.clone(), position)),
            }
            let key = record.key.unwrap_or_default();
            let outgoing = Outgoing::to(&to, record.at.partition, key, record.value);
            transaction.records.push(outgoing);
        }
        if !transaction.is_empty() {
            worker.commit(&transaction).map_err(said)?;
            last = Instant::now();
        }
    }
    worker.leave();
    Ok(ExitCode::SUCCESS)
}
