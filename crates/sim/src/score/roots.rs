//! How high the true cause ranks, in the predicted incident that holds most of the true incident's alerts.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Overlap, Ranked};

/// Deepest rank that is looked at.
const RANKS: usize = 5;

/// How high the true cause ranks. An incident that nothing was predicted for is a miss.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RootCause {
    /// True incidents with a known cause.
    pub incidents: usize,
    /// Share whose cause ranks first.
    #[serde(rename = "AC@1")]
    pub ac_1: f64,
    /// Share whose cause is among the first three.
    #[serde(rename = "AC@3")]
    pub ac_3: f64,
    /// Share whose cause is among the first five.
    #[serde(rename = "AC@5")]
    pub ac_5: f64,
    /// Mean of AC@1 to AC@5.
    #[serde(rename = "Avg@5")]
    pub avg_5: f64,
    /// Mean of 1 / rank.
    #[serde(rename = "MRR")]
    pub mrr: f64,
}

impl RootCause {
    pub(crate) fn of(roots: &BTreeMap<&str, &str>, overlap: &Overlap<'_>, ranked: &Ranked) -> RootCause {
        let homes = overlap.homes();
        let mut hits = [0_usize; RANKS];
        let mut reciprocal = 0.0;
        for (truth, wanted) in roots {
            let names = homes
                .get(truth)
                .map(|placed| ranked.of(placed))
                .unwrap_or_default();
            if let Some(rank) = names.iter().position(|name| name == wanted) {
                reciprocal += 1.0 / (rank + 1) as f64;
                for hit in hits.iter_mut().skip(rank) {
                    *hit += 1;
                }
            }
        }
        let n = roots.len();
        let share = |hits: usize| super::ratio(hits, n);
        RootCause {
            incidents: n,
            ac_1: share(hits[0]),
            ac_3: share(hits[2]),
            ac_5: share(hits[4]),
            avg_5: hits.iter().map(|h| share(*h)).sum::<f64>() / RANKS as f64,
            mrr: if n == 0 { 0.0 } else { reciprocal / n as f64 },
        }
    }
}
