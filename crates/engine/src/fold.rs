//! What a step of the fold may look at and write to.

use model::Time;
use topology::Graph;

use crate::{EpisodeId, Output, Settings};

/// The surroundings of one step: the graph in force, the time, the settings, and where outputs go.
pub(crate) struct Fold<'a> {
    pub graph: &'a Graph,
    /// Rises with every topology; names are resolved anew when it does.
    pub serial: u32,
    /// Stream time; within a timer its deadline.
    pub time: Time,
    pub settings: &'a Settings,
    pub out: &'a mut Vec<Output>,
}

impl Fold<'_> {
    /// Says where the event of an input belongs.
    pub(crate) fn placed(&mut self, input: u64, episode: Option<EpisodeId>) {
        if self.settings.placements {
            self.out.push(Output::Event { input, episode });
        }
    }
}
