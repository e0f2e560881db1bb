//! Runs every scenario of `testdata/scenarios` under the promises E1 and E2 of `docs/time-order-identity.md`.
//!
//! `UPDATE=1 cargo test -p sim --test scenarios` rewrites the lower halves.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test reads files, and stops where it fails"
)]

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

use engine::Output;
use model::{ChangeKind, Input, Span, Text, Time};
use sim::{
    Dice,
    scenario::{Run, Scenario, bytes, lower_half, states},
};

/// Shuffles that each scenario goes through.
const SEEDS: u64 = 8;
/// Greatest delay in a shuffle, in seconds: within the lateness of ten minutes.
const DELAY_MAX_S: u64 = 540;

fn files() -> Vec<PathBuf> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/scenarios");
    let mut files: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "scenario"));
    files.sort();
    files
}

fn scenarios() -> Vec<(String, Scenario)> {
    let read = |path: &PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let scenario =
            Scenario::parse(&fs::read_to_string(path).unwrap()).unwrap_or_else(|e| panic!("{name}: {e}"));
        (name, scenario)
    };
    files().iter().map(read).collect()
}

fn until(scenario: &Scenario) -> Option<Time> {
    scenario.until.map(|span| scenario.start + span)
}

fn straight(scenario: &Scenario) -> Run {
    scenario
        .run(&scenario.inputs, usize::MAX, &[], until(scenario))
        .unwrap()
}

/// Folds other inputs and lets time run on until nothing is pending.
fn fold(scenario: &Scenario, inputs: &[Input]) -> Run {
    scenario.run(inputs, usize::MAX, &[], None).unwrap()
}

#[track_caller]
fn assert_same(name: &str, how: &str, expected: &[Vec<u8>], got: &[Vec<u8>]) {
    for (i, (a, b)) in expected.iter().zip(got).enumerate() {
        assert!(
            a == b,
            "{name}, {how}: output {i}\n  {}\n  {}",
            String::from_utf8_lossy(a),
            String::from_utf8_lossy(b)
        );
    }
    assert_eq!(expected.len(), got.len(), "{name}, {how}: number of outputs");
}

#[test]
fn gives_the_changes_that_are_written_down() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut differ = Vec::new();
    for (path, (name, scenario)) in files().iter().zip(scenarios()) {
        let lower = lower_half(&scenario, &straight(&scenario));
        if update {
            fs::write(path, format!("{}---\n{lower}", scenario.upper)).unwrap();
        } else if lower != scenario.lower {
            differ.push(format!(
                "{name}\n--- written down\n{}--- given\n{lower}",
                scenario.lower
            ));
        }
    }
    assert!(
        differ.is_empty(),
        "look at each, then UPDATE=1:\n{}",
        differ.join("\n")
    );
}

#[test]
fn e1_any_batch_cut_gives_the_same_bytes() {
    for (name, scenario) in scenarios() {
        let expected = bytes(&straight(&scenario).out);
        for batch in 1..=scenario.inputs.len() {
            let cut = scenario
                .run(&scenario.inputs, batch, &[], until(&scenario))
                .unwrap();
            assert_same(&name, &format!("batches of {batch}"), &expected, &bytes(&cut.out));
        }
    }
}

#[test]
fn e1_stopped_and_restored_at_every_prefix_gives_the_same_bytes() {
    for (name, scenario) in scenarios() {
        let expected = straight(&scenario);
        let everywhere: Vec<usize> = (0..=scenario.inputs.len()).collect();
        for stop in 0..=scenario.inputs.len() {
            let stopped = scenario
                .run(&scenario.inputs, usize::MAX, &[stop], until(&scenario))
                .unwrap();
            assert_same(
                &name,
                &format!("restored at {stop}"),
                &bytes(&expected.out),
                &bytes(&stopped.out),
            );
            assert_eq!(
                expected.incidents, stopped.incidents,
                "{name}, restored at {stop}"
            );
            assert_eq!(expected.books, stopped.books, "{name}, restored at {stop}");
        }
        let stopped = scenario
            .run(&scenario.inputs, 1, &everywhere, until(&scenario))
            .unwrap();
        assert_same(
            &name,
            "restored everywhere",
            &bytes(&expected.out),
            &bytes(&stopped.out),
        );
    }
}

#[test]
fn e1_another_domain_in_the_partition_changes_nothing() {
    for (name, scenario) in scenarios() {
        let neighbour = Text::from("neighbour");
        let mut inputs = Vec::new();
        for input in &scenario.inputs {
            inputs.push(input.clone());
            if let Input::Event(event) = input {
                let mut event = event.clone();
                event.tenant = Some(neighbour.clone());
                inputs.push(Input::Event(event));
            }
        }
        let ours = |output: &&Output| match output {
            Output::Change(change) => !change.domain.as_str().starts_with("neighbour"),
            Output::Incident(incident) => !incident.domain.as_str().starts_with("neighbour"),
            Output::Forget(_) | Output::Event { .. } | Output::Episode { .. } => false,
        };
        let alone: Vec<Output> = fold(&scenario, &scenario.inputs)
            .out
            .iter()
            .filter(ours)
            .cloned()
            .collect();
        let beside: Vec<Output> = fold(&scenario, &inputs)
            .out
            .iter()
            .filter(ours)
            .cloned()
            .collect();
        assert_same(&name, "beside another domain", &bytes(&alone), &bytes(&beside));
    }
}

/// What a consumer believes who has read `stormfold.incidents` to its end. Events that repeat what is known make no
/// revision, so their counts and times may lag.
#[test]
fn what_was_published_last_is_the_truth() {
    for (name, scenario) in scenarios() {
        let run = straight(&scenario);
        let mut published = BTreeMap::new();
        for output in &run.out {
            match output {
                Output::Incident(incident) => {
                    let before = published.insert(incident.incident_id, incident.as_ref().clone());
                    let rises = before.is_none_or(|before| before.revision < incident.revision);
                    assert!(rises, "{name}: {} repeats a revision", incident.incident_id);
                }
                Output::Forget(id) => {
                    published.remove(id);
                }
                _ => {}
            }
        }
        let believed: Vec<_> = published.values().map(belief).collect();
        let truth: Vec<_> = run.incidents.iter().map(belief).collect();
        assert_eq!(believed, truth, "{name}");
    }
}

/// Whoever is to be paged for a critical alert is paged within 20 s of its receipt, unless somebody has its incident
/// already or the engine is catching up.
#[test]
fn everything_critical_that_is_due_pages_within_twenty_seconds() {
    let mut paged = 0;
    for (name, scenario) in scenarios() {
        let run = straight(&scenario);
        let changes: Vec<&model::Change> = run
            .out
            .iter()
            .filter_map(|output| match output {
                Output::Change(change) => Some(change.as_ref()),
                _ => None,
            })
            .collect();
        for (event, incident, _) in placed(&scenario, &run).into_iter().filter(|(.., quiet)| !quiet) {
            let alert = model::AlertId::new(&event.domain(), &event.dedup_key);
            let due = event.received_at + Span::from_secs(20);
            // What it was part of before a merge or a split has paged for it, too.
            let homes: Vec<_> = changes
                .iter()
                .filter(|c| c.alert_id == Some(alert))
                .map(|c| c.incident_id)
                .chain([incident])
                .collect();
            let of_it = || {
                let of_one = |c: &&&model::Change| homes.contains(&c.incident_id) && c.at <= due;
                changes.iter().filter(of_one)
            };
            let over = of_it().any(|c| c.alert_id == Some(alert) && c.to.as_deref() == Some("resolved"));
            let excused = of_it().any(|c| {
                matches!(
                    c.change,
                    ChangeKind::Acknowledged | ChangeKind::Snoozed | ChangeKind::Suppressed
                ) || c.to.as_deref() == Some("held: catch_up")
            });
            // Old news is told with the page that rings for other old news.
            let told = of_it().any(|c| {
                c.change == ChangeKind::Note
                    && c.because.iter().any(|why| why.kind == model::EvidenceKind::Late)
                    && c.to
                        .as_ref()
                        .is_some_and(|to| to.parse::<model::IncidentId>().is_ok())
            });
            let excused = excused || told;
            let fires = event.status == model::Status::Firing && event.severity == model::Severity::Critical;
            if !fires || over || excused || scenario.until.is_some_and(|until| scenario.start + until < due) {
                continue;
            }
            paged += 1;
            let critical = |c: &model::Change| {
                c.change == ChangeKind::PageDue && c.because.first().is_some_and(|why| why.value == 5.0)
            };
            assert!(
                of_it().any(|c| critical(c)),
                "{name}: {} at {} pages nobody by {due}",
                event.title,
                event.received_at
            );
        }
    }
    assert!(paged > 50, "{paged} critical alerts are due a page");
}

/// Whatever changes says by whom and why, and a title stays as long as the probable cause does.
#[test]
fn every_change_has_an_actor_and_a_reason_and_titles_stay() {
    for (name, scenario) in scenarios() {
        let run = straight(&scenario);
        let mut titles: BTreeMap<model::IncidentId, (String, Option<Text>)> = BTreeMap::new();
        for output in &run.out {
            match output {
                Output::Change(change) => {
                    let said = !change.actor.0.is_empty() && !change.because.is_empty();
                    assert!(said, "{name}: {change:?}");
                    let words = change.because.iter().all(|why| !why.text.is_empty());
                    assert!(words, "{name}: {change:?}");
                }
                Output::Incident(incident) => {
                    let cause = incident.causes.first().map(|cause| cause.entity.clone());
                    let now = (incident.title.clone(), cause);
                    let before = titles.insert(incident.incident_id, now.clone());
                    let stays = before.is_none_or(|(title, cause)| title == now.0 || cause != now.1);
                    assert!(stays, "{name}: {} has another title", incident.title);
                    let says = incident.causes.is_empty()
                        || incident.merged_into.is_some()
                        || incident.summary.contains(incident.causes[0].entity.as_str());
                    assert!(says, "{name}: {}", incident.summary);
                }
                _ => {}
            }
        }
    }
}

/// Each event whose episode ended in an incident, which one, and whether it is suppressed there.
fn placed<'a>(scenario: &'a Scenario, run: &Run) -> Vec<(&'a model::Event, model::IncidentId, bool)> {
    let places: BTreeMap<_, _> = run
        .out
        .iter()
        .filter_map(|output| match output {
            Output::Episode {
                episode,
                incident,
                suppressed,
                ..
            } => Some((*episode, (*incident, suppressed.is_some()))),
            _ => None,
        })
        .collect();
    let event = |output: &Output| {
        let Output::Event { input, episode } = output else {
            return None;
        };
        let (incident, quiet) = places.get(&(*episode)?)?;
        match &scenario.inputs[*input as usize] {
            Input::Event(event) => Some((event.as_ref(), (*incident)?, *quiet)),
            _ => None,
        }
    };
    run.out.iter().filter_map(event).collect()
}

/// Every event that is placed in an incident is counted there, once, however it came to be placed.
#[test]
fn an_incident_counts_every_event_that_is_placed_in_it() {
    for (name, scenario) in scenarios() {
        let run = straight(&scenario);
        let whole = |mut id: model::IncidentId| {
            let next = |id| run.incidents.iter().find(|i| i.incident_id == id)?.merged_into;
            while let Some(into) = next(id) {
                id = into;
            }
            id
        };
        let mut seen = std::collections::BTreeSet::new();
        let mut counts: BTreeMap<model::IncidentId, u64> = BTreeMap::new();
        for (event, incident, _) in placed(&scenario, &run) {
            if seen.insert((event.domain(), event.event_id.clone())) {
                *counts.entry(whole(incident)).or_default() += 1;
            }
        }
        for incident in &run.incidents {
            let expected = counts.get(&incident.incident_id).copied().unwrap_or(0);
            assert_eq!(incident.counts.events, expected, "{name}: {}", incident.title);
        }
    }
}

/// What must be up to date in the last record of an incident.
fn belief(incident: &model::Incident) -> impl std::fmt::Debug + PartialEq + use<> {
    let alerts: Vec<_> = incident
        .alerts
        .iter()
        .map(|a| (a.alert_id, a.status, a.severity))
        .collect();
    (
        (
            incident.incident_id,
            incident.revision,
            incident.status,
            incident.severity,
        ),
        (
            incident.counts.alerts,
            incident.counts.firing,
            incident.counts.suppressed,
        ),
        (incident.page.clone(), incident.owner.team.clone(), alerts),
    )
}

fn digest(run: &Run) -> String {
    let mut hash = model::Hash128::new("scenario");
    for record in bytes(&run.out) {
        hash.part(&record);
    }
    format!("{:032x}", hash.finish())
}

/// Tells this test that it is the other process, which only prints its digests.
const OTHER: &str = "STORMFOLD_TEST_OTHER";

#[test]
fn e1_another_process_gives_the_same_bytes() {
    if std::env::var_os(OTHER).is_some() {
        for (name, scenario) in scenarios() {
            println!("digest {name} {}", digest(&straight(&scenario)));
        }
        return;
    }
    let out = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "e1_another_process_gives_the_same_bytes",
            "--nocapture",
        ])
        .env(OTHER, "1")
        .output()
        .unwrap();
    let out = String::from_utf8(out.stdout).unwrap();
    let theirs: Vec<&str> = out.lines().filter_map(|l| l.split("digest ").nth(1)).collect();
    let ours: Vec<String> = scenarios()
        .iter()
        .map(|(name, s)| format!("{name} {}", digest(&straight(s))))
        .collect();
    assert_eq!(theirs, ours);
}

/// Delays every event by a random time within the lateness; what is no event keeps its place in time.
fn shuffled(inputs: &[Input], seed: u64) -> Vec<Input> {
    let mut dice = Dice::new(seed);
    let mut timed: Vec<(Time, usize, Input)> = Vec::new();
    let mut last = Time::MIN;
    for (i, input) in inputs.iter().enumerate() {
        let mut input = input.clone();
        let at = match &mut input {
            Input::Event(event) if event.kind == model::EventKind::Alert => {
                event.received_at = event.received_at + Span::from_secs(dice.below(DELAY_MAX_S) as i64);
                event.received_at
            }
            Input::Event(event) => event.received_at,
            Input::Progress(_) => continue,
            Input::TopologyChange(change) => change.at,
            Input::TopologyPart(_) | Input::Quarantine { .. } => last,
        };
        last = last.max(at);
        timed.push((at, i, input));
    }
    timed.sort_by_key(|(at, i, _)| (*at, *i));
    timed.into_iter().map(|(_, _, input)| input).collect()
}

#[test]
fn e2_shuffled_within_the_lateness_gives_the_same_states() {
    for (name, scenario) in scenarios() {
        if scenario.ordered.is_some() {
            continue;
        }
        let expected = fold(&scenario, &scenario.inputs);
        // What arrives late also settles late.
        let until = until(&scenario).map(|end| end + Span::from_secs(2 * DELAY_MAX_S as i64));
        for seed in 0..SEEDS {
            let inputs = shuffled(&scenario.inputs, seed);
            let got = scenario.run(&inputs, usize::MAX, &[], until).unwrap();
            assert_eq!(
                states(&expected.incidents),
                states(&got.incidents),
                "{name}, seed {seed}"
            );
        }
    }
}

#[test]
fn e2_each_event_followed_by_a_copy_gives_the_same_states_and_counts() {
    for (name, scenario) in scenarios() {
        let doubled: Vec<Input> = scenario
            .inputs
            .iter()
            .flat_map(|input| match input {
                Input::Event(_) => vec![input.clone(), input.clone()],
                _ => vec![input.clone()],
            })
            .collect();
        let (expected, got) = (fold(&scenario, &scenario.inputs), fold(&scenario, &doubled));
        assert_eq!(states(&expected.incidents), states(&got.incidents), "{name}");
        let counts = |run: &Run| -> BTreeMap<_, _> {
            run.incidents.iter().map(|i| (i.incident_id, i.counts)).collect()
        };
        assert_eq!(counts(&expected), counts(&got), "{name}");
        let books = got.books;
        assert_eq!(
            books.redelivered,
            expected.books.redelivered + books.events / 2,
            "{name}"
        );
    }
}

#[test]
fn the_books_balance() {
    for (name, scenario) in scenarios() {
        let books = straight(&scenario).books;
        let parts = books.new
            + books.repeats
            + books.resolved
            + books.redelivered
            + books.superseded
            + books.dropped
            + books.other
            + books.shed
            + books.passed;
        assert_eq!(books.events, parts, "{name}: {books:?}");
    }
}
