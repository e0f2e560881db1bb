//! What `stormfold score --json` says of a small answer, against figures worked out by hand from their definitions.
//!
//! Nine alerts count: incident A is `a1 a2 a3`, B is `b1 b2`, C is `c1 c2`, `n1` and `n2` are noise. The answer puts
//! `a1 a2 b1` into P, `b2 n2` into Q, `c1 c2` into R, and keeps `a3` and `n1` quiet.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::Command;

use serde_json::Value;

const TRUTH: &str = r#"{"event_id": "a1", "incident": "A", "root_service": "x"}
{"event_id": "a2", "incident": "A", "root_service": "x"}
{"event_id": "b1", "incident": "B", "root_service": "z"}
{"event_id": "n1", "incident": null}
{"event_id": "a3", "incident": "A", "root_service": "x"}
{"event_id": "b2", "incident": "B", "root_service": "z"}
{"event_id": "n2", "incident": null}
{"event_id": "c1", "incident": "C", "root_service": "w"}
{"event_id": "c2", "incident": "C", "root_service": "w"}
{"event_id": "i1", "incident": "A", "ignore": true}
{"event_id": "w1", "incident": "B", "weak": true}
"#;
/// `b1` stands twice: the last line counts. `a3` has none, so it is kept quiet.
const ANSWER: &str = r#"{"event_id": "a1", "incident_id": "P"}
{"event_id": "a2", "incident_id": "P"}
{"event_id": "b1", "incident_id": "Q"}
{"event_id": "b1", "incident_id": "P"}
{"event_id": "n1", "incident_id": null}
{"event_id": "b2", "incident_id": "Q"}
{"event_id": "n2", "incident_id": "Q"}
{"event_id": "c1", "incident_id": "R"}
{"event_id": "c2", "incident_id": "R"}
{"event_id": "i1", "incident_id": "P"}
{"event_id": "w1", "incident_id": "Q"}
"#;
const CAUSES: &str = r#"{"incident_id": "P", "ranked": [{"id": "y"}, {"id": "x"}]}
{"incident_id": "Q", "ranked": ["z"]}
{"incident_id": "R", "ranked": ["w"]}
"#;

fn scored() -> Value {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_stormfold"));
    command.args(["score", "--json"]);
    for (name, text) in [("truth", TRUTH), ("pred", ANSWER), ("roots", CAUSES)] {
        let file = dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        command.arg(format!("--{name}")).arg(file);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Entropy of clusters of these sizes.
fn entropy(sizes: &[f64]) -> f64 {
    let n: f64 = sizes.iter().sum();
    -sizes.iter().map(|size| size / n * (size / n).ln()).sum::<f64>()
}

/// Mutual information of clusterings of `n` alerts: how many each true and predicted cluster share, and their sizes.
fn mutual(n: f64, shared: &[(f64, f64, f64)]) -> f64 {
    let of = |&(both, truth, answer): &(f64, f64, f64)| both / n * (n * both / (truth * answer)).ln();
    shared.iter().map(of).sum()
}

#[test]
fn every_figure_is_what_its_definition_gives_by_hand() {
    let score = scored();
    // All: A meets P twice, B meets P and Q once, C meets R twice; a3, n1 are alone, n2 is in Q.
    let all_mutual = mutual(
        9.0,
        &[
            (2.0, 3.0, 3.0),
            (1.0, 3.0, 1.0),
            (1.0, 2.0, 3.0),
            (1.0, 2.0, 2.0),
            (2.0, 2.0, 2.0),
            (1.0, 1.0, 1.0),
            (1.0, 1.0, 2.0),
        ],
    );
    let all_share = all_mutual / entropy(&[3.0, 2.0, 2.0, 1.0, 1.0]);
    // Incidents: the same without n1 and n2, so Q is b2 alone.
    let mutual = mutual(
        7.0,
        &[
            (2.0, 3.0, 3.0),
            (1.0, 3.0, 1.0),
            (1.0, 2.0, 3.0),
            (1.0, 2.0, 1.0),
            (2.0, 2.0, 2.0),
        ],
    );
    let (homogeneity, completeness) = (
        mutual / entropy(&[3.0, 2.0, 2.0]),
        mutual / entropy(&[3.0, 1.0, 1.0, 2.0]),
    );
    for (path, want) in [
        ("/scored_alerts", 9.0),
        ("/not_scored/ignore", 1.0),
        ("/not_scored/weak", 1.0),
        ("/pred_lines_matched", 10.0),
        // 5 pairs belong together, 5 are put together, 2 of them rightly, of 36.
        ("/all/pair_precision", 2.0 / 5.0),
        ("/all/pair_recall", 2.0 / 5.0),
        ("/all/pair_f1", 2.0 / 5.0),
        ("/all/ari", (2.0 - 25.0 / 36.0) / (5.0 - 25.0 / 36.0)),
        ("/all/homogeneity", all_share),
        ("/all/completeness", all_share),
        ("/all/v_measure_nmi", all_share),
        // 2/3 for a1 and a2, 1/3 for b1, 1/2 for b2 and n2, 1 for the rest; over true clusters the same sum.
        (
            "/all/bcubed_precision",
            (2.0 * 2.0 / 3.0 + 1.0 / 3.0 + 2.0 / 2.0 + 4.0) / 9.0,
        ),
        (
            "/all/bcubed_recall",
            (2.0 * 2.0 / 3.0 + 1.0 / 3.0 + 2.0 / 2.0 + 4.0) / 9.0,
        ),
        ("/all/bcubed_f1", 20.0 / 27.0),
        ("/incidents/pair_precision", 2.0 / 4.0),
        ("/incidents/pair_recall", 2.0 / 5.0),
        ("/incidents/pair_f1", 4.0 / 9.0),
        ("/incidents/ari", (2.0 - 20.0 / 21.0) / (4.5 - 20.0 / 21.0)),
        ("/incidents/homogeneity", homogeneity),
        ("/incidents/completeness", completeness),
        (
            "/incidents/v_measure_nmi",
            2.0 * homogeneity * completeness / (homogeneity + completeness),
        ),
        ("/incidents/bcubed_precision", 17.0 / 21.0),
        ("/incidents/bcubed_recall", 2.0 / 3.0),
        ("/incidents/bcubed_f1", 68.0 / 93.0),
        // Best Jaccards: A with P 2/4, B with Q 1/3, C with R 1.
        ("/recovered/true_incidents", 3.0),
        ("/recovered/pred_incidents", 3.0),
        ("/recovered/recovered", 1.0),
        ("/recovered/precision", 1.0 / 3.0),
        ("/recovered/recall", 1.0 / 3.0),
        ("/recovered/f1", 1.0 / 3.0),
        ("/recovered/mean_best_jaccard", 11.0 / 18.0),
        ("/recovered/missed_entirely", 0.0),
        ("/recovered/fragments_per_true_incident", 4.0 / 3.0),
        ("/recovered/true_per_pred_incident", 4.0 / 3.0),
        ("/recovered/noise_only_pred_incidents", 0.0),
        // The whole stream, with what is not scored.
        ("/compression/stream_alerts", 11.0),
        ("/compression/suppressed", 2.0),
        ("/compression/pred_incidents", 3.0),
        ("/compression/alerts_per_incident", 3.0),
        ("/compression/reduction", 8.0 / 11.0),
        ("/noise/noise_alerts", 2.0),
        ("/noise/suppressed", 2.0),
        ("/noise/precision", 1.0 / 2.0),
        ("/noise/recall", 1.0 / 2.0),
        ("/noise/f1", 1.0 / 2.0),
        ("/noise/real_lost", 1.0 / 7.0),
        // A's home P names x second; B lies in P and Q alike, so the first of them counts, which does not name z.
        ("/root_cause/incidents", 3.0),
        ("/root_cause/AC@1", 1.0 / 3.0),
        ("/root_cause/AC@3", 2.0 / 3.0),
        ("/root_cause/AC@5", 2.0 / 3.0),
        ("/root_cause/Avg@5", (1.0 / 3.0 + 4.0 * 2.0 / 3.0) / 5.0),
        ("/root_cause/MRR", (1.0 / 2.0 + 1.0) / 3.0),
    ] {
        let got = score.pointer(path).and_then(Value::as_f64).unwrap();
        assert!((got - want).abs() < 1e-9, "{path}: {got}, by hand {want}");
    }
}
