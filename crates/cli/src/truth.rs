//! Files that say what is true of events, one JSON object a line.

use sim::score::{Keys, Truth};

use crate::{fail::Failure, lines::each_line};

/// The truth of every event, in the order of the stream. A file in which no line says what is true is refused: it would
/// make everything noise.
pub(crate) fn read(file: &str, keys: &Keys) -> Result<Vec<Truth>, Failure> {
    let mut truth = Vec::new();
    each_line(file, |line| Truth::read(line, keys).map(|read| truth.push(read)))?;
    if !truth.is_empty() && !truth.iter().any(|truth| truth.told) {
        return Err(Failure::Wrong(format!(
            "{file}:1: no truth: neither `_truth` nor `{}`, here and on all {} lines; give events that carry `_truth`, what \
             `simulate --truth` writes, or the name of the field (`score --truth-key`)",
            keys.incident,
            truth.len()
        )));
    }
    Ok(truth)
}
