//! What the tables must show, by the records alone: of each entity the newest event, and every adjustment.

use std::collections::BTreeMap;

use events::{Body, Event};
use pipeline::Entity;
use uuid::Uuid;

/// The fold of some events.
#[derive(Debug, Default)]
pub struct Fold<'e> {
    /// The newest event of each entity.
    pub newest: BTreeMap<(u8, Uuid), &'e Event<'static>>,
    /// Every adjustment, by its event id.
    pub ledger: BTreeMap<Uuid, &'e Event<'static>>,
}

impl<'e> Fold<'e> {
    /// Of these events, in any order. Of two adjustments with one id, the first one counts.
    pub fn of(events: impl IntoIterator<Item = &'e Event<'static>>) -> Self {
        let mut fold = Self::default();
        for event in events {
            let Some(entity) = Entity::of(&event.body) else {
                fold.ledger.entry(event.id).or_insert(event);
                continue;
            };
            let newest = fold.newest.entry((entity.type_number(), entity.id())).or_insert(event);
            if (event.at, event.id) > (newest.at, newest.id) {
                *newest = event;
            }
        }
        fold
    }

    /// What the ledger comes to, by article.
    pub fn stock(&self) -> BTreeMap<String, i64> {
        let mut stock = BTreeMap::new();
        for event in self.ledger.values() {
            if let Body::InventoryAdjusted(adjustment) = &event.body {
                *stock.entry(adjustment.sku.to_string()).or_default() += adjustment.delta();
            }
        }
        stock
    }
}
