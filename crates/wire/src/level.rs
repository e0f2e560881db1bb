//! The sender's word for a severity becomes one of six levels; the word itself is kept beside it.

use model::Severity;

/// The level of a word that means the same nearly everywhere; `None` when it says nothing we know.
///
/// Numbers are left to the sources, because 1 is the worst in one tool and the mildest in the next.
pub fn word(text: &str) -> Option<Severity> {
    use Severity::{Critical, Error, Info, Notice, Unknown, Warning};
    Some(match crate::lower::trimmed(text, &mut [0; 16])? {
        b"critical" | b"crit" | b"fatal" | b"emergency" | b"emerg" | b"panic" | b"disaster" | b"blocker"
        | b"page" | b"catastrophic" | b"severe" | b"alert" | b"p1" | b"p0" | b"sev0" | b"sev1" | b"sev-1"
        | b"sev-0" | b"highest" | b"urgent" | b"very high" | b"s1" | b"red" | b"*****" => Critical,
        b"error" | b"err" | b"high" | b"major" | b"failure" | b"failed" | b"p2" | b"sev2" | b"sev-2"
        | b"s2" | b"down" | b"orange" | b"****" => Error,
        b"warning" | b"warn" | b"medium" | b"moderate" | b"minor" | b"average" | b"degraded" | b"p3"
        | b"sev3" | b"sev-3" | b"s3" | b"attention" | b"yellow" | b"***" => Warning,
        b"notice" | b"low" | b"p4" | b"sev4" | b"sev-4" | b"s4" | b"lowest" | b"trivial" | b"**" => Notice,
        b"info" | b"information" | b"informational" | b"debug" | b"trace" | b"verbose" | b"ok"
        | b"normal" | b"clear" | b"cleared" | b"p5" | b"sev5" | b"none" | b"s5" | b"success"
        | b"resolved" | b"healthy" | b"green" | b"*" => Info,
        b"unknown" | b"indeterminate" | b"undefined" | b"not classified" => Unknown,
        _ => return None,
    })
}

/// The level of our own name.
pub(crate) fn ours(name: &str) -> Option<Severity> {
    Severity::ALL.into_iter().find(|s| s.as_str() == name)
}

/// Syslog's eight levels <https://www.rfc-editor.org/rfc/rfc5424#section-6.2.1>, by their words and ours.
pub fn syslog(code: u8) -> (Severity, &'static str) {
    match code {
        0 => (Severity::Critical, "emerg"),
        1 => (Severity::Critical, "alert"),
        2 => (Severity::Critical, "crit"),
        3 => (Severity::Error, "err"),
        4 => (Severity::Warning, "warning"),
        5 => (Severity::Notice, "notice"),
        6 => (Severity::Info, "info"),
        _ => (Severity::Info, "debug"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_any_case() {
        assert_eq!(word(" CRIT "), Some(Severity::Critical));
        assert_eq!(word("Warn"), Some(Severity::Warning));
        assert_eq!(word("average"), Some(Severity::Warning));
        assert_eq!(word("1"), None);
        assert_eq!(word("a very long word indeed"), None);
    }
}
