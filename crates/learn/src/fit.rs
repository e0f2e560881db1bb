//! The weights of a membership's grounds, from labels: a logistic regression without an intercept (how an alert was placed
//! is one of seven grounds), then Platt's two parameters on memberships that the regression has not seen, multiplied
//! into the weights. A ground that would pull the other way than its meaning says is left out: the probability has to be
//! monotone for reasons that hold elsewhere too, not because of what a few streams had in common.
//!
//! J. Platt, Probabilistic outputs for support vector machines (1999); Lin, Lin and Weng, A note on Platt's
//! probabilistic outputs (2007).

use engine::{Belief, Grounds};
use linfa::{
    ParamGuard,
    composing::platt_scaling::{Platt, PlattError, platt_newton_method},
    dataset::Dataset,
    traits::Fit,
};
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2, Axis};
use sim::score::Calibration;

use crate::Labelled;

/// Why nothing was fitted.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// Too few memberships, or all of them right, or all wrong.
    #[error("{right} right and {wrong} wrong memberships; at least {least} of each are needed")]
    Few {
        /// Right ones.
        right: usize,
        /// Wrong ones.
        wrong: usize,
        /// How many are needed.
        least: usize,
    },
    /// The regression failed.
    #[error("the regression failed: {0}")]
    Regression(#[from] linfa_logistic::error::Error),
    /// Platt's scaling failed.
    #[error("Platt's scaling failed: {0}")]
    Scaling(#[from] PlattError),
}

/// How well probabilities hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// As `score` prints it.
    pub calibration: Calibration,
    /// Mean negative log-likelihood of what was right and what was not.
    pub log_loss: f64,
}

/// Memberships of either kind without which nothing is fitted; two parameters need some dozens.
const LEAST: usize = 30;
/// Strength of the ridge on the weights: that of one observation, as long as there are thousands.
const RIDGE: f64 = 1.0;
/// Memberships of one stream that are looked at, evenly over its length.
const STREAM_MAX: usize = 400;
const KINDS: usize = 7;
/// Left out: what stands in the day's background is related to nothing there, by what that list is, and how much of one
/// list a fault happens to rule says nothing about the next.
const BACKGROUND: usize = 5;
const N: usize = Belief::NAMES.len();

/// In which direction each ground pulls, by its meaning; 0: how an alert was placed may pull either way.
const SIGNS: [f64; N] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,  // how it was placed
    -1.0, // habit: what often comes alone has often nothing to do with the others
    -1.0, // lone: where much comes alone, more does
    -1.0, // bare: the less is known of a place, the less is known of what belongs there
    -1.0, // hops
    -1.0, // rival
    1.0,  // activity
    -1.0, // age
    1.0,  // known
];

/// Fits weights to the memberships of some streams: the regression to the first two thirds of each, the scaling to the
/// last.
pub fn fit(streams: &[Vec<Labelled>]) -> Result<Belief, FitError> {
    let (mut learn, mut scale): (Vec<&Labelled>, Vec<&Labelled>) = (Vec::new(), Vec::new());
    for stream in streams {
        let known: Vec<&Labelled> = stream.iter().filter(|m| m.grounds[BACKGROUND] == 0.0).collect();
        // No stream counts for more than another because it is long.
        let step = known.len().div_ceil(STREAM_MAX).max(1);
        let (first, last) = known.split_at(known.len() * 2 / 3);
        learn.extend(first.iter().step_by(step));
        scale.extend(last.iter().step_by(step));
    }
    for part in [&learn, &scale] {
        let right = part.iter().filter(|m| m.right).count();
        let wrong = part.len() - right;
        if right.min(wrong) < LEAST {
            return Err(FitError::Few {
                right,
                wrong,
                least: LEAST,
            });
        }
    }
    let mut used: Vec<usize> = (0..N).collect();
    let weights = loop {
        let weights = regression(&learn, &used)?;
        // One at a time, the strangest first: the others may right themselves without it.
        let strange = (0..N)
            .filter(|i| SIGNS[*i] * weights[*i] < 0.0)
            .max_by(|a, b| weights[*a].abs().total_cmp(&weights[*b].abs()));
        match strange {
            Some(strange) => used.retain(|i| *i != strange),
            None => break weights,
        }
    };
    let (slope, offset) = platt(&scale, &weights)?;
    let mut scaled = weights.map(|w| w * slope);
    for kind in &mut scaled[..KINDS] {
        *kind += offset;
    }
    scaled[BACKGROUND] = Belief::default().background;
    Ok(Belief::of(&scaled.map(rounded)))
}

/// Weights of the used grounds; 0 for the others.
fn regression(rows: &[&Labelled], used: &[usize]) -> Result<Grounds, FitError> {
    let grounds = matrix(rows).select(Axis(1), used);
    let right: Array1<bool> = rows.iter().map(|m| m.right).collect();
    let model = LogisticRegression::default()
        .alpha(RIDGE)
        .with_intercept(false)
        .max_iterations(1_000)
        .fit(&Dataset::new(grounds, right))?;
    // linfa calls the larger class positive.
    let sign = if model.labels().pos.class { 1.0 } else { -1.0 };
    let mut weights = [0.0; N];
    for (i, weight) in used.iter().zip(model.params()) {
        weights[*i] = sign * weight;
    }
    Ok(weights)
}

/// Slope and offset of the log-odds that fit best.
fn platt(rows: &[&Labelled], weights: &Grounds) -> Result<(f64, f64), FitError> {
    let odds = matrix(rows).dot(&Array1::from(weights.to_vec()));
    let right: Array1<bool> = rows.iter().map(|m| m.right).collect();
    let params = Platt::<f64, ()>::params().check()?;
    let (a, b) = platt_newton_method(odds.view(), right.view(), &params)?;
    // linfa's sigmoid is 1 / (1 + exp(a x + b)).
    Ok((-a, -b))
}

/// `n_memberships × n_grounds`.
fn matrix(rows: &[&Labelled]) -> Array2<f64> {
    Array2::from_shape_fn((rows.len(), N), |(i, j)| rows[i].grounds[j])
}

/// Two decimals say all that there is to say.
fn rounded(weight: f64) -> f64 {
    libm::round(weight * 100.0) / 100.0
}

/// How well a belief holds on memberships; `None` when there are none.
pub fn calibration<'a>(
    rows: impl IntoIterator<Item = &'a Labelled>,
    belief: Option<&Belief>,
) -> Option<Figures> {
    let pairs: Vec<(f64, bool)> = rows
        .into_iter()
        .map(|m| {
            (
                belief.map_or(m.said, |belief| belief.probability(&m.grounds)),
                m.right,
            )
        })
        .collect();
    let loss = |(said, right): &(f64, bool)| {
        let p = said.clamp(0.001, 0.999);
        -libm::log(if *right { p } else { 1.0 - p })
    };
    let log_loss = pairs.iter().map(loss).sum::<f64>() / pairs.len().max(1) as f64;
    Some(Figures {
        calibration: Calibration::of_pairs(pairs)?,
        log_loss,
    })
}
