//! Which incident an alert belongs to: [`around`] finds the candidates, [`judge`] decides once, at [`settle`], ten seconds after
//! arrival, [`belief`] says how sure that is.
//!
//! What was tried, and what each rule is worth, stands in `docs/decisions/grouping.md`, `grounds.md` and `kin.md`.

pub(crate) mod abstain;
pub(crate) mod alone;
pub(crate) mod announce;
pub(crate) mod around;
pub(crate) mod behind;
pub(crate) mod belief;
pub(crate) mod goes_on;
pub(crate) mod ground;
pub(crate) mod judge;
pub(crate) mod kin;
pub(crate) mod look;
pub(crate) mod member;
pub(crate) mod onset;
pub(crate) mod open;
pub(crate) mod oracle;
pub(crate) mod own;
pub(crate) mod pending;
pub(crate) mod quiet;
pub(crate) mod renew;
pub(crate) mod settle;
pub(crate) mod verdict;
