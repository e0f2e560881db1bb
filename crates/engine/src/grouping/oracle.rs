//! The slow oracle: what a scan of every open incident would find for an alert. Candidates come from bounded indexes;
//! this says how often they miss the best one. Only with `Settings::oracle`, for tests and for who changes an index.

use model::IncidentId;
use topology::NodeId;

use crate::{engine::Engine, fold::Fold, grouping::pending::Pending};

impl Engine {
    /// Counts whether the best of all open incidents is among the candidates.
    pub(crate) fn look_everywhere(
        &mut self,
        p: &Pending,
        candidates: &[IncidentId],
        near: Option<&[NodeId]>,
        reach: f64,
        fold: &Fold<'_>,
    ) {
        let Some(alert) = self.alerts.get(&p.alert) else {
            return;
        };
        let spot = &alert.spot;
        let open: Vec<IncidentId> = self
            .open
            .iter()
            .filter(|id| {
                self.incidents.get(id).is_some_and(|state| {
                    let related = state.system == spot.system || state.place(&spot.entity).is_some();
                    related && !state.background && self.fits(**id, state, alert, near, p.t, reach, fold)
                })
            })
            .copied()
            .collect();
        if open.is_empty() {
            return;
        }
        let (best, _, _) = self.best(p, &open, fold);
        self.meta.books.sought += 1;
        self.meta.books.found += u64::from(candidates.contains(&best));
    }
}
