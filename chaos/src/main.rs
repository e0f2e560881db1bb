//! Chaos on a real Apache Kafka: `cargo xtask chaos`.
//!
//! (a) *recorded*: a journal is recorded once; correlate processes fold it while they are killed, stopped and replaced.
//! What they publish must be, byte for byte, what one fold of the journal gives.
//! (b) *end to end*: events are sent while processes that do both halves suffer the same. Every record must be in the
//! journal once, what is published must again be the fold of the journal, and the states of alerts those of a fold of the
//! records in the order in which they were sent (E2); how alike the incidents are is told (E3).
//!
//! The last line is `lost L doubled D differing X`; the exit status is 0 only if all are 0.

mod broker;
mod events;
mod fault;
mod ledger;
mod part;
mod worker;

use std::{path::PathBuf, process::ExitCode, time::Instant};

use fault::Fault;
use ledger::Sum;

/// What is asked for.
struct Args {
    kills: u64,
    events: u64,
    seed: u64,
    workers: usize,
    faults: Vec<Fault>,
    parts: String,
    stormfold: PathBuf,
}

const USAGE: &str = "\
cargo xtask chaos [--kills N] [--events M] [--seed S] [--workers W] [--faults LIST] [--parts ab]
    N faults (20) over M events (100000), drawn from seed S (1), around W processes (2). LIST, with commas: kill9 (the
    default), term, stop (SIGSTOP beyond the session), broker (stop or kill -9, then start), join (another process comes
    and goes); all means all of them, with kill9 the most frequent. Part a takes M events, part b a tenth of them.";

/// The next argument as a value of its option.
fn value<T: std::str::FromStr>(name: &str, args: &mut impl Iterator<Item = String>) -> Result<T, String> {
    args.next()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| format!("{name} needs a value\n{USAGE}"))
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Args, String> {
    let mut parsed = Args {
        kills: 20,
        events: 100_000,
        seed: 1,
        workers: 2,
        faults: vec![Fault::Kill9],
        parts: "ab".to_owned(),
        stormfold: PathBuf::from("stormfold"),
    };
    while let Some(name) = args.next() {
        let rest = &mut args;
        match name.as_str() {
            "--kills" => parsed.kills = value(&name, rest)?,
            "--events" => parsed.events = value(&name, rest)?,
            "--seed" => parsed.seed = value(&name, rest)?,
            "--workers" => parsed.workers = value(&name, rest)?,
            "--faults" => parsed.faults = fault::list(&value::<String>(&name, rest)?)?,
            "--parts" => parsed.parts = value(&name, rest)?,
            "--stormfold" => parsed.stormfold = value(&name, rest)?,
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(parsed)
}

fn run(args: &Args) -> Result<Sum, String> {
    let broker = broker::Broker::start()?;
    let mut sum = Sum::default();
    for (letter, run) in [("a", part::recorded as fn(&_, &_) -> _), ("b", part::end_to_end)] {
        if args.parts.contains(letter) {
            let began = Instant::now();
            let part: Sum = run(args, &broker)?;
            println!("part {letter}: {part} in {:.0} s", began.elapsed().as_secs_f64());
            sum.add(part);
        }
    }
    Ok(sum)
}

fn main() -> ExitCode {
    let args = match parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(wrong) => {
            eprintln!("{wrong}");
            return ExitCode::from(2);
        }
    };
    match run(&args) {
        Ok(sum) => {
            println!("{sum}");
            if sum.is_nothing() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("chaos: {error}");
            ExitCode::FAILURE
        }
    }
}
