//! Worlds to test in: services that depend on each other, faults that spread, the alerts they raise, and the truth
//! about them, all from a seed; the score of an answer against that truth; and scenarios, which are tests as data.

pub mod scenario;
pub mod score;
pub mod story;
pub mod world;

mod dice;

pub use dice::Dice;
