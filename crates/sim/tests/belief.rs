//! Each membership says how sure it is, what it nearly joined and by how much it did not; and one that is not sure enough
//! stands alone and says so.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use model::{ChangeKind, EvidenceKind, Incident};
use sim::scenario::{Scenario, run};

fn folded(text: &str) -> (Vec<Incident>, Vec<engine::Output>) {
    let scenario = Scenario::parse(text).unwrap();
    let until = scenario.until.map(|span| scenario.start + span);
    let run = run(&scenario.settings, &scenario.inputs, 100, &[], until).unwrap();
    (run.incidents, run.out)
}

const DOUBTFUL: &str = include_str!("../../../testdata/scenarios/hardly-belongs-and-stands-alone.scenario");

#[test]
fn what_hardly_belongs_stands_alone_and_names_the_other() {
    let (incidents, out) = folded(DOUBTFUL);
    assert_eq!(incidents.len(), 2);
    let (burning, own) = match incidents[0].alerts.len() {
        2 => (&incidents[0], &incidents[1]),
        _ => (&incidents[1], &incidents[0]),
    };
    let [member] = &own.alerts[..] else {
        panic!("{own:?}")
    };
    let other = member.runner_up.as_ref().unwrap();
    assert_eq!(other.incident_id, burning.incident_id);
    assert!(other.probability < 0.9);
    assert!((member.probability + other.probability - 1.0).abs() < 1e-12);
    assert!((other.margin - (member.probability - other.probability)).abs() < 1e-12);
    assert_eq!(member.because[0].kind, EvidenceKind::Doubt);
    assert!((member.because[0].value - other.probability).abs() < 1e-12);
    let opened = out.iter().any(|output| match output {
        engine::Output::Change(c) => c.incident_id == own.incident_id && c.change == ChangeKind::Opened,
        _ => false,
    });
    assert!(opened);

    // By default it is taken in, and says how sure that is.
    let (incidents, _) = folded(&DOUBTFUL.replace("set grouping.join_min = 0.9\n", ""));
    let [only] = &incidents[..] else {
        panic!("{incidents:?}")
    };
    let joined = only.alerts.iter().find(|m| m.title == "LongPauses").unwrap();
    assert!((joined.probability - other.probability).abs() < 1e-12);
    assert!(joined.runner_up.is_none());
}

#[test]
fn of_two_live_incidents_the_next_best_is_named_with_its_margin() {
    let text = include_str!("../../../testdata/scenarios/another-fault-beside-a-live-one.scenario");
    let text = text
        .replace(
            "  9m    firing",
            "  4m    firing cache \"MissesHigh\"\n  8m    firing api \"PoolFull\"\n  9m    firing",
        )
        .replace("\n---\n", "\n  9m30s firing web \"Saturated\"\n---\n");
    let (incidents, _) = folded(&text);
    let member = incidents
        .iter()
        .flat_map(|i| &i.alerts)
        .find(|m| m.title == "Saturated")
        .unwrap();
    if incidents.len() > 1 {
        let home = incidents.iter().find(|i| i.alerts.contains(member)).unwrap();
        let other = member.runner_up.as_ref().unwrap();
        assert_ne!(other.incident_id, home.incident_id);
        assert!(other.probability <= member.probability);
        assert!(member.probability + other.probability <= 1.0 + 1e-12);
        assert!((other.margin - (member.probability - other.probability)).abs() < 1e-12);
    } else {
        panic!("both faults became one incident");
    }
}
