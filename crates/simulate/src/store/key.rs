//! What identifies a parked event: where its record stood, and which record that was.

use pipeline::{ParkedEvent, Position, RecordId};

use super::tables::Tables;
use crate::defect::Defect;

/// What identifies a parked event. A topic that is created anew begins at offset 0 again, so a position alone is not enough.
pub type ParkedKey = (Position, RecordId);

/// Of an event that is to be parked.
pub fn of(event: &ParkedEvent, defect: Option<Defect>) -> ParkedKey {
    named(event.parked_key(), defect)
}

/// As the ports name it.
pub fn named(key: pipeline::ParkedKey<'_>, defect: Option<Defect>) -> ParkedKey {
    let record = if defect == Some(Defect::ParkedByPosition) { RecordId::default() } else { key.record.clone() };
    (key.position.clone(), record)
}

/// The parked events at a position.
pub fn at<'t>(tables: &'t Tables, position: &'t Position) -> impl Iterator<Item = &'t ParkedKey> {
    let from = tables.parked.range((position.clone(), RecordId::default())..);
    from.map(|(key, _)| key).take_while(move |(place, _)| place == position)
}
