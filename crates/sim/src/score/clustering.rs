//! Figures of one clustering against another: pairs, B-cubed, adjusted Rand, entropies.

use std::collections::BTreeMap;

use serde::Serialize;

use super::f1;

/// Figures of a predicted clustering against the true one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Clustering {
    /// Alerts.
    pub n: usize,
    /// True clusters, single noise alerts included.
    pub true_clusters: usize,
    /// Predicted clusters, single suppressed alerts included.
    pub pred_clusters: usize,
    /// Of the pairs put together, those that belong together.
    pub pair_precision: f64,
    /// Of the pairs that belong together, those put together.
    pub pair_recall: f64,
    /// Their harmonic mean.
    pub pair_f1: f64,
    /// Rand index, adjusted for chance (Hubert and Arabie 1985).
    pub ari: f64,
    /// 1 when every predicted cluster holds one true cluster only.
    pub homogeneity: f64,
    /// 1 when every true cluster lies in one predicted cluster.
    pub completeness: f64,
    /// Their harmonic mean, which is the arithmetic NMI.
    pub v_measure_nmi: f64,
    /// Mean over alerts of the share of its predicted cluster that belongs with it.
    pub bcubed_precision: f64,
    /// Mean over alerts of the share of its true cluster that is with it.
    pub bcubed_recall: f64,
    /// Their harmonic mean.
    pub bcubed_f1: f64,
}

/// A cluster: an incident, or the single alert that stands in none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Label<'a> {
    Incident(&'a str),
    Single(usize),
}

impl Clustering {
    /// Of alerts with their true and predicted incident; `None` when there are no alerts.
    pub fn of<'a>(alerts: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>) -> Option<Clustering> {
        let mut both: BTreeMap<(Label<'_>, Label<'_>), usize> = BTreeMap::new();
        let mut truth: BTreeMap<Label<'_>, usize> = BTreeMap::new();
        let mut answer: BTreeMap<Label<'_>, usize> = BTreeMap::new();
        let mut n = 0;
        for (i, (t, a)) in alerts.enumerate() {
            let label = |incident: Option<&'a str>| incident.map_or(Label::Single(i), Label::Incident);
            *both.entry((label(t), label(a))).or_default() += 1;
            *truth.entry(label(t)).or_default() += 1;
            *answer.entry(label(a)).or_default() += 1;
            n += 1;
        }
        if n == 0 {
            return None;
        }
        let total = n as f64;
        let together: f64 = both.values().map(|n| pairs(*n)).sum();
        let (true_pairs, pred_pairs): (f64, f64) = (
            truth.values().map(|n| pairs(*n)).sum(),
            answer.values().map(|n| pairs(*n)).sum(),
        );
        let pair_precision = if pred_pairs > 0.0 {
            together / pred_pairs
        } else {
            1.0
        };
        let pair_recall = if true_pairs > 0.0 {
            together / true_pairs
        } else {
            1.0
        };
        let ari = if together == true_pairs && true_pairs == pred_pairs {
            1.0
        } else {
            let by_chance = true_pairs * pred_pairs / pairs(n);
            (together - by_chance) / ((true_pairs + pred_pairs) / 2.0 - by_chance)
        };
        let entropy = |counts: &BTreeMap<Label<'_>, usize>| -> f64 {
            -counts
                .values()
                .map(|n| *n as f64 / total * libm::log(*n as f64 / total))
                .sum::<f64>()
        };
        let (true_entropy, pred_entropy) = (entropy(&truth), entropy(&answer));
        let mut mutual = 0.0;
        let (mut bcubed_precision, mut bcubed_recall) = (0.0, 0.0);
        for ((t, a), n) in &both {
            let (n, of_true, of_pred) = (*n as f64, truth[t] as f64, answer[a] as f64);
            mutual += n / total * libm::log(total * n / (of_true * of_pred));
            bcubed_precision += n * n / of_pred;
            bcubed_recall += n * n / of_true;
        }
        let share = |entropy: f64| {
            if entropy == 0.0 {
                1.0
            } else {
                (mutual / entropy).max(0.0)
            }
        };
        let (homogeneity, completeness) = (share(true_entropy), share(pred_entropy));
        let (bcubed_precision, bcubed_recall) = (bcubed_precision / total, bcubed_recall / total);
        Some(Clustering {
            n,
            true_clusters: truth.len(),
            pred_clusters: answer.len(),
            pair_precision,
            pair_recall,
            pair_f1: f1(pair_precision, pair_recall),
            ari,
            homogeneity,
            completeness,
            v_measure_nmi: f1(homogeneity, completeness),
            bcubed_precision,
            bcubed_recall,
            bcubed_f1: f1(bcubed_precision, bcubed_recall),
        })
    }
}

/// Pairs among `n` things.
fn pairs(n: usize) -> f64 {
    n as f64 * (n as f64 - 1.0) / 2.0
}
