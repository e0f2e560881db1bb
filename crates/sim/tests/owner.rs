//! A record says whose an incident is and why, whom else it concerns, and what depends on its cause.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use model::Incident;
use sim::scenario::{Scenario, run};

/// The one incident of a world.
fn incident(world: &str) -> Incident {
    let scenario = Scenario::parse(world).unwrap();
    let mut incidents = run(&scenario.settings, &scenario.inputs, usize::MAX, &[], None)
        .unwrap()
        .incidents;
    assert_eq!(incidents.len(), 1, "{incidents:?}");
    incidents.remove(0)
}

#[test]
fn the_owner_of_the_cause_is_paged_others_are_told_and_its_dependents_named() {
    let incident = incident(
        "\
node web team=front
node api team=core
node db team=storage
depends web -> api -> db
     0s firing db \"DiskFull\" severity=critical
     5s firing api \"HighErrorRate\" severity=critical
---
",
    );
    assert_eq!(incident.owner.team, "storage");
    assert_eq!(incident.also_notify, ["core"], "what does not alert is not told");
    let why = &incident.owner.because[0].text;
    assert!(
        why.starts_with("storage owns db, the first-ranked cause ("),
        "{why}"
    );
    let reach = &incident.context.because.last().unwrap().text;
    assert_eq!(
        reach, "2 things depend on db: api, web",
        "whether they alert or not"
    );
}

#[test]
fn where_nobody_owns_the_cause_the_earliest_place_with_an_owner_is_asked() {
    let incident = incident(
        "\
node web team=front
node api team=core
node db
depends api -> db
depends web -> db
     0s firing db \"DiskFull\" severity=critical
     3s firing web \"HighErrorRate\" severity=critical
     6s firing api \"HighErrorRate\" severity=critical
---
",
    );
    assert_eq!(incident.causes[0].entity, "db");
    assert_eq!(incident.owner.team, "front");
    assert_eq!(incident.owner.entity.as_deref(), Some("web"));
    assert_eq!(
        incident.owner.because[0].text,
        "nobody is entered as owner of db; front owns web, which alerted first of those with an owner"
    );
}

#[test]
fn where_nobody_owns_anything_the_default_route_is_paged() {
    let incident = incident(
        "\
node db
     0s firing db \"DiskFull\" severity=critical
---
",
    );
    assert_eq!(incident.owner.team, "on-call");
    assert_eq!(incident.owner.entity, None);
    assert_eq!(
        incident.owner.because[0].text,
        "nobody is entered as owner of db, nor of any place that alerts; the default route is paged"
    );
}
