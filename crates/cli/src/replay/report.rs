//! What `replay` says at the end, on standard error.

use std::time::Duration;

use crate::{
    reduction::{Lost, Reduction, Suppressed, number},
    terminal::{safe, say},
};

use super::{feed::Feed, refused::Refused};

/// `reduction`: of the incidents. `kept`: what is kept quiet in the end; without it what was when it came is told.
pub(super) fn print(
    feed: &Feed,
    refused: &Refused,
    elapsed: Duration,
    (mut reduction, kept): (Reduction, Option<Suppressed>),
    lost: Option<Lost>,
) {
    let books = feed.books();
    let seconds = elapsed.as_secs_f64().max(1e-6);
    say(&format!(
        "{} lines, {} events in {seconds:.2} s ({:.0} events/s)",
        number(feed.lines()),
        number(books.events),
        books.events as f64 / seconds
    ));
    say(&format!(
        "  {} times an alert began, {} repeats, {} recoveries, {} redeliveries, {} superseded, {} other; \
         of these {} late, {} suppressed as they came",
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
        "  {} incidents opened, {} pages",
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
    if books.quiets_refused > 0 {
        // Whoever set it believes that it holds.
        say(&format!(
            "  {} silences or windows refused: their matchers are not understood or match everything (docs/suppression.md)",
            number(books.quiets_refused),
        ));
    }
    // What steers, as a silence does, is no news that could have been spared.
    reduction.events = books.events.saturating_sub(books.other);
    reduction.suppressed = kept.or(Some(Suppressed {
        what: "events",
        count: books.quiet,
        of: reduction.events,
        when: "as they came",
    }));
    reduction.lost = lost;
    let lines = reduction.lines();
    if !lines.is_empty() {
        say("  noise reduction, under each of its definitions:");
    }
    for line in lines {
        say(&format!("    {line}"));
    }
    if refused.count() > 0 {
        say(&format!("  {} refused (dead letters):", number(refused.count())));
        for (reason, count) in refused.reasons() {
            say(&format!("    {:>9}  {}", number(count), safe(reason)));
        }
    }
}
