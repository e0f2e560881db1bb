//! Worlds to test in: services that depend on each other, faults that spread, the alerts they raise, and the truth
//! about them, all from a seed; and the score of an answer against that truth.
