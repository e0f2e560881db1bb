//! What `replay` says at the end, on standard error.

use std::time::Duration;

use crate::terminal::{safe, say};

use super::{feed::Feed, refused::Refused};

pub(super) fn print(feed: &Feed, refused: &Refused, elapsed: Duration) {
    let books = feed.books();
    let seconds = elapsed.as_secs_f64().max(1e-6);
    say(&format!(
        "{} lines, {} events in {seconds:.2} s ({:.0} events/s)",
        number(feed.lines()),
        number(books.events),
        books.events as f64 / seconds
    ));
    say(&format!(
        "  {} alerts fired, {} repeats, {} recoveries, {} redeliveries, {} superseded, {} other; {} late, {} suppressed",
        number(books.new),
        number(books.repeats),
        number(books.resolved),
        number(books.redelivered),
        number(books.superseded),
        number(books.other),
        number(books.late),
        number(books.suppressed),
    ));
    say(&format!(
        "  {} incidents, {} pages",
        number(books.incidents),
        number(books.pages)
    ));
    let held = format!(
        "  {} pages held, of which {} alerts recovered before; {} events dropped by rule; {} recoveries without a firing",
        number(books.held),
        number(books.spared),
        number(books.dropped),
        number(books.unmatched),
    );
    say(&held);
    if books.new > 0 {
        say("  noise reduction, under each of its definitions:");
    }
    for (words, from, to) in [
        ("events to alerts", books.events, books.new),
        ("alerts to incidents", books.new, books.incidents),
        ("incidents to pages", books.incidents, books.pages),
        ("events to incidents", books.events, books.incidents),
        ("alerts to pages", books.new, books.pages),
    ] {
        if from > 0 {
            say(&format!(
                "    {words:<20} {:>8}  {} to {}",
                reduction(from, to),
                number(from),
                number(to)
            ));
        }
    }
    if refused.count() > 0 {
        say(&format!("  {} refused (dead letters):", number(refused.count())));
        for (reason, count) in refused.reasons() {
            say(&format!("    {:>9}  {}", number(count), safe(reason)));
        }
    }
}

/// The share of `from` that `to` spares, in percent.
fn reduction(from: u64, to: u64) -> String {
    if from == 0 {
        return "-".to_owned();
    }
    format!("{:.1} %", 100.0 * (1.0 - to as f64 / from as f64))
}

/// With a comma between thousands.
fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            [0, 999, 1000, 1234567].map(number),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(reduction(200, 1), "99.5 %");
        assert_eq!(reduction(0, 0), "-");
    }
}
