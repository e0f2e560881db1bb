//! Files that a command is to write must not be those that it reads, nor one another: either would be lost.

use std::path::PathBuf;

use crate::fail::{Done, Failure};

/// Refuses outputs that are the same file as another one or as an input. Each goes with its option.
pub(crate) fn apart(outputs: &[(&str, Option<&str>)], inputs: &[&str]) -> Done {
    let outputs: Vec<_> = outputs
        .iter()
        .filter_map(|(option, name)| Some((*option, (*name)?)))
        .collect();
    for (i, (option, name)) in outputs.iter().enumerate() {
        if let Some((other, _)) = outputs[..i].iter().find(|(_, other)| is_one(name, other)) {
            return Err(Failure::Wrong(format!(
                "{name} is named by {other} and by {option}; each is written to a file of its own"
            )));
        }
        if inputs.iter().any(|input| *input != "-" && is_one(name, input)) {
            return Err(Failure::Wrong(format!(
                "{option} {name}: this file is read; name another one, else it would be overwritten"
            )));
        }
    }
    Ok(())
}

/// Whether two names mean one file. Devices may be written to twice: nothing is lost there.
fn is_one(a: &str, b: &str) -> bool {
    let real = |name: &str| std::fs::canonicalize(name).unwrap_or_else(|_| PathBuf::from(name));
    (a == b || real(a) == real(b)) && std::fs::metadata(a).map_or(true, |file| file.is_file())
}
