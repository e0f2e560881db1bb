//! A name that could mean several things is said in the record, not guessed.

use model::EvidenceKind;
use sim::scenario::{Scenario, run};

const WORLD: &str = "\
depends west/cart -> west/db
depends east/cart -> east/db
     0s firing cart \"HighErrorRate\" key=which
    40s firing cart \"HighLatency\" key=west namespace=west
---
";

#[test]
fn a_membership_says_that_its_name_could_be_either_of_two() {
    let scenario = Scenario::parse(WORLD).unwrap();
    let run = run(&scenario.settings, &scenario.inputs, usize::MAX, &[], None).unwrap();
    let said = |title: &str| {
        let mut alerts = run.incidents.iter().flat_map(|i| &i.alerts);
        let alert = alerts.rfind(|a| a.title == title).unwrap();
        alert
            .because
            .iter()
            .find(|e| e.kind == EvidenceKind::Ambiguous)
            .cloned()
    };
    let evidence = said("HighErrorRate").unwrap();
    assert_eq!(evidence.value, 2.0);
    assert_eq!(
        evidence.text,
        "cart could be east/cart or west/cart, and is taken for none of them"
    );
    assert_eq!(said("HighLatency"), None, "the namespace says which");
}
