//! linfa's DBSCAN over time, place and words: what a general clustering makes of a whole stream at once.
//!
//! One observation per run of a symptom (a place with a title; a run ends after a minute of silence), for a density is
//! of things that began, not of how often a tool says so. An observation is `[time / 120 s, place, words]`; place and
//! words are folded into a few dimensions by the signs of hashes (Weinberger et al., Feature hashing for large scale
//! multitask learning, 2009), so that equal ones coincide and different ones are about as far apart as two minutes.
//! Two are neighbours within a distance of 1. What has no neighbour is noise, and muted.

use std::collections::BTreeMap;

use linfa::traits::Transformer;
use linfa_clustering::Dbscan;
use model::Hash128;
use ndarray::Array2;

use super::naive::Row;

/// Seconds that count as one unit of distance: half of what the plain windows wait.
const UNIT_S: f64 = 120.0;
/// Silence after which a symptom begins anew, in seconds.
const RUN_S: f64 = 60.0;
const PLACE_DIMS: usize = 4;
const WORD_DIMS: usize = 4;
/// Length of the vectors of place and words: two places differ by .7 on average, two texts by half of that, so that the
/// same moment outweighs either and not both.
const PLACE_WEIGHT: f64 = 0.5;
const WORD_WEIGHT: f64 = 0.25;
/// Observations around one, itself included, that make it the core of an incident.
const CORE: usize = 2;
const REACH: f64 = 1.0;

/// The incident of each row; `None`: noise.
pub fn dbscan(rows: &[Row]) -> Vec<Option<String>> {
    let mut runs: BTreeMap<(&str, &str), (f64, usize)> = BTreeMap::new();
    let mut begins: Vec<&Row> = Vec::new();
    let run_of: Vec<usize> = rows
        .iter()
        .map(|row| {
            let known = runs.get(&(row.place.as_str(), row.title.as_str())).copied();
            // A recovery belongs to the run that it ends, however long that was silent.
            let number = known
                .filter(|(last, _)| row.resolved || row.at_s - last <= RUN_S)
                .map_or(begins.len(), |(_, number)| number);
            if number == begins.len() {
                begins.push(row);
            }
            runs.insert((&row.place, &row.title), (row.at_s, number));
            number
        })
        .collect();
    let origin = begins.first().map_or(0.0, |row| row.at_s);
    let mut observations = Array2::zeros((begins.len(), 1 + PLACE_DIMS + WORD_DIMS));
    for (mut line, row) in observations.rows_mut().into_iter().zip(&begins) {
        line[0] = (row.at_s - origin) / UNIT_S;
        let title = model::template(&row.title);
        let place = folded(&[&row.place], PLACE_DIMS, PLACE_WEIGHT);
        let words: Vec<&str> = title.split_whitespace().collect();
        let words = folded(&words, WORD_DIMS, WORD_WEIGHT);
        for (cell, value) in line.iter_mut().skip(1).zip(place.into_iter().chain(words)) {
            *cell = value;
        }
    }
    let found = Dbscan::params(CORE)
        .tolerance(REACH)
        .transform(&observations)
        .expect("two observations and a distance of 1 are valid");
    run_of
        .into_iter()
        .map(|run| found[run].map(|number| number.to_string()))
        .collect()
}

/// Words as a vector of a fixed length.
fn folded(words: &[&str], dims: usize, length: f64) -> Vec<f64> {
    let mut vector = vec![0.0; dims];
    for word in words {
        let hash = Hash128::new("word").part(word.as_bytes()).finish();
        for (i, cell) in vector.iter_mut().enumerate() {
            // 16 bits for each dimension, from −1 to 1.
            let bits = (hash >> (16 * i)) as u16;
            *cell += f64::from(bits) / f64::from(u16::MAX) * 2.0 - 1.0;
        }
    }
    let norm = libm::sqrt(vector.iter().map(|v| v * v).sum::<f64>());
    if norm > 0.0 {
        vector.iter_mut().for_each(|v| *v *= length / norm);
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at_s: f64, place: &str) -> Row {
        Row {
            at_s,
            place: place.to_owned(),
            title: "HighErrorRate".to_owned(),
            scope: String::new(),
            resolved: false,
        }
    }

    #[test]
    fn what_begins_together_is_together_and_what_is_alone_is_noise() {
        let rows = [
            row(0.0, "web"),
            row(10.0, "web"),
            row(20.0, "api"),
            row(3_600.0, "web"),
            row(9_000.0, "api"),
            row(9_030.0, "api"),
            row(9_050.0, "db"),
        ];
        let placed = dbscan(&rows);
        assert_eq!(placed[0], placed[1]);
        assert_eq!(placed[0], placed[2]);
        assert_eq!(placed[3], None);
        assert_eq!(placed[4], placed[6]);
        assert_ne!(placed[0], placed[4]);
        assert!(dbscan(&[]).is_empty());
    }
}
