//! What must hold when everything is consumed and nothing goes wrong any more.

use std::collections::{BTreeMap, BTreeSet};

use events::Event;
use uuid::Uuid;

use super::fold::Fold;
use super::settled::writable;
use crate::log::producer;
use crate::log::topic::Partition;
use crate::store::{Row, describe};
use crate::world::State;

/// Whether everything is consumed, and nothing waits.
pub fn is_quiet(state: &State) -> bool {
    let is_consumed = |log: &Partition| log.next() >= log.end() && log.held().all(|number| state.is_settled(number));
    state.tables.parked.is_empty() && state.topic.partitions.iter().all(is_consumed)
}

/// What is still to be done.
pub fn what_is_left(state: &State) -> String {
    let behind = state.topic.partitions.iter().enumerate().filter(|(_, log)| log.next() < log.end());
    let behind: Vec<_> = behind.map(|(number, log)| format!("partition {number} {:?} of {}", log.committed, log.end())).collect();
    let parked: Vec<_> = state
        .tables
        .parked
        .values()
        .map(|parked| format!("{}:{}", parked.event.position.partition, parked.event.position.offset))
        .collect();
    let lost = (0..state.topic.sent.len()).filter(|number| !state.is_settled(*number)).map(|number| &state.topic.sent[number]);
    let lost: Vec<_> = lost.map(|sent| format!("{}:{}", sent.partition, sent.offset)).collect();
    let (behind, parked, lost) = (behind.join(", "), parked.join(" "), lost.join(" "));
    format!("not consumed to the end: [{behind}], still parked: [{parked}], come to nothing: [{lost}]")
}

/// Checks everything; tells the first thing that is wrong.
///
/// # Errors
/// A promise was broken.
pub fn check(state: &State) -> Result<(), String> {
    every_record_has_come_to_something(state)?;
    the_rows_are_those_of_the_fold(state)?;
    the_stock_is_that_of_the_fold(state)?;
    every_parent_is_there(state)?;
    every_address_has_one_holder(state)?;
    every_letter_is_kept(state)
}

fn every_record_has_come_to_something(state: &State) -> Result<(), String> {
    let lost = (0..state.topic.sent.len()).find(|number| !state.is_settled(*number));
    lost.map_or(Ok(()), |number| {
        let sent = &state.topic.sent[number];
        Err(format!("{}:{} is lost: {}", sent.partition, sent.offset, producer::describe(sent)))
    })
}

/// The events that the tables must show, and those that they may show: what went from the log unread may have been applied, or not.
fn expected(state: &State) -> (Vec<&Event<'static>>, Vec<&Event<'static>>) {
    let (mut must, mut may) = (Vec::new(), Vec::new());
    for sent in &state.topic.sent {
        let Some(event) = writable(sent) else { continue };
        // What was handed over more than once may have been applied by one consumer while another made a dead letter of it, or after that.
        let may_be_applied = sent.taken > u32::from(sent.dead);
        match sent.dead || sent.excused || state.is_buried(sent) {
            true if may_be_applied => may.push(event),
            true => {}
            false => must.push(event),
        }
    }
    (must, may)
}

fn the_rows_are_those_of_the_fold(state: &State) -> Result<(), String> {
    let (must, may) = expected(state);
    let fold = Fold::of(must.iter().copied());
    let tables = [(1, &state.tables.users), (2, &state.tables.orders), (3, &state.tables.payments)];
    let rows: BTreeMap<(u8, Uuid), &Row> =
        tables.into_iter().flat_map(|(table, rows)| rows.iter().map(move |(id, row)| ((table, *id), row))).collect();
    for (entity, event) in &fold.newest {
        let Some(row) = rows.get(entity) else { return Err(format!("no row shows {}", describe(event))) };
        if row.clock() < (event.at, event.id) {
            return Err(format!("a row shows {} and not {}", describe(&row.event), describe(event)));
        }
    }
    for (entity, row) in &rows {
        let is_expected =
            fold.newest.get(entity).is_some_and(|event| **event == *row.event) || may.iter().any(|event| **event == *row.event);
        if !is_expected {
            return Err(format!("a row shows {}, which is a dead letter or was never sent", describe(&row.event)));
        }
    }
    Ok(())
}

fn the_stock_is_that_of_the_fold(state: &State) -> Result<(), String> {
    let (must, may) = expected(state);
    let fold = Fold::of(must.iter().copied());
    for (id, line) in &state.tables.ledger {
        let is_expected = must.iter().chain(&may).any(|event| event.id == *id && **event == *line.event);
        if !is_expected {
            return Err(format!("the ledger holds {}, which is a dead letter or was never sent", describe(&line.event)));
        }
    }
    if let Some(event) = fold.ledger.values().find(|event| !state.tables.ledger.contains_key(&event.id)) {
        return Err(format!("the ledger does not hold {}", describe(event)));
    }
    let ledger = Fold::of(state.tables.ledger.values().map(|line| &*line.event)).stock();
    let stock: BTreeMap<_, _> = state.tables.stock.iter().map(|(sku, (quantity, _))| (sku.clone(), *quantity)).collect();
    if ledger == stock { Ok(()) } else { Err(format!("the stock is {stock:?}, and the ledger comes to {ledger:?}")) }
}

fn every_parent_is_there(state: &State) -> Result<(), String> {
    let parents = |rows: &BTreeMap<Uuid, Row>| -> Vec<(pipeline::WaitsFor, Row)> {
        rows.values().filter_map(|row| Some((pipeline::WaitsFor::parent_of(&row.event.body)?, row.clone()))).collect()
    };
    for (parent, row) in parents(&state.tables.orders).into_iter().chain(parents(&state.tables.payments)) {
        let is_there = match parent {
            pipeline::WaitsFor::User(id) => state.tables.users.contains_key(&id),
            pipeline::WaitsFor::Order(id) => state.tables.orders.contains_key(&id),
            pipeline::WaitsFor::Email => true,
        };
        if !is_there {
            return Err(format!("{} has no parent", describe(&row.event)));
        }
    }
    Ok(())
}

fn every_address_has_one_holder(state: &State) -> Result<(), String> {
    let mut held = BTreeSet::new();
    let twice = state.tables.users.values().find(|row| !crate::store::tables::address(&row.event).is_none_or(|key| held.insert(key)));
    twice.map_or(Ok(()), |row| Err(format!("two users hold the address of {}", describe(&row.event))))
}

/// Each dead letter is in the list once, or was sent back.
fn every_letter_is_kept(state: &State) -> Result<(), String> {
    if let Some(dead_letter) = state.dead_letters.all.iter().find(|dead_letter| dead_letter.lease_ends.is_some()) {
        return Err(format!("a claim has never come back: {}", dead_letter.entry));
    }
    let dead = state.topic.sent.iter().filter(|sent| sent.dead).count();
    let kept = state.dead_letters.all.len() + state.watcher.sent_back.len();
    if dead == kept { Ok(()) } else { Err(format!("{dead} records are dead letters, and {kept} are kept or were sent back")) }
}

/// Nobody waits in the parking table for what is there.
///
/// # Errors
/// Somebody does.
pub fn nothing_is_releasable(state: &State) -> Result<(), String> {
    let is_there = |parked: &&crate::store::Parked| match parked.event.waits_for {
        pipeline::WaitsFor::User(id) => state.tables.users.contains_key(&id),
        pipeline::WaitsFor::Order(id) => state.tables.orders.contains_key(&id),
        // Who begins to wait while a batch is giving the address up is left to the sweep: the batch has looked before, and the address is
        // still taken when the event is parked.
        pipeline::WaitsFor::Email => false,
    };
    let waiting = state.tables.parked.values().filter(|parked| !parked.expired).find(is_there);
    waiting.map_or(Ok(()), |parked| {
        let position = &parked.event.position;
        Err(format!("{}:{} waits for {:?}, which is there", position.partition, position.offset, parked.event.waits_for))
    })
}
