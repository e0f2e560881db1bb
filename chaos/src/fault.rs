//! What is done to processes, the network and the broker.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use sim::Dice;
use stream::log::{LogError, Member, Share, Transaction};

use crate::{broker::Broker, place::Place, proxy::Weather, worker::Workers};

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// SIGKILL, and started again at once.
    Kill9,
    /// SIGTERM, and started again when it has ended.
    Term,
    /// SIGSTOP until others have taken over, then SIGCONT.
    Stop,
    /// Another process joins and leaves.
    Join,
    /// The broker ends, cleanly or not, and comes back.
    Broker,
    /// Nothing passes between workers and broker, and connections stay open.
    Cut,
    /// Everything between them comes half a second later.
    Delay,
    /// Connections between them are reset.
    Reset,
    /// Ten kilobytes a second pass.
    Narrow,
    /// The positions of the group are set to where nobody has folded: before, behind, beyond the end.
    Offsets,
    /// All are killed and started as another version of the fold; where that refuses, the remedy that it names.
    Upgrade,
    /// The disk of the broker is full, and then it is not.
    Disk,
}

/// Names of faults; for each how often it comes among `all`, and about how many seconds it takes.
const KINDS: [(&str, Fault, usize, f64); 12] = [
    ("kill9", Fault::Kill9, 24, 1.5),
    ("term", Fault::Term, 3, 2.0),
    ("stop", Fault::Stop, 2, 6.0),
    ("join", Fault::Join, 2, 3.5),
    ("broker", Fault::Broker, 1, 10.0),
    ("cut", Fault::Cut, 2, 6.0),
    ("delay", Fault::Delay, 1, 6.0),
    ("reset", Fault::Reset, 2, 4.0),
    ("narrow", Fault::Narrow, 1, 6.0),
    ("offsets", Fault::Offsets, 1, 4.0),
    ("upgrade", Fault::Upgrade, 1, 30.0),
    ("disk", Fault::Disk, 1, 15.0),
];

/// Longer than the session of a worker.
const STANDSTILL: Duration = Duration::from_millis(4_500);

/// The kinds in a list with commas.
pub(crate) fn list(text: &str) -> Result<Vec<Fault>, String> {
    let one = |name: &str| match name {
        "all" => Ok(KINDS
            .iter()
            .flat_map(|(_, fault, n, _)| std::iter::repeat_n(*fault, *n))
            .collect()),
        "network" => Ok(vec![Fault::Cut, Fault::Delay, Fault::Reset, Fault::Narrow]),
        name => match KINDS.iter().find(|(known, ..)| *known == name) {
            Some((_, fault, ..)) => Ok(vec![*fault]),
            None => Err(format!("there is no fault {name}; there are {}", names())),
        },
    };
    let lists: Result<Vec<Vec<Fault>>, String> = text.split(',').map(|name| one(name.trim())).collect();
    Ok(lists?.concat())
}

fn names() -> String {
    let names: Vec<&str> = KINDS.iter().map(|(name, ..)| *name).collect();
    format!("{}, network, all", names.join(", "))
}

/// About how long one of these takes on average.
pub(crate) fn seconds(faults: &[Fault]) -> f64 {
    let of = |fault: &Fault| KINDS.iter().find(|(_, f, ..)| f == fault).map_or(0.0, |k| k.3);
    faults.iter().map(of).sum::<f64>() / faults.len().max(1) as f64
}

impl Fault {
    /// Whether it needs a proxy.
    pub(crate) fn is_of_the_network(self) -> bool {
        matches!(self, Fault::Cut | Fault::Delay | Fault::Reset | Fault::Narrow)
    }
}

/// Does it.
pub(crate) fn strike(
    fault: Fault,
    dice: &mut Dice,
    workers: &mut Workers,
    place: &Place<'_>,
) -> Result<(), String> {
    let which = dice.below(workers.len() as u64) as usize;
    let broker = place.broker;
    match fault {
        Fault::Kill9 => {
            workers.kill(which)?;
            workers.start(which)
        }
        Fault::Term => {
            workers.end(which)?;
            workers.start(which)
        }
        Fault::Stop => {
            workers.signal(which, "-STOP")?;
            sleep(STANDSTILL);
            workers.signal(which, "-CONT")
        }
        Fault::Join => {
            let guest = workers.guest()?;
            sleep(Duration::from_millis(500 + dice.below(2_500)));
            if dice.chance(0.5) {
                workers.end(guest)?
            } else {
                workers.kill(guest)?
            }
            workers.forget(guest);
            Ok(())
        }
        Fault::Broker => {
            broker.script(if dice.chance(0.5) { "stop" } else { "kill" })?;
            sleep(Duration::from_millis(dice.below(3_000)));
            broker.script("start").map(drop)
        }
        Fault::Cut => {
            let before = workers.cpu();
            let took = weather(broker, Weather::Cut, 1_000 + dice.below(7_000));
            let busy = (workers.cpu() - before).max(0.0) / took.as_secs_f64() / workers.len() as f64;
            workers.busiest_cut = workers.busiest_cut.max(busy);
            Ok(())
        }
        Fault::Delay => {
            weather(
                broker,
                Weather::Slow(Duration::from_millis(500)),
                2_000 + dice.below(6_000),
            );
            Ok(())
        }
        Fault::Reset => {
            weather(broker, Weather::Resets, 1_000 + dice.below(5_000));
            Ok(())
        }
        Fault::Narrow => {
            weather(broker, Weather::Narrow(10_000), 2_000 + dice.below(6_000));
            Ok(())
        }
        Fault::Offsets => mislead(dice, place),
        Fault::Upgrade => upgrade(workers, place),
        Fault::Disk => broker.fill(dice.below(3_000)),
    }
}

fn weather(broker: &Broker, weather: Weather, for_ms: u64) -> Duration {
    let began = Instant::now();
    if let Some(proxy) = &broker.proxy {
        proxy.set(weather);
        sleep(Duration::from_millis(for_ms));
        proxy.set(Weather::Fair);
    }
    began.elapsed()
}

/// Joins the group as anybody with the right to read may, sets the positions of what it is given, and leaves.
fn mislead(dice: &mut Dice, place: &Place<'_>) -> Result<(), String> {
    let topics = &place.settings.topics;
    let member = Member {
        group: topics.group("correlate"),
        name: "a-hand".to_owned(),
        topics: vec![topics.journal.clone()],
        share: Share::Partitions,
    };
    let mut try_once = || -> Result<bool, LogError> {
        let mut worker = place.log.join(&member)?;
        let began = Instant::now();
        while worker.assignment().is_empty() && began.elapsed() < Duration::from_secs(10) {
            worker.poll(Duration::from_millis(100), 1, &mut Vec::new())?;
        }
        let mut wrong = Transaction::default();
        for at in worker.assignment().to_vec() {
            let bounds = place.log.bounds(&at)?;
            let position = match dice.below(3) {
                0 => 0,
                1 => bounds.end + 1_000,
                _ => bounds.start + dice.below(bounds.end - bounds.start + 1),
            };
            wrong.positions.push((at, position));
        }
        let struck = !wrong.is_empty();
        worker.commit(&wrong)?;
        worker.leave();
        Ok(struck)
    };
    // The group may move on in between; then what it did was refused, and it comes again.
    for _ in 0..5 {
        if let Ok(true) = try_once() {
            return Ok(());
        }
    }
    println!("  positions could not be set five times over");
    Ok(())
}

/// So long a tail is waited for before the crash. None comes where nothing is left to be folded.
const TAIL_COMES: Duration = Duration::from_secs(10);
/// What a transaction that was being ended at a kill needs to be there or not.
const ENDS: Duration = Duration::from_millis(500);

/// Another version of the fold comes after a crash. It must refuse exactly where this one folded something behind its
/// checkpoint; then this one is started once more and stopped cleanly, and after that the other one must go on, and this
/// one after it.
fn upgrade(workers: &mut Workers, place: &Place<'_>) -> Result<(), String> {
    let all = 0..workers.len();
    let began = Instant::now();
    while place.tail()? == 0 && began.elapsed() < TAIL_COMES {
        workers.revive()?;
        sleep(Duration::from_millis(50));
    }
    all.clone().try_for_each(|which| workers.kill(which))?;
    sleep(ENDS);
    let tail = place.tail()?;
    let refused = try_other_version(workers)?;
    if refused != (tail > 0) {
        let what = if refused { "refuses" } else { "does not refuse" };
        return Err(format!("another version {what} a tail of {tail} positions"));
    }
    if refused {
        stop_without_tail(workers, place)?;
        if try_other_version(workers)? {
            return Err("another version refuses although the former one has left no tail".to_owned());
        }
        workers.remedies += 1;
    }
    all.clone().try_for_each(|which| workers.start(which))
}

/// How often the former version is started and stopped once more. One that is told to stop while the group deals out
/// partitions anew, and is given none in time, leaves a tail and says so.
const REMEDIES: usize = 5;

/// Starts all and stops them cleanly, until nothing is left behind a checkpoint.
fn stop_without_tail(workers: &mut Workers, place: &Place<'_>) -> Result<(), String> {
    let all = 0..workers.len();
    for _ in 0..REMEDIES {
        place.wait_for_heartbeats(|| {
            all.clone().try_for_each(|which| workers.start(which))?;
            Ok(all.len())
        })?;
        all.clone().try_for_each(|which| workers.end(which))?;
        if place.tail()? == 0 {
            return Ok(());
        }
    }
    Err(format!("a tail is left after {REMEDIES} clean stops"))
}

/// Starts all as another version, and waits until each has ended; whether any refused.
fn try_other_version(workers: &mut Workers) -> Result<bool, String> {
    let all = 0..workers.len();
    all.clone()
        .try_for_each(|which| workers.start_other_version(which))?;
    let mut refused = false;
    for which in all {
        refused |= workers.end_other_version(which)?;
    }
    Ok(refused)
}
