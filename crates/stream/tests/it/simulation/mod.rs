//! The whole pipeline on the simulated log: a virtual clock, a seeded scheduler, every fault that is named, and the
//! promises checked after each run.
//!
//! A run follows from its seed and the number of events alone. `cargo xtask sim --seeds 10000` runs many; a failing one
//! prints how it runs alone.

mod mutants;
mod promises;
mod run;
mod trouble;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use stream::log::faults::Point;

use mutants::{MUTANTS, Mutant};
use run::{Ran, Trial, run};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// A line is printed at least this often while seeds run.
const WORD: Duration = Duration::from_secs(15);

/// How a seed is run alone.
fn alone(seed: u64, events: usize) -> String {
    format!("cargo xtask sim --events {events} --seeds 1 --from {seed}")
}

/// Runs the seeds on all cores, saying how far that is and what fails; the first violation of each seed that does.
fn each(seeds: std::ops::Range<u64>, trial: impl Fn(u64) -> Trial + Sync) -> (Vec<(u64, String)>, Ran) {
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (began, said) = (Instant::now(), Mutex::new(Instant::now()));
    let all = seeds.end - seeds.start;
    let work = || {
        let (mut failed, mut sum) = (Vec::new(), Ran::default());
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return (failed, sum);
            }
            let mut said = said.lock().unwrap();
            if said.elapsed() > WORD {
                *said = Instant::now();
                let (done, s) = (seed - seeds.start, began.elapsed().as_secs_f64());
                println!(
                    "{done} of {all} seeds begun in {s:.0} s, {:.2} a second on {threads} cores",
                    done as f64 / s
                );
            }
            drop(said);
            let trial = trial(seed);
            match run(&trial) {
                Ok(ran) => sum.add(&ran),
                Err(violation) => {
                    let first = violation.lines().next().unwrap_or_default();
                    println!(
                        "seed {seed} fails: {first}\n    alone: {}",
                        alone(seed, trial.events)
                    );
                    failed.push((seed, violation));
                }
            }
        }
    };
    let (mut failed, mut sum) = (Vec::new(), Ran::default());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            let (some, ran) = thread
                .join()
                .expect("a run gives its violation, it does not panic");
            failed.extend(some);
            sum.add(&ran);
        }
    });
    failed.sort();
    (failed, sum)
}

#[test]
fn every_promise_holds_under_every_fault() {
    let seeds = number("STORMFOLD_SEEDS").unwrap_or(300);
    let from = number("STORMFOLD_FROM").unwrap_or(0);
    let events = number("STORMFOLD_EVENTS").unwrap_or(200) as usize;
    let began = Instant::now();
    let trial = |seed| Trial {
        seed,
        events,
        mutant: None,
    };
    let (failed, sum) = each(from..from + seeds, trial);
    let s = began.elapsed().as_secs_f64();
    println!(
        "{seeds} seeds from {from} in {s:.1} s, {:.2} seeds a second: {sum}",
        seeds as f64 / s
    );
    assert!(
        failed.is_empty(),
        "{} of {seeds} seeds fail; the first alone: {}\n{}",
        failed.len(),
        alone(failed[0].0, events),
        failed[0].1
    );
    if seeds >= 100 {
        for point in Point::ALL {
            assert!(sum.struck(point) > 0, "{point:?} never struck");
        }
        assert!(sum.changes > 50 * seeds, "too little happens: {sum}");
        assert!(
            sum.quarantined > 0 && sum.letters > 0,
            "too little goes wrong: {sum}"
        );
    }
}

/// Seeds that failed once.
#[test]
fn what_failed_once_holds() {
    // A worker that was given a partition back did not know of a checkpoint that another had written meanwhile
    // where it stood, and left rows of it behind.
    for seed in [204_496, 206_217] {
        let events = 200;
        let mutant = None;
        let ran = run(&Trial { seed, events, mutant });
        assert!(
            ran.is_ok(),
            "{}: {}",
            alone(seed, events),
            ran.err().unwrap_or_default()
        );
    }
}

/// Each fault of ours that the promises are there to find is found within a hundred seeds.
#[test]
fn every_mutant_dies() {
    let only = std::env::var("STORMFOLD_MUTANT").ok();
    let trial = |seed, mutant| Trial {
        seed,
        events: 200,
        mutant: Some(mutant),
    };
    for seed in 0..3 {
        assert_eq!(
            run(&trial(seed, Mutant::Nothing)).err(),
            None,
            "seed {seed} without a mutant"
        );
    }
    for group in [Mutant::ForgetfulGroup, Mutant::WrongGroup] {
        for seed in 0..10 {
            assert_eq!(
                run(&trial(seed, group)).err(),
                None,
                "seed {seed} with a {group:?}"
            );
        }
    }
    let mut survivors = Vec::new();
    for mutant in MUTANTS {
        if only.as_ref().is_some_and(|only| *only != format!("{mutant:?}")) {
            continue;
        }
        let death = (0..100).find_map(|seed| Some((seed, run(&trial(seed, mutant)).err()?)));
        match death {
            Some((seed, violation)) => {
                let first = violation.lines().next().unwrap_or_default();
                println!("{mutant:?} dies at seed {seed}: {first}");
            }
            None => survivors.push(mutant),
        }
    }
    assert_eq!(survivors, Vec::<Mutant>::new(), "these live on");
}
