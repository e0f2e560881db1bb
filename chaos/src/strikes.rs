//! Faults spread over the work.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use sim::Dice;

use crate::{
    Args, fault,
    place::{PATIENCE, Place},
    worker::Workers,
};

/// A line is printed at least this often.
const WORD: Duration = Duration::from_secs(10);

/// Strikes `kills` times while `done` says which share of the work is done.
pub(crate) fn strikes(
    args: &Args,
    place: &Place<'_>,
    workers: &mut Workers,
    seed: u64,
    kills: u64,
    mut done: impl FnMut() -> Result<f64, String>,
) -> Result<(), String> {
    let mut dice = Dice::new(seed);
    let (began, mut said) = (Instant::now(), Instant::now());
    let mut at_work = 0;
    for kill in 0..kills {
        // Spread over the work, and at any moment within a commit.
        let due = kill as f64 / (kills + 1) as f64;
        let mut last = (Instant::now(), -1.0);
        let share = loop {
            let share = done()?;
            if said.elapsed() > WORD || kill % 50 == 49 && share >= due {
                let s = began.elapsed().as_secs();
                println!(
                    "  {kill} of {kills} faults in {s} s, {:.0} % of the work done",
                    share * 100.0
                );
                said = Instant::now();
            }
            if share >= due {
                break share;
            }
            if share > last.1 {
                last = (Instant::now(), share);
            }
            if last.0.elapsed() > PATIENCE {
                return Err(format!("I7: nothing moves since fault {kill}"));
            }
            workers.revive()?;
            sleep(Duration::from_millis(20));
        };
        at_work += u64::from(share < 1.0);
        sleep(Duration::from_millis(dice.below(300)));
        workers.revive()?;
        let fault = *dice.pick(&args.faults);
        fault::strike(fault, &mut dice, workers, place)
            .map_err(|e| format!("fault {kill}, {fault:?}: {e}"))?;
    }
    println!(
        "  {kills} faults in {} s, {at_work} of them while there was work",
        began.elapsed().as_secs()
    );
    Ok(())
}
