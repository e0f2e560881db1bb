//! What is done to processes and the broker.

use std::{thread::sleep, time::Duration};

use sim::Dice;

use crate::{broker::Broker, worker::Workers};

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// SIGKILL, and started again at once.
    Kill9,
    /// SIGTERM, and started again when it has ended.
    Term,
    /// SIGSTOP until others have taken over, then SIGCONT.
    Stop,
    /// The broker ends, cleanly or not, and comes back.
    Broker,
    /// Another process joins and leaves.
    Join,
}

const NAMES: [(&str, Fault); 5] = [
    ("kill9", Fault::Kill9),
    ("term", Fault::Term),
    ("stop", Fault::Stop),
    ("broker", Fault::Broker),
    ("join", Fault::Join),
];

/// Longer than the session of a worker.
const STANDSTILL: Duration = Duration::from_millis(4_500);

/// The kinds in a list with commas.
pub(crate) fn list(text: &str) -> Result<Vec<Fault>, String> {
    if text == "all" {
        // Of thirty, twenty-two are kills; the broker, which costs the most time, comes once.
        let often = [
            (Fault::Kill9, 22),
            (Fault::Term, 3),
            (Fault::Stop, 2),
            (Fault::Join, 2),
            (Fault::Broker, 1),
        ];
        return Ok(often
            .iter()
            .flat_map(|(fault, n)| std::iter::repeat_n(*fault, *n))
            .collect());
    }
    let one = |name: &str| {
        let found = NAMES.iter().find(|(known, _)| *known == name);
        found
            .map(|(_, fault)| *fault)
            .ok_or_else(|| format!("there is no fault {name}; there are {}", names()))
    };
    text.split(',').map(one).collect()
}

fn names() -> String {
    NAMES.map(|(name, _)| name).join(", ")
}

/// Does it.
pub(crate) fn strike(
    fault: Fault,
    dice: &mut Dice,
    workers: &mut Workers,
    broker: &Broker,
) -> Result<(), String> {
    let which = dice.below(workers.len() as u64) as usize;
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
        Fault::Broker => {
            broker.script(if dice.chance(0.5) { "stop" } else { "kill" })?;
            sleep(Duration::from_millis(dice.below(3_000)));
            broker.script("start").map(drop)
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
    }
}
