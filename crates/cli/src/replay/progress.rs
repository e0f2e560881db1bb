//! The progress bar: on a terminal only, on standard error, by bytes of the files.

use std::{
    io::IsTerminal,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use indicatif::{ProgressBar, ProgressStyle};

pub(super) struct Bar {
    bar: Option<ProgressBar>,
    read: Arc<AtomicU64>,
}

impl Bar {
    /// A bar over `total` bytes; a pipe has no end, so it gets a counter only.
    pub(super) fn new(total: Option<u64>, read: &Arc<AtomicU64>, quiet: bool) -> Bar {
        let shown = !quiet && std::io::stderr().is_terminal();
        let bar = shown.then(|| {
            let (bar, form) = match total {
                Some(total) => (
                    ProgressBar::new(total),
                    "{wide_bar} {percent} % · {msg} · {eta} left",
                ),
                None => (ProgressBar::new_spinner(), "{spinner} {msg} · {elapsed}"),
            };
            bar.with_style(ProgressStyle::with_template(form).expect("the template is valid"))
        });
        Bar {
            bar,
            read: read.clone(),
        }
    }
    pub(super) fn tick(&self, lines: u64) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{lines} lines"));
            bar.set_position(self.read.load(Ordering::Relaxed));
        }
    }
    pub(super) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
