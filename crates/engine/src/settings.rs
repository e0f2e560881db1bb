//! What steers the fold. Every constant has a name, a unit and a reason; a change of settings is a change of the fold.

use model::PageMode;
use serde::{Deserialize, Serialize};

/// Settings of the fold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether anybody is really paged.
    pub page_mode: PageMode,
    /// Emit `Output::Event` and `Output::Episode`, for tools that judge the assignment of every event.
    pub placements: bool,
}
