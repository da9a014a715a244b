//! Events that have to wait, by the log: each is waiting in the tables too, or was applied, or is a dead letter.

use std::collections::{HashMap, HashSet};

use pipeline::ParkedEvent;
use pipeline::ports::{DeadLetterReader, TableRows as _};
use pipeline::rows::Table;
use pipeline::trace::{About, Entity};
use uuid::Uuid;

use super::Unfinished;
use super::compare::{Comparison, Verified, by_key};
use super::difference::{Difference, Kind};
use super::fold::Fold;

/// Events that are looked for at once.
const PAGE: usize = 500;

impl<T: Verified, Q: DeadLetterReader, F: Fold> Comparison<'_, T, Q, F> {
    /// Finds what is lost: the shadow has it waiting, and the tables have it nowhere. Looked for in the order of its way, from the parking table to
    /// its row, so that what moves meanwhile is seen twice rather than not at all; the dead letters come last of all.
    pub(super) async fn compare_waiting(&mut self) -> Result<(), Unfinished> {
        let mut after: Option<ParkedEvent> = None;
        loop {
            self.step("parked_events", self.report.waiting, 0)?;
            let page = self.verification.fold.rows().waiting_page(after.as_ref().map(ParkedEvent::parked_key), PAGE).await?;
            let Some(last) = page.last().cloned() else { return Ok(()) };
            after = Some(last);
            self.report.waiting += page.len() as u64;
            let ids: Vec<_> = page.iter().map(|event| event.event_id).collect();
            let known: HashSet<Uuid> = self.verification.tables.waiting(&ids).await?.into_iter().map(|event| event.event_id).collect();
            let missing: Vec<_> = page.iter().filter(|event| !known.contains(&event.event_id)).collect();
            let applied = self.applied(&missing).await?;
            for event in missing.into_iter().filter(|event| !applied.contains(&event.event_id)) {
                let id = event.event_id;
                self.report.add(Difference::of(Kind::Lost, "parked_events", id.to_string(), Some(id)));
            }
            self.keep_to_rate(page.len()).await;
        }
    }

    /// Those of these events whose row shows them or something newer.
    async fn applied(&self, events: &[&ParkedEvent]) -> Result<HashSet<Uuid>, Unfinished> {
        let mut keys: HashMap<Table, Vec<Uuid>> = HashMap::new();
        let entity = |event: &ParkedEvent| -> Option<(Table, Uuid, About)> {
            let about = About::read(event.value.as_bytes())?;
            let table = match about.entity? {
                Entity::User(_) => Table::Users,
                Entity::Order(_) => Table::Orders,
                Entity::Payment(_) => Table::Payments,
            };
            Some((table, about.entity?.id(), about))
        };
        for (table, key, _) in events.iter().filter_map(|event| entity(event)) {
            keys.entry(table).or_default().push(key);
        }
        let mut rows = HashMap::new();
        for (table, keys) in keys {
            rows.insert(table, by_key(self.verification.tables.rows(table, &keys).await?));
        }
        let is_applied = |event: &&&ParkedEvent| {
            let Some((table, key, about)) = entity(event) else { return false };
            rows.get(&table).and_then(|rows| rows.get(&key)).is_some_and(|row| row.clock() >= (about.event_at, event.event_id))
        };
        Ok(events.iter().filter(is_applied).map(|event| event.event_id).collect())
    }
}
