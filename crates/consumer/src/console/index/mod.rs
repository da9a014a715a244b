//! Dead letters in memory, as far as lists, groups and filters need them: looking at 100 000 of them takes milliseconds, where reading them
//! from the queue takes a second. Only what is shown comes from here; whatever is done is done to the queue itself.
//!
//! | module | what it holds |
//! |---|---|
//! | `row`, `names` | one dead letter in 112 bytes, and the texts that many share |
//! | `groups` | by fingerprint |
//! | `follow` | reading the queue, and following its changes |
//! | `places` | from a row back to its entry in the queue |

mod follow;
mod groups;
mod names;
mod places;
mod row;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

use console::LetterRow;
use events::Timestamp;
use pipeline::Position;
use pipeline::ports::ListState;
use uuid::Uuid;

use crate::dlq::Filter;
use crate::dlq::listed::Listed;
pub(super) use follow::{Progress, follow, read};
use names::{Name, Names};
pub(super) use places::{Found, Place, Places, entries};
use row::{About, Row, Wanted, id};

/// Rows that are kept, and bytes of the texts that they share. Of a longer list the newest are known: 56 MB and 32 MB at most.
const MOST: usize = 500_000;
const MOST_BYTES: usize = 32 << 20;

/// The dead letters of a list, the oldest first.
#[derive(Clone, Debug)]
pub(super) struct Index {
    rows: VecDeque<Row>,
    names: Names,
    /// Entries at the old end of which nothing is known.
    before: u64,
    /// How often the list had changed otherwise than at its new end when it was read.
    moves: u64,
    hasher: RandomState,
    bounds: (usize, usize),
}

/// A part of a list, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub rows: Vec<LetterRow>,
    /// Where the next that is meant stands, counted from the newest.
    pub next: Option<u64>,
}

/// The dead letters about one user or order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AboutOne {
    /// The id of the newest.
    pub newest: String,
    /// Whether only the key of that one says so.
    pub by_key: bool,
    /// How many others there are.
    pub others: u64,
}

impl Index {
    /// Of an empty list, or of one whose oldest entries are left out.
    fn new(before: u64, moves: u64, hasher: RandomState) -> Self {
        Self { rows: VecDeque::new(), names: Names::default(), before, moves, hasher, bounds: (MOST, MOST_BYTES) }
    }

    /// The state of the list that it shows.
    pub fn state(&self) -> ListState {
        ListState { depth: self.before + self.rows.len() as u64, moves: self.moves }
    }

    /// How many entries at the old end it does not know.
    pub const fn unknown(&self) -> u64 {
        self.before
    }

    fn digest(&self, text: &str) -> u64 {
        self.hasher.hash_one(text)
    }

    /// Adds an entry at the new end.
    fn add(&mut self, text: String) {
        let digest = self.digest(&text);
        let row = Row::new(&Listed::new(text), digest, &mut self.names);
        self.rows.push_back(row);
        self.keep_bounds();
    }

    /// Adds an entry that another index knows already.
    fn take(&mut self, row: &Row, translation: &mut Translation<'_>) {
        let row = row.renamed(|name| translation.name(name, &mut self.names));
        self.rows.push_back(row);
        self.keep_bounds();
    }

    /// Forgets the older half where it has become too large, with the texts that only they have.
    fn keep_bounds(&mut self) {
        let (most, most_bytes) = self.bounds;
        while self.rows.len() > most || (self.names.bytes() > most_bytes && self.rows.len() > 1) {
            let forgotten = self.rows.len().div_ceil(2);
            self.rows.drain(..forgotten);
            self.before += forgotten as u64;
            let old = std::mem::take(&mut self.names);
            let mut translation = Translation::new(&old);
            for row in &mut self.rows {
                *row = row.renamed(|name| translation.name(name, &mut self.names));
            }
        }
    }

    /// Up to `limit` that the filter means, from the `start`-th of all on, counted from the newest.
    pub fn page(&self, filter: &Filter, now: Timestamp, start: u64, limit: usize) -> Page {
        let Some(wanted) = Wanted::new(filter, &self.names, now) else { return Page { rows: Vec::new(), next: None } };
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let mut meant = self.rows.iter().rev().enumerate().skip(start).filter(|(_, row)| wanted.selects(row));
        let rows = meant.by_ref().take(limit).map(|(_, row)| row.shown(&self.names)).collect();
        Page { rows, next: meant.next().map(|(place, _)| place as u64) }
    }

    /// Where those stand that the filter means, the oldest first.
    pub fn places(&self, filter: &Filter, now: Timestamp) -> Vec<Place> {
        let wanted = Wanted::new(filter, &self.names, now);
        wanted.map_or_else(Vec::new, |wanted| self.places_of(|row| wanted.selects(row)))
    }

    /// Where those stand that tell this event id, the oldest first.
    pub fn of_event(&self, event_id: Uuid) -> Vec<Place> {
        self.places_of(|row| row.event_id == Some(event_id))
    }

    /// The dead letters that are about these users and orders, by all of them at once.
    pub fn about(&self, ids: &HashSet<Uuid>) -> HashMap<Uuid, AboutOne> {
        let mut found: HashMap<Uuid, AboutOne> = HashMap::new();
        // The newest first.
        for (About { id: about, by_key }, row) in
            self.rows.iter().rev().filter_map(|row| Some((row.about?, row))).filter(|(about, _)| ids.contains(&about.id))
        {
            let first = || AboutOne { newest: id(row.id), by_key, others: 0 };
            found.entry(about).and_modify(|one| one.others += 1).or_insert_with(first);
        }
        found
    }

    /// Which of these places the letters in memory come from.
    pub fn at_places<'p>(&self, places: impl Iterator<Item = &'p Position>) -> HashSet<&'p Position> {
        let wanted: HashMap<_, _> = places.map(|place| ((&*place.topic, place.partition, place.offset), place)).collect();
        let found = self.rows.iter().filter_map(|row| wanted.get(&row.place(&self.names)?));
        found.copied().collect()
    }

    /// Where the one stands whose id begins so; `None` where there is none, or more than one. Those that look alike are one.
    pub fn by_id(&self, prefix: &str) -> Option<Place> {
        let missing = pipeline::dead_letter::ENTRY_ID_DIGITS.checked_sub(prefix.len())? as u32;
        let wanted = u64::from_str_radix(prefix, 16).ok()?;
        let found = self.places_of(|row| row.id >> (4 * missing) == wanted);
        let ids: BTreeSet<u64> = found.iter().filter_map(|place| self.row(place)).map(|row| row.id).collect();
        found.first().filter(|_| ids.len() == 1).copied()
    }

    fn row(&self, place: &Place) -> Option<&Row> {
        self.rows.get(usize::try_from(place.from_oldest.checked_sub(self.before)?).ok()?)
    }

    fn places_of(&self, is_meant: impl Fn(&Row) -> bool) -> Vec<Place> {
        let place = |(number, row): (usize, &Row)| Place { from_oldest: self.before + number as u64, digest: row.digest };
        self.rows.iter().enumerate().filter(|(_, row)| is_meant(row)).map(place).collect()
    }
}

/// Names of one collection in those of another, each looked up once.
struct Translation<'n> {
    from: &'n Names,
    known: Vec<Option<Name>>,
}

impl<'n> Translation<'n> {
    fn new(from: &'n Names) -> Self {
        Self { from, known: vec![None; from.len()] }
    }

    fn name(&mut self, name: Name, to: &mut Names) -> Name {
        let known = &mut self.known[name.place()];
        *known.get_or_insert_with(|| to.name(self.from.text(name)))
    }
}

/// The rows of an index by their digests.
struct Digests<'i> {
    rows: HashMap<u64, &'i Row>,
    translation: Translation<'i>,
}

impl<'i> Digests<'i> {
    fn of(index: &'i Index) -> Self {
        Self { rows: index.rows.iter().map(|row| (row.digest, row)).collect(), translation: Translation::new(&index.names) }
    }
}

#[cfg(test)]
mod tests;
