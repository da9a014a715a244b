//! Which claims somebody is to meet: what the server remembers of them.

use std::collections::BTreeMap;

use super::key::ParkedKey;

/// The claims that somebody is to meet.
#[derive(Debug, Default)]
pub(crate) struct Meetings {
    /// So many were arranged: the number of the last.
    pub(super) arranged: u64,
    /// Those that are not over, by their numbers.
    pub(super) open: BTreeMap<u64, Rows>,
}

/// What is about to be given up.
#[derive(Debug)]
pub(super) struct Rows {
    /// Their keys.
    pub(super) keys: Vec<ParkedKey>,
    /// Whether somebody has found one of them releasable since.
    pub(super) found: bool,
}
