//! What must hold after each step. The adapters tell what they do, and the part of the world that it touches is looked at.

use std::collections::BTreeMap;
use std::time::Duration;

use events::{Body, Timestamp};
use pipeline::dead_letter::{Diagnosis, Entry, Reason};
use pipeline::headers::Redriven;
use pipeline::{DeadLetter, Record, WaitsFor};
use uuid::Uuid;

use super::settled::{is_of, writable};
use crate::defect::Defect;
use crate::log::Sent;
use crate::log::client::Committable;
use crate::store::key::{ParkedKey, PositionKey};
use crate::store::{Parked, Row, describe, is_refused};
use crate::world::State;

impl State {
    /// A record was handed over to a consumer.
    pub(crate) fn taken(&mut self, record: &Record) {
        let found = self.topic.at(record.position.partition, record.position.offset);
        let is_it = |number: &usize| {
            self.topic.sent[*number].value == record.value
                && self.topic.sent[*number].key.as_slice() == record.key.as_deref().unwrap_or_default()
        };
        if let Some(number) = found.iter().rev().copied().find(is_it) {
            self.topic.sent[number].taken += 1;
        }
    }

    /// An offset is committed: everything before it has come to something, and it never goes back.
    pub(crate) fn committed(&mut self, who: &str, next: &Committable) {
        let &Committable { partition, offset, log, .. } = next;
        let Some(of_log) = self.topic.partitions.get_mut(partition as usize) else { return };
        let before = of_log.committed.replace(offset);
        let was_moved = std::mem::take(&mut of_log.moved);
        self.tell(who, "commits", || format!("{partition}→{offset}"));
        // The offsets of another log mean nothing in this one; where it begins is decided by the tables.
        if log != self.topic.id {
            if let Some(of_log) = self.topic.partitions.get_mut(partition as usize) {
                of_log.moved = true;
            }
            return;
        }
        if let Some(before) = before.filter(|before| *before > offset && !was_moved) {
            self.violated(format!("the offset of partition {partition} went back from {before} to {offset}"));
        }
        self.expect_settled(partition, before.unwrap_or_default(), offset, "committed");
    }

    /// A consumer has joined the group anew, so often for nothing: it goes by a log that it does not read any more. Once or twice may
    /// be: it had looked before it joined.
    pub(crate) fn rejoined(&mut self, who: &str, in_vain: u32) {
        if in_vain > 2 {
            self.violated(format!("{who} joins the group again and again, and its log is the same"));
        }
    }

    /// A position of the tables moves: everything before it has come to something, and it never goes back.
    pub(crate) fn advanced(&mut self, key: &PositionKey, next: i64) {
        let before = self.tables.positions.get(key).copied();
        let after = if self.has(Defect::PositionGoesBack) { next } else { before.unwrap_or(next).max(next) };
        self.tables.positions.insert(key.clone(), after);
        let (log, _, partition) = key;
        if let Some(before) = before.filter(|_| *log == self.topic.id) {
            if after < before {
                self.violated(format!("the position of partition {partition} went back from {before} to {after}"));
            }
            self.expect_settled(*partition, before, after, "passed by the tables' position");
        }
    }

    fn expect_settled(&mut self, partition: i32, from: i64, to: i64, what: &str) {
        let Some(log) = self.topic.partitions.get(partition as usize) else { return };
        let open = log.records(from, to).find(|number| !self.is_settled(*number));
        if let Some(number) = open {
            let sent = &self.topic.sent[number];
            let text = format!("{partition}:{} is {what} and has come to nothing: {}", sent.offset, crate::log::producer::describe(sent));
            self.violated(text);
        }
    }

    /// Rows are written: none goes back.
    pub(crate) fn rows_change(&mut self, who: &str, written: [&BTreeMap<Uuid, Row>; 3]) {
        let tables = [&self.tables.users, &self.tables.orders, &self.tables.payments];
        let changes = tables.into_iter().zip(written).flat_map(|(rows, new)| new.iter().map(|(id, row)| (rows.get(id), row)));
        let back =
            changes.filter_map(|(old, new)| old.filter(|old| old.clock() >= new.clock()).map(|old| (old.clone(), new.clone()))).next();
        if let Some((old, new)) = back {
            self.violated(format!("{who} has written {} over {}", describe(&new.event), describe(&old.event)));
        }
    }

    /// Rows were written: of a log that the tables know. Where they know none, a log that follows it is taken for the same one, and is not read
    /// from its beginning.
    pub(crate) fn rows_changed(&mut self, who: &str) {
        if self.tables.positions.is_empty() {
            self.violated(format!("{who} has written rows, and the tables know no log"));
        }
    }

    /// A parked event was applied: nobody has given it up.
    pub(crate) fn released(&mut self, who: &str, key: &ParkedKey) {
        let (position, record) = key;
        let is_given_up = match self.tables.parked.get(key) {
            Some(parked) => parked.expired,
            // Whoever has taken it may have made a dead letter of it.
            None => {
                let mut of_place = self.topic.at(position.partition, position.offset).iter().copied();
                of_place.any(|number| self.topic.sent[number].dead && self.topic.record(number, 0).id() == *record)
            }
        };
        if is_given_up {
            self.violated(format!("{who} has applied {}:{}, which is given up", position.partition, position.offset));
        }
    }

    /// The stock of an article is the sum of its ledger.
    pub(crate) fn stock_changed(&mut self, sku: &str) {
        let sum: i64 = self.tables.ledger.values().filter(|line| line.sku == sku).map(|line| line.delta).sum();
        let stock = self.tables.stock.get(sku).map_or(0, |(quantity, _)| *quantity);
        if stock != sum {
            self.violated(format!("the stock of {sku} is {stock}, and its ledger comes to {sum}"));
        }
    }

    /// An event has left the parking table: it has come to something else.
    pub(crate) fn unparked(&mut self, parked: &Parked) {
        let position = &parked.event.position;
        let is_it = |number: &usize| is_of(&parked.event, &self.topic.sent[*number]);
        let found = self.topic.at(position.partition, position.offset).iter().rev().copied().find(is_it);
        if !found.is_some_and(|number| self.has_come_to_something(number)) {
            self.violated(format!(
                "what was parked from {}:{} has left the table and come to nothing",
                position.partition, position.offset
            ));
        }
    }

    /// A parked event is expired by a statement that began then: it is old enough, and what it waits for was not in the tables, and is not in
    /// the log, unread.
    pub(crate) fn expired(&mut self, who: &str, key: &ParkedKey, began: Timestamp) {
        let Some(parked) = self.tables.parked.get(key) else { return };
        let (position, waits_for) = (key.0.clone(), parked.event.waits_for);
        let parked_at = self.time_of(parked.event.parked_at);
        self.tell(who, "gives-up", || format!("{}:{}", position.partition, position.offset));
        let deadline = parked_at + self.watcher.deadline;
        if self.elapsed() < deadline {
            self.violated(format!("{}:{} is given up before its deadline", position.partition, position.offset));
        }
        let row = match waits_for {
            WaitsFor::User(id) => self.tables.users.get(&id),
            WaitsFor::Order(id) => self.tables.orders.get(&id),
            WaitsFor::Email => None,
        };
        if row.is_some_and(|row| row.updated_at < began) {
            self.violated(format!("{}:{} is given up although what it waits for is there", position.partition, position.offset));
        }
        let brings = |sent: &Sent| match (sent.event.as_deref().map(|event| &event.body), waits_for) {
            (Some(Body::UserCreated(user)), WaitsFor::User(id)) => user.user_id == id,
            (Some(Body::OrderPlaced(order)), WaitsFor::Order(id)) => order.order_id == id,
            _ => false,
        };
        let mut unread = Vec::new();
        for log in &self.topic.partitions {
            let committed = log.committed.unwrap_or_default();
            unread.extend(log.held().filter(|number| self.topic.sent[*number].offset >= committed));
        }
        let parent = unread.into_iter().find(|number| {
            let sent = &self.topic.sent[*number];
            sent.at <= deadline && brings(sent) && !self.is_settled(*number)
        });
        if let Some(number) = parent {
            let sent = &self.topic.sent[number];
            let (child, parent) = (format!("{}:{}", position.partition, position.offset), format!("{}:{}", sent.partition, sent.offset));
            self.violated(format!("{child} is given up although what it waits for stands unread at {parent}"));
        }
    }

    /// A dead letter was pushed: it is that of a record, with its bytes and for a reason that holds, and the only one.
    pub(crate) fn pushed(&mut self, who: &str, dead_letter: &DeadLetter, is_new: bool) {
        let Ok(entry) = Entry::parse(&dead_letter.json) else { return self.violated("a dead letter that nobody can read") };
        let (partition, offset) = (entry.partition.unwrap_or(-1), entry.offset.unwrap_or(-1));
        self.tell(who, "buries", || format!("{partition}:{offset} {}", dead_letter.reason));
        let of_letter = |number: &usize| identity(&self.topic.record(*number, 0)) == dead_letter.identity;
        let Some(number) = self.topic.at(partition, offset).iter().copied().find(of_letter) else {
            return self.violated(format!("the dead letter of {partition}:{offset} is that of no record"));
        };
        if entry.value() != self.topic.sent[number].value {
            self.violated(format!("the dead letter of {partition}:{offset} has other bytes"));
        }
        if !self.is_reason(number, dead_letter.reason) {
            self.violated(format!("{partition}:{offset} is a dead letter for no reason: {}", dead_letter.reason));
        }
        let sent = &mut self.topic.sent[number];
        let was_buried = std::mem::replace(&mut sent.dead, true);
        if is_new && was_buried {
            self.violated(format!("{partition}:{offset} is two dead letters"));
        }
    }

    fn is_reason(&self, number: usize, reason: &str) -> bool {
        let sent = &self.topic.sent[number];
        let is_writable = writable(sent).is_some();
        let is_given_up = || {
            let mut parked = self.tables.parked.values();
            parked.any(|parked| parked.expired && Some(parked.event.value.as_bytes()) == sent.value.as_deref()) || sent.dead
        };
        match reason {
            "missing_parent" | "email_taken" => is_writable && is_given_up(),
            "constraint" => is_writable && sent.event.as_deref().is_some_and(is_refused),
            "event_id_conflict" => {
                let event = sent.event.as_deref();
                let others = self.topic.sent.iter().filter_map(|other| other.event.as_deref());
                event.is_some_and(|event| others.clone().any(|other| other.id == event.id && other != event))
            }
            _ => !is_writable,
        }
    }

    /// A claimed dead letter is removed for good: it was sent back before.
    pub(crate) fn settled_letter(&mut self, who: &str, text: &str) {
        self.tell(who, "settles", String::new);
        let Ok(entry) = Entry::parse(text) else { return };
        let value = entry.value();
        if !self.topic.sent.iter().any(|sent| sent.value == value && Redriven::read(&sent.headers).retry_count == entry.retry_count + 1) {
            self.violated("a dead letter was removed that nobody had sent back");
        }
        self.watcher.sent_back.push(text.to_owned());
    }

    /// A time of the database's clock as a time of the run.
    fn time_of(&self, at: Timestamp) -> Duration {
        let ago = self.now().unix_micros().saturating_sub(at.unix_micros());
        self.elapsed().saturating_sub(Duration::from_micros(u64::try_from(ago).unwrap_or_default()))
    }
}

/// What makes a record's dead letter this one and no other.
pub(crate) fn identity(record: &Record) -> String {
    let diagnosis = Diagnosis::rejected(Uuid::nil(), events::EventType::UserCreated, Reason::MissingParent, None);
    DeadLetter::new(record, &diagnosis, Timestamp::UNIX_EPOCH).identity
}
