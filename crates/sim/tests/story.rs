//! What becomes of the told story: three incidents, each with its cause and its owner.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use engine::{Output, Settings, Shard};
use model::{ChangeKind, Incident, IncidentStatus, Input};
use sim::story::shop;

fn told() -> (Vec<Incident>, Vec<Output>, engine::Books) {
    let story = shop();
    let mut shard = Shard::new(Settings {
        placements: true,
        ..Settings::default()
    });
    let mut out = Vec::new();
    let topology = serde_json::to_string(&story.topology).unwrap();
    let mut inputs: Vec<Input> = wire::topology_parts(&topology)
        .unwrap()
        .into_iter()
        .map(Input::TopologyPart)
        .collect();
    inputs.extend(
        story
            .events
            .into_iter()
            .map(|event| Input::Event(Box::new(event))),
    );
    shard.step(&inputs, &mut out);
    sim::scenario::settle(&mut shard, None, &mut out);
    (shard.incidents(), out, shard.books())
}

#[test]
fn folds_into_three_paged_incidents_with_their_owners() {
    let (mut incidents, out, books) = told();
    incidents.retain(|i| i.page.seq > 0);
    incidents.sort_by_key(|i| i.opened_at);
    let alerts: Vec<u64> = incidents.iter().map(|i| i.counts.alerts).collect();
    assert_eq!(alerts, [10, 5, 5], "the database, the warehouse, the provider");
    let owners: Vec<&str> = incidents.iter().map(|i| i.owner.team.as_str()).collect();
    assert_eq!(owners, ["storage", "warehouse", "payments"]);
    assert!(incidents.iter().all(|i| i.status == IncidentStatus::Resolved));
    // What never means anything stays quiet once its habit is known.
    assert!(books.suppressed > 40, "{books:?}");
    let unpaged = out
        .iter()
        .filter(|o| matches!(o, Output::Change(c) if c.change == ChangeKind::Opened))
        .count()
        - 3;
    assert!(unpaged <= 3, "{unpaged} incidents of noise");
}
