//! Sending dead letters again: rehearsal, order, and the permits of a flood.

use super::letters::{Foreseen, Selection};

/// What a redrive would come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// How many would end how, in a fixed order of outcomes (see [`Foreseen::outcome`]); only those that occur.
    pub totals: Vec<(String, u64)>,
    /// How many the selection means in all.
    pub selected: u64,
    /// The first of them, each with its outcome.
    pub rows: Vec<RehearsedRow>,
    /// Whether they did not fit into one batch, so that children may seem to wait for parents of an earlier one.
    pub batches: u64,
}

/// A dead letter of a [`Rehearsal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RehearsedRow {
    /// 12 hexadecimal digits.
    pub id: String,
    /// One of the four types, or `unknown`.
    pub event_type: String,
    /// Where it could be read.
    pub event_id: Option<String>,
    /// How it would end.
    pub foreseen: Foreseen,
}

/// A redrive to begin.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Which dead letters.
    pub selection: Selection,
    /// How many of them at most, the oldest first; 10 for a canary.
    pub limit: Option<u64>,
    /// How many per second at most.
    pub rate: Option<f64>,
    /// Whether it tries whether the rest would go well, which waits for the operator's word.
    pub is_canary: bool,
}

/// What of a flood may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// Nothing.
    Nothing,
    /// So many records.
    Records(u64),
    /// All from now on.
    Everything,
}
