//! Chaos on a real Apache Kafka: `cargo xtask chaos`.
//!
//! (a) *recorded*: a journal is recorded once; correlate processes fold it while they are killed, stopped and replaced.
//! What they publish must be, byte for byte, what one fold of the journal gives.
//! (b) *end to end*: events are sent while processes that do both halves suffer the same. Every record must be in the
//! journal once, what is published must again be the fold of the journal, and the states of alerts those of a fold of the
//! records in the order in which they were sent (E2); incidents and pages must be alike to .99 (E3).
//!
//! The last line is `lost L doubled D differing X`; the exit status is 0 only if all are 0, E3 holds, and upgrades, if
//! there were any to speak of, were seen to be refused.

mod alike;
mod broker;
mod end_to_end;
mod events;
mod fault;
mod ledger;
mod measure;
mod other_version;
mod place;
mod proxy;
mod recorded;
mod strikes;
mod worker;

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Instant,
};

use broker::Broker;
use fault::Fault;
use ledger::Sum;
use measure::{gap, latency, pass, restore};

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
    N faults (20) over M events (100000), drawn from seed S (1), around W processes (2). Part a takes M events and N
    faults, part b a tenth of the events and half of the faults. LIST, with commas:
    kill9 (the default), term, stop (SIGSTOP beyond the session), join (another process comes and goes),
    broker (stopped or killed, and started), cut, delay, reset, narrow (a proxy between workers and broker lets nothing
    pass, everything half a second later, resets connections, or lets ten kilobytes a second pass), network (these four),
    offsets (somebody sets the positions of the group), upgrade (killed, and started as another version of the fold, which has to refuse a tail; then the remedy),
    disk (that of the broker is full; needs the right to mount), all (each of these, kill9 the most often).
    Needs the ports from CHAOS_KAFKA_PORT (29492) on, five of them.";

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
            "--help" | "-h" => return Err(USAGE.to_owned()),
            _ => return Err(format!("what is {name}?\n{USAGE}")),
        }
    }
    if parsed.workers == 0 || parsed.events == 0 {
        return Err(format!("at least one worker and one event\n{USAGE}"));
    }
    Ok(parsed)
}

/// What is published is compared with what this program folds itself: another fold would differ without being wrong.
fn same_fold(stormfold: &Path) -> Result<(), String> {
    let said = Command::new(stormfold)
        .arg("--version")
        .output()
        .map_err(|error| format!("{}: {error}", stormfold.display()))?;
    let said = String::from_utf8_lossy(&said.stdout);
    let own = format!("(fold version {})", stream::FOLD_VERSION);
    if said.contains(&own) {
        return Ok(());
    }
    Err(format!(
        "{} is `{}`, and this program folds as {own}: build both from the same source",
        stormfold.display(),
        said.trim()
    ))
}

fn run(args: &Args) -> Result<Sum, String> {
    same_fold(&args.stormfold)?;
    let mut broker = Broker::start(&args.faults, args.events)?;
    let parts = both_parts(args, &broker);
    broker.keep |= !parts.as_ref().is_ok_and(Sum::is_nothing);
    parts
}

type Part = fn(&Args, &Broker) -> Result<Sum, String>;

fn both_parts(args: &Args, broker: &Broker) -> Result<Sum, String> {
    let mut sum = Sum::default();
    let parts: [(&str, Part); 2] = [("a", recorded::recorded), ("b", end_to_end::end_to_end)];
    for (letter, run) in parts {
        if args.parts.contains(letter) {
            let began = Instant::now();
            let part = run(args, broker)?;
            println!("part {letter}: {part} in {:.0} s", began.elapsed().as_secs_f64());
            sum.add(part);
        }
    }
    Ok(sum)
}

/// What this program does beside chaos: measures, and is a process of a kind that is needed.
fn command(args: &[String]) -> Option<Result<ExitCode, String>> {
    let (command, rest) = args.split_first()?;
    let measured = |measure: fn(&[String], &Path) -> Result<ExitCode, String>| match rest {
        [stormfold, rest @ ..] => measure(rest, Path::new(stormfold)),
        [] => Err("the program to be measured is missing".to_owned()),
    };
    match command.as_str() {
        other_version::COMMAND => Some(other_version::run(rest)),
        pass::COMMAND => Some(pass::run(rest)),
        latency::COMMAND => Some(measured(latency::run)),
        restore::COMMAND => Some(measured(restore::run)),
        gap::COMMAND => Some(measured(gap::run)),
        _ => None,
    }
}

/// The allocator of `stormfold`, so that memory is measured as it is there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(done) = command(&args) {
        return done.unwrap_or_else(|error| {
            eprintln!("chaos: {error}");
            ExitCode::FAILURE
        });
    }
    let args = match parse(args.into_iter()) {
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
