//! Files that say what is true of events, one JSON object a line.

use sim::score::{Keys, Truth};

use crate::{fail::Failure, lines::each_line};

/// The truth of every event, in the order of the stream.
pub(crate) fn read(file: &str, keys: &Keys) -> Result<Vec<Truth>, Failure> {
    let mut truth = Vec::new();
    each_line(file, |line| Truth::read(line, keys).map(|read| truth.push(read)))?;
    Ok(truth)
}
