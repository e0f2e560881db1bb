//! What worlds promise: the same from the same seed, in the order of arrival, with every kind of trouble in them.

use std::collections::{BTreeMap, BTreeSet};

use model::Status;
use sim::world::{FaultClass, Form, Size, Stream, Told, event_line, truth_line};

fn world(seed: u64) -> Vec<Told> {
    Stream::new(&Size::default(), seed).collect()
}

#[test]
fn the_same_seed_gives_the_same_lines() {
    let lines = |seed| -> Vec<String> {
        let line = |told: &Told| event_line(told, Form::Native) + &truth_line(told, Form::Native);
        world(seed).iter().map(line).collect()
    };
    assert_eq!(lines(7), lines(7));
    assert_ne!(lines(7), lines(8));
}

#[test]
fn arrives_in_order_and_holds_every_kind_of_trouble() {
    let world = world(1);
    assert!(world.len() > 3_000, "{}", world.len());
    assert!(world.is_sorted_by_key(|told| told.event.received_at));
    let classes: BTreeSet<FaultClass> = world
        .iter()
        .filter_map(|t| t.said.as_ref())
        .map(|s| s.class)
        .collect();
    assert_eq!(classes.len(), 4);
    let faults: BTreeSet<usize> = world
        .iter()
        .filter_map(|t| t.said.as_ref())
        .map(|s| s.fault)
        .collect();
    assert_eq!(faults.len(), Size::default().faults);
    let mut by_id: BTreeMap<&str, u32> = BTreeMap::new();
    for told in &world {
        *by_id.entry(&told.event.event_id).or_default() += 1;
    }
    assert!(by_id.values().any(|n| *n > 1), "some records come twice");
    assert!(
        !world.is_sorted_by_key(|told| told.event.ts),
        "some records come out of order"
    );
    let noise = world.iter().filter(|t| t.said.is_none()).count();
    assert!(noise > world.len() / 20, "{noise} of {} are noise", world.len());
    let names: BTreeSet<&str> = world.iter().filter_map(|t| t.event.service.as_deref()).collect();
    assert!(
        names.iter().any(|n| n.contains("AWS::")),
        "tools name one thing differently"
    );
}

#[test]
fn every_alert_ends() {
    let mut open: BTreeMap<&str, i64> = BTreeMap::new();
    let world = world(2);
    let mut last: BTreeMap<&str, (model::Time, Status)> = BTreeMap::new();
    for told in &world {
        let state = last
            .entry(&told.event.dedup_key)
            .or_insert((told.event.ts, told.event.status));
        if told.event.ts >= state.0 {
            *state = (told.event.ts, told.event.status);
        }
    }
    for (key, (_, status)) in last {
        *open.entry(key).or_default() += i64::from(status == Status::Firing);
    }
    assert!(open.values().all(|n| *n == 0), "{open:?}");
}

#[test]
fn the_alertmanager_form_is_read_back() {
    let decoder = wire::Decoder::default();
    for (i, told) in world(3).iter().enumerate().take(200) {
        let line = event_line(told, Form::Alertmanager);
        let mut found = Vec::new();
        let raw = wire::Raw::of_file(line.as_bytes(), "world", i as u64 + 1);
        decoder.decode(&raw, &mut found);
        let [wire::Found::Alert(event)] = &found[..] else {
            panic!("{line}: {found:?}")
        };
        assert_eq!(event.status, told.event.status);
        assert_eq!(event.severity, told.event.severity);
        assert_eq!(event.service, told.event.service);
        let truth: serde_json::Value = serde_json::from_str(&truth_line(told, Form::Alertmanager)).unwrap();
        assert_eq!(truth["event_id"], event.event_id.as_str());
    }
}

#[test]
fn a_long_world_needs_no_more_memory_than_a_short_one() {
    let size = Size {
        faults: usize::MAX,
        ..Size::default()
    };
    let mut stream = Stream::new(&size, 4);
    let last = stream.nth(200_000).unwrap();
    assert!(last.event.received_at > model::Time::from_secs(1_772_409_600));
    assert!(stream.waiting() < 50_000, "{} events wait", stream.waiting());
}

/// Faults whose root no alert is about, by any of its names; and all faults.
fn silent_roots(size: &Size) -> (usize, usize) {
    let stream = Stream::new(size, 1);
    let nodes = stream.estate().topology().nodes;
    let mut speaks: BTreeMap<usize, bool> = BTreeMap::new();
    for told in stream {
        let Some(said) = &told.said else { continue };
        let root = nodes.iter().filter(|node| node.id == said.root);
        let known: Vec<_> = root.flat_map(|n| n.aliases.iter().chain([&n.id])).collect();
        let is_root = |name: &str| {
            let mut known = known.iter();
            known.any(|k| k.eq_ignore_ascii_case(name) || k.split('.').next() == Some(name))
        };
        let of_root = told
            .event
            .service
            .iter()
            .chain(&told.event.host)
            .any(|name| is_root(name));
        *speaks.entry(said.fault).or_default() |= of_root;
    }
    let silent = speaks.values().filter(|speaks| !**speaks).count();
    (silent, speaks.len())
}

#[test]
fn some_roots_say_nothing() {
    let (silent, faults) = silent_roots(&Size::default());
    let (few, _) = silent_roots(&Size {
        silent: 0.0,
        ..Size::default()
    });
    assert!(
        silent >= few + faults / 10,
        "{silent} of {faults} roots say nothing, {few} where none is asked to be silent"
    );
}
