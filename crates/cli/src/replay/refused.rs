//! Lines that were refused: counted by reason, the first ones reported at once, all of them written on request.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Serialize;
use wire::Rejection;

use crate::{
    fail::{Done, Failure},
    terminal,
};

use super::outputs::Sink;

/// So many refused lines are reported one by one.
const REPORTED_MAX: u64 = 10;
/// So many reasons are counted apart; the rest is counted together.
const REASONS_MAX: usize = 32;

pub(super) struct Refused {
    sink: Option<Sink>,
    count: u64,
    reasons: BTreeMap<String, u64>,
    quiet: bool,
}

#[derive(Serialize)]
struct Record<'a> {
    origin: String,
    reason: &'a str,
    stage: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    original_base64: Option<String>,
}

impl Refused {
    pub(super) fn create(out: Option<&str>, quiet: bool) -> Result<Refused, Failure> {
        Ok(Refused {
            sink: out.map(Sink::create).transpose()?,
            count: 0,
            reasons: BTreeMap::new(),
            quiet,
        })
    }

    /// Takes one refused line.
    pub(super) fn add(&mut self, file: &str, line: u64, bytes: &[u8], rejection: &Rejection) -> Done {
        self.count += 1;
        let reason = format!("{}: {}", rejection.stage.as_str(), rejection.reason);
        if self.reasons.len() < REASONS_MAX || self.reasons.contains_key(&reason) {
            *self.reasons.entry(reason).or_default() += 1;
        } else {
            *self.reasons.entry("other reasons".to_owned()).or_default() += 1;
        }
        if !self.quiet && self.count <= REPORTED_MAX {
            terminal::say(&format!(
                "{}:{line}: {}",
                terminal::safe(file),
                terminal::safe(&rejection.to_string())
            ));
            if self.count == REPORTED_MAX {
                terminal::say("further refused lines are only counted; --deadletters writes all of them");
            }
        }
        let Some(sink) = &mut self.sink else { return Ok(()) };
        let original = std::str::from_utf8(bytes).ok();
        let record = Record {
            origin: format!("{file}:{line}"),
            reason: &rejection.reason,
            stage: rejection.stage.as_str(),
            path: rejection.path.as_deref(),
            offset: rejection.offset,
            source: rejection.source.as_deref(),
            original,
            original_base64: original.is_none().then(|| BASE64_STANDARD.encode(bytes)),
        };
        sink.line(&serde_json::to_vec(&record).expect("a record of text and numbers is JSON"))
    }

    pub(super) fn finish(&mut self) -> Done {
        self.sink.as_mut().map_or(Ok(()), Sink::flush)
    }
    pub(super) fn count(&self) -> u64 {
        self.count
    }
    /// Reasons, the most frequent first.
    pub(super) fn reasons(&self) -> Vec<(&str, u64)> {
        let mut reasons: Vec<_> = self.reasons.iter().map(|(r, n)| (r.as_str(), *n)).collect();
        reasons.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        reasons
    }
}
