//! How soon an alert is where it belongs, and how often it was said to be elsewhere before.

use serde::Serialize;

use super::{Overlap, Placed, ratio};

/// How soon, and after how many changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Online {
    /// Alerts of true incidents that end up in the predicted incident that holds most of theirs.
    pub right: usize,
    /// Their share of the alerts of true incidents.
    pub right_share: f64,
    /// Seconds from arrival until they are there for good, median.
    pub time_to_right_median_s: f64,
    /// 95th percentile.
    pub time_to_right_p95_s: f64,
    /// Share of them that are there at once.
    pub at_once: f64,
    /// Times that an alert was said to be in another incident before, per alert.
    pub ids_changed_per_alert: f64,
}

impl Online {
    /// `None` when the answer was made without times.
    pub(crate) fn of(alerts: &[(Option<&str>, Placed<'_>)], overlap: &Overlap<'_>) -> Option<Online> {
        if alerts.iter().all(|(_, placed)| placed.probability.is_none()) {
            return None;
        }
        let home = overlap.homes();
        let real = alerts.iter().filter(|(truth, _)| truth.is_some()).count();
        let mut times: Vec<f64> = alerts
            .iter()
            .filter(|(truth, placed)| truth.is_some_and(|t| home.get(t).copied() == placed.incident))
            .map(|(_, placed)| placed.settled_s)
            .collect();
        times.sort_by(f64::total_cmp);
        let moves: u64 = alerts.iter().map(|(_, placed)| placed.moves).sum();
        Some(Online {
            right: times.len(),
            right_share: ratio(times.len(), real),
            time_to_right_median_s: quantile(&times, 0.5),
            time_to_right_p95_s: quantile(&times, 0.95),
            at_once: ratio(times.iter().filter(|s| **s == 0.0).count(), times.len()),
            ids_changed_per_alert: ratio(moves as usize, alerts.len()),
        })
    }
}

/// The smallest value that at least this share of the sorted values does not exceed.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = libm::ceil(share * sorted.len() as f64) as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occurred() {
        assert_eq!(quantile(&[0.0, 1.0, 2.0, 10.0], 0.5), 1.0);
        assert_eq!(quantile(&[0.0, 1.0, 2.0, 10.0], 0.95), 10.0);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }

    #[test]
    fn only_alerts_that_arrive_at_home_have_a_time() {
        let placed = |incident, settled_s, moves| Placed {
            incident: Some(incident),
            settled_s,
            moves,
            probability: Some(0.9),
        };
        let alerts = [
            (Some("A"), placed("x", 0.0, 0)),
            (Some("A"), placed("x", 10.0, 1)),
            (Some("A"), placed("y", 99.0, 0)),
            (None, placed("y", 7.0, 1)),
        ];
        let pairs: Vec<_> = alerts.iter().map(|(t, p)| (*t, p.incident)).collect();
        let online = Online::of(&alerts, &Overlap::of(&pairs)).expect("there are times");
        assert_eq!((online.right, online.time_to_right_p95_s), (2, 10.0));
        assert!((online.ids_changed_per_alert - 0.5).abs() < 1e-12);
        assert!((online.at_once - 0.5).abs() < 1e-12);
    }
}
