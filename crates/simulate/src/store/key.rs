//! What identifies a parked event. Everything that depends on it is here.
//!
//! A topic that is created anew begins at offset 0 again, so a position alone is not enough: the event's id stands beside it. The ports name
//! a parked event by its position, so of several at one position the one is meant that fits.

use events::Event;
use pipeline::{Entity, ParkedEvent, Position, WaitsFor};
use uuid::Uuid;

use super::tables::Tables;
use crate::defect::Defect;
use crate::world::State;

/// What identifies a parked event.
pub type ParkedKey = (Position, Uuid);

/// Of an event that is to be parked.
pub fn of(event: &ParkedEvent, defect: Option<Defect>) -> ParkedKey {
    let id = if defect == Some(Defect::ParkedByPosition) { Uuid::nil() } else { event.event_id };
    (event.position.clone(), id)
}

/// The parked events at a position.
pub fn at<'t>(tables: &'t Tables, position: &Position) -> impl Iterator<Item = &'t ParkedKey> {
    let range = (position.clone(), Uuid::nil())..=(position.clone(), Uuid::max());
    tables.parked.range(range).map(|(key, _)| key)
}

/// The parked event at this position that leaves with an event: the event itself, or an older one of the same entity with the same parent.
pub fn released_by(tables: &Tables, position: &Position, event: &Event<'_>) -> Option<ParkedKey> {
    let kin = |event: &Event<'_>| (Entity::of(&event.body), WaitsFor::parent_of(&event.body));
    let is_kin = |key: &&ParkedKey| {
        let value = tables.parked[*key].event.value.as_bytes();
        events::decode(value).is_ok_and(|parked| parked.id == event.id || kin(&parked) == kin(event))
    };
    let itself = at(tables, position).find(|(_, id)| *id == event.id);
    itself.or_else(|| at(tables, position).find(is_kin)).cloned()
}

/// The parked events at this position that have become dead letters. The port names the position alone; a later record may stand there.
pub fn buried(state: &State, position: &Position) -> Vec<ParkedKey> {
    let is_buried = |key: &&ParkedKey| {
        let value = state.tables.parked[*key].event.value.as_bytes();
        let mut records = state.topic.at(position.partition, position.offset).iter().map(|number| &state.topic.sent[*number]);
        records.any(|sent| sent.buried.is_some() && sent.value.as_deref() == Some(value))
    };
    // Of another topic nothing is known: the contract suite parks what it never sent.
    let is_ours = position.topic == state.topic.name;
    at(&state.tables, position).filter(|key| !is_ours || is_buried(key)).cloned().collect()
}
