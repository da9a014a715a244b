//! Events that have to wait, by the log: each is waiting in the tables too, or was applied, or is a dead letter. And what waits in the tables has
//! a reason to.

use std::collections::{HashMap, HashSet};

use pipeline::ParkedEvent;
use pipeline::ports::{DeadLetterReader, TableRows};
use pipeline::rows::Table;
use pipeline::trace::{About, Entity};
use tokio::time::Instant;
use uuid::Uuid;

use super::Unfinished;
use super::comparison::{Comparison, PAUSE, Verified, by_key, waiting_of};
use super::difference::{Difference, Kind};
use super::fold::Fold;

/// Events that are looked for at once.
const PAGE: usize = 500;

impl<T: Verified, Q: DeadLetterReader, F: Fold> Comparison<'_, T, Q, F> {
    /// Finds what is lost: the shadow has it waiting, and the tables have it nowhere. Looked for in the order of its way, from the parking table to
    /// its row, so that what moves meanwhile is seen twice rather than not at all; the dead letters come last of all.
    pub(super) async fn compare_waiting(&mut self) -> Result<(), Unfinished> {
        let mut after: Option<ParkedEvent> = None;
        // An event that came twice may wait twice.
        let mut told = HashSet::new();
        loop {
            self.step("parked_events", self.report.waiting, 0)?;
            let page = self.verification.fold.rows().waiting_page(after.as_ref().map(ParkedEvent::parked_key), PAGE).await?;
            let Some(last) = page.last().cloned() else { return Ok(()) };
            after = Some(last);
            self.report.waiting += page.len() as u64;
            let ids: Vec<_> = page.iter().map(|event| event.event_id).collect();
            let known: HashSet<Uuid> = self.verification.tables.waiting(&ids).await?.into_iter().map(|event| event.event_id).collect();
            let missing: Vec<_> = page.iter().filter(|event| !known.contains(&event.event_id)).collect();
            let applied = applied_in(self.verification.tables, &missing).await?;
            for id in missing.into_iter().map(|event| event.event_id).filter(|id| !applied.contains(id)) {
                if !told.insert(id) {
                    continue;
                }
                self.report.add(Difference::of(Kind::Lost, "parked_events", id.to_string(), Some(id)));
            }
            self.keep_to_rate(page.len()).await;
        }
    }

    /// Finds what waits in the tables and has no reason to, by the log: it was applied, or no record makes it. What consumers release meanwhile
    /// is none.
    pub(super) async fn compare_waiting_of_tables(&mut self) -> Result<(), Unfinished> {
        let (mut odd, mut after): (Vec<Uuid>, Option<ParkedEvent>) = (Vec::new(), None);
        loop {
            self.step("parked_events", self.report.waiting, 0)?;
            let page = self.verification.tables.waiting_page(after.as_ref().map(ParkedEvent::parked_key), PAGE).await?;
            let Some(last) = page.last().cloned() else { break };
            after = Some(last);
            let ids: Vec<_> = page.iter().map(|event| event.event_id).collect();
            odd.extend(ids_of(&self.without_reason(&ids).await?));
            self.keep_to_rate(page.len()).await;
        }
        let deadline = Instant::now() + self.verification.settings.patience;
        while !odd.is_empty() && Instant::now() < deadline {
            tokio::time::sleep(PAUSE).await;
            let mut left = Vec::new();
            for ids in odd.chunks(PAGE) {
                left.extend(ids_of(&self.without_reason(ids).await?));
            }
            odd = left;
        }
        for ids in odd.chunks(PAGE) {
            let events = self.without_reason(ids).await?;
            self.judge_waiting(&events).await?;
        }
        Ok(())
    }

    /// Those of these events that wait in the tables, and in the shadow of the same offsets do not.
    async fn without_reason(&mut self, ids: &[Uuid]) -> Result<Vec<ParkedEvent>, Unfinished> {
        self.step("parked_events", 0, 0)?;
        let mut events = self.verification.tables.waiting(ids).await?;
        let expected = waiting_of(self.verification.fold.rows(), ids).await?;
        events.retain(|event| !expected.contains_key(&event.event_id));
        if !events.is_empty() {
            // In this order: what waits was read by then, and the shadow is no further than the tables.
            let positions = self.positions().await?;
            let left: Vec<_> = ids_of(&events).collect();
            events = self.verification.tables.waiting(&left).await?;
            self.verification.fold.fold_to(&positions).await?;
            let expected = waiting_of(self.verification.fold.rows(), &left).await?;
            events.retain(|event| !expected.contains_key(&event.event_id));
        }
        Ok(events)
    }

    async fn judge_waiting(&mut self, events: &[ParkedEvent]) -> Result<(), Unfinished> {
        let known = applied_in(self.verification.fold.rows(), &events.iter().collect::<Vec<_>>()).await?;
        let rejected = self.rejected_by_the_shadow(ids_of(events).collect()).await?;
        let unknown: HashSet<Uuid> = ids_of(events).filter(|event| !known.contains(event) && !rejected.contains(event)).collect();
        let beyond = if unknown.is_empty() { HashSet::new() } else { self.verification.fold.beyond(unknown).await? };
        let told: HashSet<Uuid> =
            self.report.differences.iter().filter(|found| found.kind == Kind::Waiting).filter_map(|found| found.expected).collect();
        let mut seen = HashSet::new();
        for event in events.iter().filter(|event| seen.insert(event.event_id)) {
            let id = event.event_id;
            let found = |kind| Difference::of(kind, "parked_events", id.to_string(), Some(id));
            if beyond.contains(&id) {
                self.report.in_flight += 1;
            } else if rejected.contains(&id) || self.is_disputed(event.waits_for) {
                self.report.disputed += 1;
            } else if !known.contains(&id) {
                self.report.add(Difference { shown: Some(id), expected: None, ..found(Kind::Extra) });
            } else if !told.contains(&id) {
                self.report.add(found(Kind::Waiting));
            }
        }
        Ok(())
    }
}

/// Those of these events whose row shows them or something newer.
async fn applied_in(rows: &impl TableRows, events: &[&ParkedEvent]) -> Result<HashSet<Uuid>, Unfinished> {
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
    let mut found = HashMap::new();
    for (table, keys) in keys {
        found.insert(table, by_key(rows.rows(table, &keys).await?));
    }
    let is_applied = |event: &&&ParkedEvent| {
        let Some((table, key, about)) = entity(event) else { return false };
        found.get(&table).and_then(|rows| rows.get(&key)).is_some_and(|row| row.clock() >= (about.event_at, event.event_id))
    };
    Ok(events.iter().filter(is_applied).map(|event| event.event_id).collect())
}

fn ids_of(events: &[ParkedEvent]) -> impl Iterator<Item = Uuid> {
    events.iter().map(|event| event.event_id)
}
