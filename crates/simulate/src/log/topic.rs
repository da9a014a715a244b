//! A topic: what was ever sent to it, and what of that is still there.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use events::Event;
use pipeline::Header;
use pipeline::{LogId, Position, Record};

use crate::dice::{Dice, stream};
use crate::store::owned;
use crate::world::TOPIC;

/// The log as it is now, and every record that it or an earlier log of its name ever held.
#[derive(Debug)]
pub struct Topic {
    /// Which log it is.
    pub id: LogId,
    /// The partitions.
    pub partitions: Vec<Partition>,
    /// Every record ever sent, by its number.
    pub sent: Vec<Sent>,
    /// The topic's name.
    pub name: Arc<str>,
    /// Nobody answers before this time of the run.
    pub away_until: Duration,
    /// The records that ever stood at a place, by their numbers.
    by_place: HashMap<(i32, i64), Vec<usize>>,
}

/// One partition of the log.
#[derive(Debug, Default)]
pub struct Partition {
    /// The first offset that is still there.
    pub first: i64,
    /// What stands at each offset since the beginning.
    pub entries: Vec<Entry>,
    /// The next offset that the group will read, where it has committed one.
    pub committed: Option<i64>,
    /// Somebody has moved that offset, or it is that of an earlier log: the next commit may go back.
    pub moved: bool,
    /// There is no leader before this time of the run.
    pub leaderless_until: Duration,
}

/// What stands at an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A record, by its number in [`Topic::sent`].
    Record(usize),
    /// A record of a transaction that is open: nobody may read beyond it.
    Pending(usize, u64),
    /// The end of a transaction, a record that was aborted, or one that was compacted away.
    Nothing,
}

/// A record that was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The log that it was sent to.
    pub log: LogId,
    /// Where it stood there.
    pub partition: i32,
    /// Where it stood there.
    pub offset: i64,
    /// When it was sent, by the time of the run.
    pub at: Duration,
    /// Its own timestamp.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Vec<u8>,
    /// Its value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// How often it had been redriven.
    pub headers: Vec<Header>,
    /// The event in it, if it holds one that keeps the contract.
    pub event: Option<Arc<Event<'static>>>,
    /// How often it was handed over to a consumer.
    pub taken: u32,
    /// Whether it became a dead letter.
    pub dead: bool,
    /// It was aborted, or went from the log before it had come to anything: nothing is expected of it.
    pub excused: bool,
}

impl Topic {
    /// An empty log.
    pub fn new(dice: &mut Dice, partitions: usize) -> Self {
        let partitions = (0..partitions).map(|_| Partition::default()).collect();
        let id = LogId(dice.id(stream("log ids")));
        Self { id, partitions, sent: Vec::new(), name: TOPIC.into(), away_until: Duration::ZERO, by_place: HashMap::new() }
    }

    /// The topic is deleted and created again. Returns the numbers of the records that are gone with it.
    pub fn recreate(&mut self, dice: &mut Dice, keep_offsets: bool) -> Vec<usize> {
        let gone = self.partitions.iter().flat_map(Partition::held).collect();
        self.id = LogId(dice.id(stream("log ids")));
        for partition in &mut self.partitions {
            let committed = partition.committed.filter(|_| keep_offsets);
            *partition = Partition { committed, moved: true, ..Partition::default() };
        }
        gone
    }

    /// Appends a record; a transaction's is pending until that ends.
    pub fn append(&mut self, partition: usize, transaction: Option<u64>, mut sent: Sent) -> (i32, i64) {
        let number = self.sent.len();
        let log = &mut self.partitions[partition];
        (sent.log, sent.partition, sent.offset) = (self.id, partition as i32, log.end());
        log.entries.push(match transaction {
            Some(transaction) => Entry::Pending(number, transaction),
            None => Entry::Record(number),
        });
        self.by_place.entry((sent.partition, sent.offset)).or_default().push(number);
        self.sent.push(sent);
        (partition as i32, self.partitions[partition].end() - 1)
    }

    /// Ends a transaction with a marker in each of its partitions.
    pub fn end(&mut self, transaction: u64, commits: bool) {
        for partition in &mut self.partitions {
            let mut took_part = false;
            for entry in &mut partition.entries {
                if let Entry::Pending(number, _) = *entry
                    && *entry == Entry::Pending(number, transaction)
                {
                    took_part = true;
                    *entry = if commits { Entry::Record(number) } else { Entry::Nothing };
                    self.sent[number].excused |= !commits;
                }
            }
            if took_part {
                partition.entries.push(Entry::Nothing);
            }
        }
    }

    /// The records that ever stood at a place, the newest last.
    pub fn at(&self, partition: i32, offset: i64) -> &[usize] {
        self.by_place.get(&(partition, offset)).map_or(&[], Vec::as_slice)
    }

    /// The record of this number, as it is handed over.
    pub fn record(&self, number: usize, assignment: u64) -> Record {
        let sent = &self.sent[number];
        Record {
            position: Position { topic: Arc::clone(&self.name), partition: sent.partition, offset: sent.offset },
            assignment,
            timestamp_ms: Some(sent.timestamp_ms),
            timestamp_type: None,
            key: Some(sent.key.clone()),
            value: sent.value.clone(),
            headers: sent.headers.clone(),
        }
    }
}

impl Sent {
    /// A record that is about to be sent.
    pub fn new(at: Duration, timestamp_ms: i64, key: Vec<u8>, value: Option<Vec<u8>>) -> Self {
        let event = value.as_deref().and_then(|value| events::decode(value).ok()).map(|event| Arc::new(owned(&event)));
        Self {
            log: LogId::UNKNOWN,
            partition: 0,
            offset: 0,
            at,
            timestamp_ms,
            key,
            value,
            headers: Vec::new(),
            event,
            taken: 0,
            dead: false,
            excused: false,
        }
    }
}

impl Partition {
    /// The offset after the last entry.
    pub fn end(&self) -> i64 {
        self.entries.len() as i64
    }

    /// The next offset that the group will read.
    pub fn next(&self) -> i64 {
        self.committed.unwrap_or_default().max(self.first)
    }

    /// Up to where may be read: the first open transaction, or the end.
    pub fn stable(&self) -> i64 {
        let open = self.entries.iter().position(|entry| matches!(entry, Entry::Pending(..)));
        open.map_or_else(|| self.end(), |open| open as i64)
    }

    /// The records of these offsets that are still there.
    pub fn records(&self, from: i64, to: i64) -> impl Iterator<Item = usize> + '_ {
        let (from, to) = (from.max(self.first), to.min(self.end()).max(0));
        let range = from.clamp(0, to) as usize..to as usize;
        self.entries[range].iter().filter_map(|entry| match entry {
            Entry::Record(number) => Some(*number),
            Entry::Pending(..) | Entry::Nothing => None,
        })
    }

    /// Every record that is still there, those of open transactions among them.
    pub fn held(&self) -> impl Iterator<Item = usize> + '_ {
        self.entries[self.first as usize..].iter().filter_map(|entry| match entry {
            Entry::Record(number) | Entry::Pending(number, _) => Some(*number),
            Entry::Nothing => None,
        })
    }
}
