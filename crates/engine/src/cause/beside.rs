//! Who stands behind the first-ranked cause.
//!
//! An incident may hold two faults, and whoever looks at the second name has found the first one innocent or is not done.
//! What explains the same symptoms as the first and a little less is a poor second guess. So the further places go to
//! whoever is the most probable cause alone, or beside the first, for what that leaves unexplained.

use std::collections::BTreeMap;

use super::{
    AlertKind, Entity,
    rank::{Scored, Standing, heard, wave},
    symptoms::Group,
    weights::SECOND,
};

/// Puts the entities behind the first into the order in which they are named.
pub(super) fn order(
    scored: &mut [Scored],
    standings: &BTreeMap<Entity, Standing>,
    groups: &[Group],
    sharpness: f64,
) {
    let Some((first, rest)) = scored.split_first_mut() else {
        return;
    };
    let explained = Explained::by(&standings[&first.entity], groups);
    let worth = |s: &Scored| {
        let standing = &standings[&s.entity];
        let beside = standing.bare + sharpness * explained.left(standing);
        s.probability + first.probability * SECOND * libm::exp(beside)
    };
    let mut worths: Vec<(f64, Scored)> = rest.iter().map(|s| (worth(s), s.clone())).collect();
    // Stable, so equals stay in the order of their probabilities and names.
    worths.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (place, (_, s)) in rest.iter_mut().zip(worths) {
        *place = s;
    }
}

/// What the first-ranked explains.
struct Explained<'a> {
    groups: &'a [Group],
    /// Probability of each group of symptoms.
    q: Vec<f64>,
    /// Nats gained by each wave.
    waves: BTreeMap<AlertKind, f64>,
}

impl<'a> Explained<'a> {
    fn by(first: &Standing, groups: &'a [Group]) -> Explained<'a> {
        let mut q = vec![0.0; groups.len()];
        let mut waves: BTreeMap<AlertKind, f64> = BTreeMap::new();
        for (g, link) in &first.links {
            q[*g] = link.q;
            if let Some(wave) = wave(groups[*g].kind) {
                *waves.entry(wave).or_default() += groups[*g].gain(link);
            }
        }
        Explained { groups, q, waves }
    }

    /// Log-likelihood that one more gains: of two causes either may bring a symptom about.
    fn left(&self, standing: &Standing) -> f64 {
        let mut alone = 0.0;
        let mut waves: BTreeMap<AlertKind, f64> = BTreeMap::new();
        for (g, link) in &standing.links {
            let (group, q) = (&self.groups[*g], self.q[*g]);
            let more = group.nats(1.0 - (1.0 - q) * (1.0 - link.q)) - group.nats(q);
            match wave(group.kind) {
                Some(wave) => *waves.entry(wave).or_default() += more,
                None => alone += more,
            }
        }
        let further = waves.into_iter().map(|(wave, more)| {
            let before = self.waves.get(&wave).copied().unwrap_or(0.0);
            heard(before + more) - heard(before)
        });
        alone + further.sum::<f64>()
    }
}
