//! Worlds from a seed: an estate of services, what fails in it, which alerts that raises, and the truth about each.
//!
//! A world is as unkind as the real thing: roots that stay silent, faults that overlap, alerts that repeat, flap and
//! resolve, noise that never stops, tools that name one thing differently, records that arrive late, out of order or
//! twice. Yet it is a pure function of its seed and size, and its stream is produced in constant memory, so it can be
//! as long as one likes.

mod build;
mod estate;
mod fault;
mod form;
mod noise;
mod stream;
mod tool;

pub use estate::{Estate, Place, Service};
pub use fault::FaultClass;
pub use form::{Form, event_line, topology_json, truth_line};
pub use stream::{Said, Stream, Told};

/// How large a world is, and how unkind.
#[derive(Clone, Debug, PartialEq)]
pub struct Size {
    /// Services, databases and the like; at least 12.
    pub services: usize,
    /// Faults. The stream ends when the last one is over.
    pub faults: usize,
    /// Mean time between the onsets of two faults, in seconds.
    pub fault_every_s: f64,
    /// Share of faults that begin while another one still burns.
    pub overlap: f64,
    /// Share of faults whose root raises no alert of its own.
    pub silent: f64,
    /// Services with an alert that keeps coming for no reason, as a share.
    pub chronic: f64,
    /// Alerts without a fault, per service and day.
    pub stray_per_day: f64,
    /// Share of records that are late by half a minute to five.
    pub late: f64,
    /// Every record is late by up to so many seconds more, evenly spread.
    pub jitter_s: f64,
    /// Share of records that come twice.
    pub doubled: f64,
    /// Share of faults that come back some minutes after they were over.
    pub relapse: f64,
}

impl Size {
    /// About a hundred events: an afternoon of a small shop.
    pub fn small() -> Size {
        Size {
            services: 16,
            faults: 8,
            ..Size::default()
        }
    }
}

impl Default for Size {
    fn default() -> Size {
        Size {
            services: 40,
            faults: 40,
            fault_every_s: 1_500.0,
            overlap: 0.2,
            silent: 0.3,
            chronic: 0.1,
            stray_per_day: 0.5,
            late: 0.02,
            jitter_s: 0.0,
            doubled: 0.01,
            relapse: 0.0,
        }
    }
}
