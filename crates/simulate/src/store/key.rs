//! What identifies a row: of a parked event, where its record stood and which record that was.

use std::sync::Arc;

use pipeline::{LogId, ParkedEvent, Position, RecordId};

use crate::defect::Defect;

/// What identifies a parked event. A topic that is created anew begins at offset 0 again, so a position alone is not enough.
pub type ParkedKey = (Position, RecordId);

/// Where a position belongs.
pub type PositionKey = (LogId, Arc<str>, i32);

/// Of an event that is to be parked.
pub fn of(event: &ParkedEvent, defect: Option<Defect>) -> ParkedKey {
    named(event.parked_key(), defect)
}

/// As the ports name it.
pub fn named(key: pipeline::ParkedKey<'_>, defect: Option<Defect>) -> ParkedKey {
    let record = if defect == Some(Defect::ParkedByPosition) { RecordId::default() } else { key.record.clone() };
    (key.position.clone(), record)
}
