//! What holds on worlds that no weight was fitted to: the probability of a membership can be believed, and candidates
//! from bounded indexes miss nothing that a scan of all open incidents finds.
use engine::{Belief, Settings};
use learn::{Kind, Labelled, Study, calibration, fit, study, world};

/// `fit` takes seeds from 101 on.
const SEED: u64 = 7;

/// Worlds of these kinds are unkinder than most installations; on labelled streams it is a sixth of this.
const ECE_MAX: f64 = 0.08;
/// The share of alerts whose best open incident is among their candidates, at least.
const RECALL_MIN: f64 = 0.995;

fn studies() -> Vec<Study> {
    let kinds = Kind::ALL.into_iter().chain([Kind::Crowded]);
    kinds
        .map(|kind| study(&world(kind, SEED), &Settings::default()))
        .collect()
}

#[test]
fn what_is_said_holds_and_nothing_is_missed() {
    let studies = studies();
    for (study, kind) in studies.iter().zip(Kind::ALL.into_iter().chain([Kind::Crowded])) {
        let figures = calibration(&study.memberships, None).unwrap();
        let c = figures.calibration;
        println!(
            "{:16} right {:.3} said {:.3} Brier {:.4} ECE {:.4}; candidates hold the best of {} for {}",
            kind.name(),
            c.right,
            c.said,
            c.brier,
            c.ece,
            study.sought,
            study.found
        );
    }
    let all: Vec<&Labelled> = studies.iter().flat_map(|study| &study.memberships).collect();
    let figures = calibration(all.iter().copied(), None).unwrap();
    let c = &figures.calibration;
    println!(
        "together: right {:.3} said {:.3} Brier {:.4} ECE {:.4}",
        c.right, c.said, c.brier, c.ece
    );
    assert!(c.ece <= ECE_MAX, "ECE {:.4}", c.ece);
    // Saying of each the share that is right would be calibrated, and worth nothing.
    let blind = c.right * (1.0 - c.right);
    assert!(
        c.brier < 0.6 * blind,
        "Brier {:.4}, {blind:.4} of one figure for all",
        c.brier
    );

    let (sought, found) = studies
        .iter()
        .fold((0, 0), |sum, study| (sum.0 + study.sought, sum.1 + study.found));
    assert!(sought > 1_000, "{sought}");
    let recall = found as f64 / sought as f64;
    assert!(
        recall >= RECALL_MIN,
        "candidates hold the best of {found} of {sought}"
    );

    // Two fits to the same memberships give the same weights, and each pulls where its ground means to.
    let streams: Vec<Vec<Labelled>> = studies.into_iter().map(|study| study.memberships).collect();
    let fitted = fit(&streams).unwrap();
    assert_eq!(fitted, fit(&streams).unwrap());
    let better = calibration(streams.iter().flatten(), Some(&fitted)).unwrap();
    let unfit = calibration(
        streams.iter().flatten(),
        Some(&Belief::of(&[0.0; Belief::NAMES.len()])),
    )
    .unwrap();
    assert!(better.log_loss < 0.7 * unfit.log_loss, "{better:?}");
}

#[test]
fn too_few_labels_are_refused() {
    let few = vec![Labelled {
        grounds: [0.0; Belief::NAMES.len()],
        said: 0.5,
        right: true,
    }];
    assert!(fit(&[few]).unwrap_err().to_string().contains("at least"));
}
