//! Scores an answer (which event belongs to which incident, which causes come first) against a truth.
//!
//! Two views of the same clustering. In *all*, every noise alert is a true cluster of its own and every suppressed
//! alert a predicted one, so that noise pulled into an incident costs precision and a suppressed real alert costs
//! recall. In *incidents*, only alerts that belong to a true incident count. Pairwise figures are ruled by the largest
//! incident, so read B-cubed (Bagga and Baldwin 1998) and *recovered* (Jaccard above one half, which can only be one
//! to one) beside them; mutual information rewards fragments.

mod calibration;
mod clustering;
mod online;
mod read;
mod roots;

pub use calibration::{Calibration, rights};
pub use clustering::Clustering;
pub use online::Online;
pub use read::{Answer, Keys, Placed, Ranked, ReadError, Truth};
pub use roots::RootCause;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// Everything that is measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Score {
    /// Alerts that were scored.
    pub scored_alerts: usize,
    /// Alerts that were not, by reason.
    pub not_scored: BTreeMap<&'static str, usize>,
    /// Events that the answer has a line for.
    pub pred_lines_matched: usize,
    /// Main view: noise and suppression count.
    pub all: Option<Clustering>,
    /// Only alerts of true incidents.
    pub incidents: Option<Clustering>,
    /// Incidents found again.
    pub recovered: Recovered,
    /// How much less there is to read.
    pub compression: Compression,
    /// How well noise is kept out.
    pub noise: Noise,
    /// How soon alerts are where they belong; absent when the answer tells no times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub online: Option<Online>,
    /// Whether probabilities of memberships can be believed; absent when the answer tells none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// How high the true cause ranks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_cause: Option<RootCause>,
}

/// Incidents found again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recovered {
    /// True incidents.
    pub true_incidents: usize,
    /// Predicted incidents that hold a scored alert.
    pub pred_incidents: usize,
    /// True incidents that one predicted incident overlaps with a Jaccard above one half.
    pub recovered: usize,
    /// Over predicted incidents.
    pub precision: f64,
    /// Over true incidents.
    pub recall: f64,
    /// Their harmonic mean.
    pub f1: f64,
    /// Mean over true incidents of the best Jaccard.
    pub mean_best_jaccard: f64,
    /// True incidents none of whose alerts is in any predicted one.
    pub missed_entirely: usize,
    /// Predicted incidents per true incident.
    pub fragments_per_true_incident: f64,
    /// True incidents per predicted incident that holds any.
    pub true_per_pred_incident: f64,
    /// Predicted incidents that hold noise only.
    pub noise_only_pred_incidents: usize,
}

/// How much less there is to read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compression {
    /// Alerts in the stream.
    pub stream_alerts: usize,
    /// Of them suppressed.
    pub suppressed: usize,
    /// Predicted incidents.
    pub pred_incidents: usize,
    /// Alerts that were not suppressed, per predicted incident.
    pub alerts_per_incident: f64,
    /// 1 − incidents / alerts.
    pub reduction: f64,
}

/// How well noise is kept out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Noise {
    /// Alerts that belong to no true incident.
    pub noise_alerts: usize,
    /// Alerts suppressed.
    pub suppressed: usize,
    /// Suppressed alerts that are noise.
    pub precision: f64,
    /// Noise that is suppressed.
    pub recall: f64,
    /// Their harmonic mean.
    pub f1: f64,
    /// Share of real alerts suppressed.
    pub real_lost: f64,
}

/// Which alerts are scored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Score events of status `resolved` too.
    pub resolved: bool,
    /// Score alerts whose label is weak (in the incident's time window, without a path to its root).
    pub weak: bool,
}

/// Scores an answer.
pub fn score(truth: &[Truth], answer: &Answer, ranked: Option<&Ranked>, scope: Scope) -> Score {
    let mut not_scored = BTreeMap::new();
    let mut pairs: Vec<(Option<&str>, Option<&str>)> = Vec::new();
    let mut told: Vec<(Option<&str>, Placed<'_>)> = Vec::new();
    let mut roots: BTreeMap<&str, &str> = BTreeMap::new();
    let mut stream: BTreeSet<&str> = BTreeSet::new();
    let (mut stream_alerts, mut stream_suppressed, mut matched) = (0, 0, 0);
    for (index, line) in truth.iter().enumerate() {
        let placed = answer.of(line.event_id.as_deref(), index);
        matched += usize::from(placed.is_some());
        let told_placed = placed.unwrap_or_default();
        let placed = told_placed.incident;
        if !line.resolved || scope.resolved {
            stream_alerts += 1;
            match placed {
                Some(incident) => drop(stream.insert(incident)),
                None => stream_suppressed += 1,
            }
        }
        let left_out = match line {
            line if line.resolved && !scope.resolved => Some("resolved"),
            line if line.ignore => Some("ignore"),
            line if line.weak && !scope.weak => Some("weak"),
            _ => None,
        };
        if let Some(reason) = left_out {
            *not_scored.entry(reason).or_default() += 1;
            continue;
        }
        if let (Some(incident), Some(root)) = (line.incident.as_deref(), line.root.as_deref()) {
            roots.entry(incident).or_insert(root);
        }
        pairs.push((line.incident.as_deref(), placed));
        told.push((line.incident.as_deref(), told_placed));
    }
    let overlap = Overlap::of(&pairs);
    Score {
        scored_alerts: pairs.len(),
        not_scored,
        pred_lines_matched: matched,
        all: Clustering::of(pairs.iter().copied()),
        incidents: Clustering::of(pairs.iter().copied().filter(|(truth, _)| truth.is_some())),
        recovered: overlap.recovered(),
        compression: Compression {
            stream_alerts,
            suppressed: stream_suppressed,
            pred_incidents: stream.len(),
            alerts_per_incident: ratio(stream_alerts - stream_suppressed, stream.len()),
            reduction: 1.0 - ratio(stream.len(), stream_alerts),
        },
        noise: noise(&pairs),
        online: Online::of(&told, &overlap),
        calibration: Calibration::of(&told),
        root_cause: ranked.map(|ranked| RootCause::of(&roots, &overlap, ranked)),
    }
}

/// How many alerts each pair of a true and a predicted incident shares.
pub(crate) struct Overlap<'a> {
    pub(crate) both: BTreeMap<(&'a str, &'a str), usize>,
    truth: BTreeMap<&'a str, usize>,
    answer: BTreeMap<&'a str, usize>,
    /// Where each predicted incident first appears.
    pub(crate) first: BTreeMap<&'a str, usize>,
}

impl<'a> Overlap<'a> {
    fn of(pairs: &[(Option<&'a str>, Option<&'a str>)]) -> Overlap<'a> {
        let mut overlap = Overlap {
            both: BTreeMap::new(),
            truth: BTreeMap::new(),
            answer: BTreeMap::new(),
            first: BTreeMap::new(),
        };
        for (i, (truth, placed)) in pairs.iter().enumerate() {
            if let Some(truth) = truth {
                *overlap.truth.entry(truth).or_default() += 1;
            }
            if let Some(placed) = placed {
                *overlap.answer.entry(placed).or_default() += 1;
                overlap.first.entry(placed).or_insert(i);
            }
            if let (Some(truth), Some(placed)) = (truth, placed) {
                *overlap.both.entry((truth, placed)).or_default() += 1;
            }
        }
        overlap
    }

    /// For each true incident the predicted one that holds most of it; of equally large ones the first.
    pub(crate) fn homes(&self) -> BTreeMap<&'a str, &'a str> {
        let mut best: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
        for (&(truth, placed), &n) in &self.both {
            let better =
                |(m, other): (usize, &str)| n > m || (n == m && self.first[placed] < self.first[other]);
            if best.get(truth).is_none_or(|known| better(*known)) {
                best.insert(truth, (n, placed));
            }
        }
        best.into_iter()
            .map(|(truth, (_, placed))| (truth, placed))
            .collect()
    }

    fn recovered(&self) -> Recovered {
        let mut best: BTreeMap<&str, f64> = BTreeMap::new();
        let mut fragments: BTreeMap<&str, usize> = BTreeMap::new();
        let mut merged: BTreeMap<&str, usize> = BTreeMap::new();
        let mut matched = 0;
        for (&(truth, placed), &n) in &self.both {
            let jaccard = ratio(n, self.truth[truth] + self.answer[placed] - n);
            let known = best.entry(truth).or_default();
            *known = known.max(jaccard);
            matched += usize::from(jaccard > 0.5);
            *fragments.entry(truth).or_default() += 1;
            *merged.entry(placed).or_default() += 1;
        }
        let recovered = best.values().filter(|jaccard| **jaccard > 0.5).count();
        let (precision, recall) = (
            ratio(matched, self.answer.len()),
            ratio(recovered, self.truth.len()),
        );
        Recovered {
            true_incidents: self.truth.len(),
            pred_incidents: self.answer.len(),
            recovered,
            precision,
            recall,
            f1: f1(precision, recall),
            mean_best_jaccard: if self.truth.is_empty() {
                0.0
            } else {
                // The sum of nothing has a sign.
                (0.0 + best.values().sum::<f64>()) / self.truth.len() as f64
            },
            missed_entirely: self.truth.len() - fragments.len(),
            fragments_per_true_incident: ratio(self.both.len(), fragments.len()),
            true_per_pred_incident: ratio(self.both.len(), merged.len()),
            noise_only_pred_incidents: self.answer.len() - merged.len(),
        }
    }
}

fn noise(pairs: &[(Option<&str>, Option<&str>)]) -> Noise {
    let noise = pairs.iter().filter(|(truth, _)| truth.is_none()).count();
    let suppressed = pairs.iter().filter(|(_, placed)| placed.is_none()).count();
    let both = pairs
        .iter()
        .filter(|(truth, placed)| truth.is_none() && placed.is_none())
        .count();
    let (precision, recall) = (ratio(both, suppressed), ratio(both, noise));
    Noise {
        noise_alerts: noise,
        suppressed,
        precision,
        recall,
        f1: f1(precision, recall),
        real_lost: ratio(suppressed - both, pairs.len() - noise),
    }
}

pub(crate) fn ratio(a: usize, b: usize) -> f64 {
    if b == 0 { 0.0 } else { a as f64 / b as f64 }
}

pub(crate) fn f1(precision: f64, recall: f64) -> f64 {
    if precision + recall == 0.0 {
        0.0
    } else {
        2.0 * precision * recall / (precision + recall)
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "scored alerts {}, answers matched {}",
            self.scored_alerts, self.pred_lines_matched
        )?;
        for (reason, alerts) in &self.not_scored {
            writeln!(f, "not scored {alerts} ({reason})")?;
        }
        for (name, view) in [("all", &self.all), ("incidents", &self.incidents)] {
            let Some(v) = view else {
                writeln!(f, "{name:10} nothing to score")?;
                continue;
            };
            writeln!(
                f,
                "{name:10} pairs P {:.4} R {:.4} F1 {:.4} | B3 P {:.4} R {:.4} F1 {:.4} | ARI {:.4} | homogeneity {:.4} completeness {:.4} NMI {:.4} | n {}",
                v.pair_precision,
                v.pair_recall,
                v.pair_f1,
                v.bcubed_precision,
                v.bcubed_recall,
                v.bcubed_f1,
                v.ari,
                v.homogeneity,
                v.completeness,
                v.v_measure_nmi,
                v.n
            )?;
        }
        let r = &self.recovered;
        writeln!(
            f,
            "recovered  {}/{} true incidents, P {:.4} R {:.4} F1 {:.4}, best Jaccard {:.4}, missed {}, fragments {:.2}, merged {:.2}, noise-only {}",
            r.recovered,
            r.true_incidents,
            r.precision,
            r.recall,
            r.f1,
            r.mean_best_jaccard,
            r.missed_entirely,
            r.fragments_per_true_incident,
            r.true_per_pred_incident,
            r.noise_only_pred_incidents
        )?;
        let c = &self.compression;
        writeln!(
            f,
            "compress   {} alerts -> {} incidents, {:.2} alerts an incident, reduction {:.4}",
            c.stream_alerts, c.pred_incidents, c.alerts_per_incident, c.reduction
        )?;
        let n = &self.noise;
        write!(
            f,
            "noise      {} noise alerts, suppressed {}, P {:.4} R {:.4} F1 {:.4}, real alerts lost {:.4}",
            n.noise_alerts, n.suppressed, n.precision, n.recall, n.f1, n.real_lost
        )?;
        if let Some(o) = &self.online {
            write!(
                f,
                "\nonline     {:.4} of real alerts reach their incident: median {:.1} s, p95 {:.1} s, at once {:.4}; ids changed per alert {:.4}",
                o.right_share,
                o.time_to_right_median_s,
                o.time_to_right_p95_s,
                o.at_once,
                o.ids_changed_per_alert
            )?;
        }
        if let Some(c) = &self.calibration {
            write!(
                f,
                "\nbelief     {} memberships, right {:.4}, said {:.4}, Brier {:.4}, ECE {:.4}",
                c.memberships, c.right, c.said, c.brier, c.ece
            )?;
        }
        if let Some(root) = &self.root_cause {
            write!(
                f,
                "\ncause      {} incidents, AC@1 {:.4} AC@3 {:.4} AC@5 {:.4} Avg@5 {:.4} MRR {:.4}",
                root.incidents, root.ac_1, root.ac_3, root.ac_5, root.avg_5, root.mrr
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Truth: A A A B B noise noise, and a resolve that is not scored. Answer: x x y y y - x.
    fn worked() -> Score {
        let truth = |id: &str, incident: Option<&str>, resolved: bool| Truth {
            event_id: Some(id.to_owned()),
            incident: incident.map(str::to_owned),
            root: incident.map(|i| format!("root-{i}")),
            resolved,
            ..Truth::default()
        };
        let lines = [
            ("1", Some("A"), "x"),
            ("2", Some("A"), "x"),
            ("3", Some("A"), "y"),
            ("4", Some("B"), "y"),
            ("5", Some("B"), "y"),
            ("6", None, ""),
            ("7", None, "x"),
        ];
        let mut answer = Answer::default();
        let mut events: Vec<Truth> = Vec::new();
        for (id, incident, placed) in lines {
            events.push(truth(id, incident, false));
            answer.place(id, Some(placed.to_owned()).filter(|p| !p.is_empty()));
        }
        events.push(truth("8", Some("A"), true));
        let mut ranked = Ranked::default();
        ranked.rank("x".to_owned(), ["root-A".to_owned()].into_iter());
        ranked.rank(
            "y".to_owned(),
            ["db", "db", "root-B"].map(str::to_owned).into_iter(),
        );
        score(&events, &answer, Some(&ranked), Scope::default())
    }

    #[test]
    fn agrees_with_figures_worked_by_hand() {
        let score = worked();
        let all = score.all.unwrap();
        // Pairs put together: x has 3, y has 3; of these 1 (A in x) and 1 (B in y) belong together; truth has 3 + 1.
        assert_eq!((all.n, all.true_clusters, all.pred_clusters), (7, 4, 3));
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        close(all.pair_precision, 2.0 / 6.0);
        close(all.pair_recall, 2.0 / 4.0);
        close(all.pair_f1, 0.4);
        // B-cubed: per cell n * n over the size of its cluster, over 7 alerts.
        close(
            all.bcubed_precision,
            (4.0 / 3.0 + 1.0 / 3.0 + 4.0 / 3.0 + 1.0 + 1.0 / 3.0) / 7.0,
        );
        close(
            all.bcubed_recall,
            (4.0 / 3.0 + 1.0 / 3.0 + 4.0 / 2.0 + 1.0 + 1.0) / 7.0,
        );
        let by_chance = 4.0 * 6.0 / 21.0;
        close(all.ari, (2.0 - by_chance) / (5.0 - by_chance));
        // Jaccard: A and x share 2 of 4, B and y 2 of 3.
        assert_eq!(
            (
                score.recovered.recovered,
                score.recovered.true_incidents,
                score.recovered.pred_incidents
            ),
            (1, 2, 2)
        );
        close(score.recovered.mean_best_jaccard, (0.5 + 2.0 / 3.0) / 2.0);
        close(score.noise.recall, 0.5);
        close(score.noise.precision, 1.0);
        close(score.compression.alerts_per_incident, 3.0);
        assert_eq!(score.not_scored["resolved"], 1);
        let cause = score.root_cause.unwrap();
        assert_eq!(cause.incidents, 2);
        close(cause.ac_1, 0.5);
        close(cause.ac_3, 1.0);
        close(cause.mrr, (1.0 + 0.5) / 2.0);
    }

    #[test]
    fn a_perfect_answer_has_only_ones() {
        let truth: Vec<Truth> = (0..4)
            .map(|i| Truth {
                event_id: Some(i.to_string()),
                incident: Some((i / 2).to_string()),
                ..Truth::default()
            })
            .collect();
        let mut answer = Answer::default();
        for i in 0..4 {
            answer.place(&i.to_string(), Some(format!("p{}", i / 2)));
        }
        let score = score(&truth, &answer, None, Scope::default());
        let all = score.all.unwrap();
        for figure in [
            all.pair_f1,
            all.bcubed_f1,
            all.ari,
            all.v_measure_nmi,
            score.recovered.f1,
        ] {
            assert!((figure - 1.0).abs() < 1e-12);
        }
        assert!(score.root_cause.is_none());
    }
}
