//! Whether a membership that is called likely is right as often as that.
//!
//! A membership is right when the alert's true incident is the one that most of its predicted incident belongs to; a
//! noise alert is a true incident of its own, as in the main view.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Placed, ratio};

/// Bins of equal width for the expected calibration error (Naeini, Cooper and Hauskrecht 2015).
const BINS: usize = 15;

/// How far the probabilities of memberships can be believed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// Memberships with a probability: one for each episode of an alert.
    pub memberships: usize,
    /// Share that is right.
    pub right: f64,
    /// Mean of what was said.
    pub said: f64,
    /// Mean square of the error (Brier 1950).
    pub brier: f64,
    /// Mean over bins of the distance between what was said and what is right, weighted by size.
    pub ece: f64,
    /// By bin: memberships, mean of what was said, share that is right.
    pub bins: Vec<(usize, f64, f64)>,
}

impl Calibration {
    pub(crate) fn of(alerts: &[(Option<&str>, Placed<'_>)]) -> Option<Calibration> {
        Calibration::of_pairs(judged(alerts))
    }

    /// Of probabilities with whether they were right; `None` when there are none.
    pub fn of_pairs(pairs: impl IntoIterator<Item = (f64, bool)>) -> Option<Calibration> {
        let mut bins = [(0_usize, 0.0_f64, 0_usize); BINS];
        let (mut n, mut square) = (0_usize, 0.0);
        for (said, right) in pairs {
            let bin = &mut bins[((said * BINS as f64) as usize).min(BINS - 1)];
            *bin = (bin.0 + 1, bin.1 + said, bin.2 + usize::from(right));
            let error = said - f64::from(u8::from(right));
            square += error * error;
            n += 1;
        }
        if n == 0 {
            return None;
        }
        let total = n as f64;
        let off = |&(_, said, right): &(usize, f64, usize)| libm::fabs(said - right as f64);
        Some(Calibration {
            memberships: n,
            right: ratio(bins.iter().map(|bin| bin.2).sum(), n),
            said: bins.iter().map(|bin| bin.1).sum::<f64>() / total,
            brier: square / total,
            ece: bins.iter().map(off).sum::<f64>() / total,
            bins: bins
                .iter()
                .map(|&(n, said, right)| (n, if n == 0 { 0.0 } else { said / n as f64 }, ratio(right, n)))
                .collect(),
        })
    }
}

/// The probability of each membership that has one, and whether it is right.
fn judged<'a>(alerts: &'a [(Option<&'a str>, Placed<'a>)]) -> impl Iterator<Item = (f64, bool)> + 'a {
    let pairs: Vec<_> = alerts
        .iter()
        .map(|(truth, placed)| (*truth, placed.incident))
        .collect();
    let right = rights(&pairs);
    alerts
        .iter()
        .zip(right)
        .filter_map(|((_, placed), right)| Some((placed.probability?, right?)))
}

/// Whether each alert, by its true and its predicted incident, is where it belongs; `None`: it is in none.
pub fn rights(alerts: &[(Option<&str>, Option<&str>)]) -> Vec<Option<bool>> {
    // For each predicted incident the true one that holds most of it; of equally large ones the first.
    let mut shares: BTreeMap<&str, BTreeMap<&str, (usize, usize)>> = BTreeMap::new();
    let mut first_noise: BTreeMap<&str, usize> = BTreeMap::new();
    for (i, (truth, placed)) in alerts.iter().enumerate() {
        let Some(incident) = placed else { continue };
        match truth {
            Some(truth) => {
                let share = shares.entry(incident).or_default().entry(truth).or_insert((0, i));
                share.0 += 1;
            }
            None => {
                first_noise.entry(incident).or_insert(i);
            }
        }
    }
    let ruling: BTreeMap<&str, &str> = shares
        .into_iter()
        .filter_map(|(incident, shares)| {
            let best = shares
                .into_iter()
                .max_by_key(|(_, (n, first))| (*n, std::cmp::Reverse(*first)))?;
            Some((incident, best.0))
        })
        .collect();
    let right = |(i, (truth, placed)): (usize, &(Option<&str>, Option<&str>))| {
        let incident = (*placed)?;
        Some(match (truth, ruling.get(incident)) {
            (Some(truth), Some(ruling)) => truth == ruling,
            // Noise among noise: each is its own, so only the first is at home.
            (None, None) => first_noise.get(incident) == Some(&i),
            _ => false,
        })
    };
    alerts.iter().enumerate().map(right).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_figures_worked_by_hand() {
        // Two bins: .95 said twice and right once, .10 said twice and never right.
        let c = Calibration::of_pairs([(0.95, true), (0.95, false), (0.10, false), (0.10, false)]).unwrap();
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        close(c.ece, (2.0 * 0.45 + 2.0 * 0.10) / 4.0);
        close(c.brier, (0.05 * 0.05 + 0.95 * 0.95 + 2.0 * 0.01) / 4.0);
        close(c.right, 0.25);
        close(c.said, 2.1 / 4.0);
        assert!(Calibration::of_pairs([]).is_none());
    }

    #[test]
    fn a_membership_is_right_where_most_of_its_incident_belongs() {
        let placed = |incident, probability| Placed {
            incident: Some(incident),
            probability: Some(probability),
            ..Placed::default()
        };
        let alerts = [
            (Some("A"), placed("x", 0.9)),
            (Some("A"), placed("x", 0.9)),
            (Some("B"), placed("x", 0.2)),
            (None, placed("x", 0.3)),
            (None, placed("y", 0.6)),
            (None, placed("y", 0.6)),
            (None, Placed::default()),
        ];
        let found: Vec<bool> = judged(&alerts).map(|(_, right)| right).collect();
        assert_eq!(found, [true, true, false, false, true, false]);
    }
}
