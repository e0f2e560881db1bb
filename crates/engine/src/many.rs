//! Numbers of things as one says them: 1 hop, 2 hops.

/// `n` of what `one` is one of.
pub(crate) fn many(n: impl Into<u64>, one: &str) -> String {
    match n.into() {
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    }
}
