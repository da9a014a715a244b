//! The records of a scenario, and the rows that they must end in.

use std::collections::HashSet;
use std::time::SystemTime;

use events::{AdjustmentType, Body, Event, InventoryAdjusted, UserCreated};
use producer::generate::{Generator, GeneratorConfig, Record, Records};
use testkit::history::{History, Rows};
use uuid::Uuid;

use crate::changes::{Changes, can_change};
use crate::scenarios::Scenario;

/// One record in so many is unwritable in a stream with poison.
const POISON_EVERY: usize = 100;
/// Events before a stream with poison that only the database finds: one in ten is a user whose address the poison claims, others are
/// movements whose ids it reuses.
const GROUND: usize = 200;

/// A stream, ready to be sent, and what must become of it.
pub struct Workload {
    /// Applied before anything is measured.
    pub before: Vec<Event<'static>>,
    /// The records, in the order of the log.
    pub records: Vec<Record>,
    /// The events among them that can be written, parents first: what the floor writes.
    pub events: Vec<Event<'static>>,
    /// Dead letters that the stream must leave.
    pub dead_letters: u64,
    /// Users that must stay parked, and must not be in the tables.
    pub refused: Vec<Uuid>,
}

/// What the tables must hold.
pub struct Reference {
    history: History,
    rows: Rows,
}

impl Reference {
    /// The fold of these events, each of which counts once.
    pub fn of(events: Vec<Event<'static>>) -> Self {
        let history = History::of(events);
        let rows = history.fold();
        Self { history, rows }
    }

    /// Whether a store shows exactly these rows.
    pub async fn is_shown_by(&self, store: &impl readmodel::ReadStore) -> bool {
        Rows::read(store, &self.history).await.without_our_clock() == self.rows
    }
}

impl Workload {
    /// About `count` records of this kind. The same seed gives the same stream.
    pub fn new(scenario: Scenario, count: usize, seed: u64) -> Self {
        match scenario {
            Scenario::InsertOnly => Self::of(generated(count, seed)),
            Scenario::HalfUpdate => Self::of(with_updates(count, seed, 1)),
            Scenario::HotKey => Self::of(with_updates(count, seed, 100)),
            Scenario::Replay => {
                let events = generated(count, seed);
                Self { before: events.clone(), ..Self::of(events) }
            }
            Scenario::PoisonDecode => poison_decode(count, seed),
            Scenario::PoisonAddress => poison_address(count, seed),
            Scenario::PoisonLedger => poison_ledger(count, seed),
            Scenario::ChildrenFirst => children_first(count, seed),
        }
    }

    /// So many users alone, all of them new.
    pub fn of_users(count: usize, seed: u64) -> Self {
        let config = insert_only(count as u64, seed);
        Self::of(Generator::new(GeneratorConfig { users: config.events, ..config }).collect())
    }

    /// What the tables hold once all of [`Workload::events`] are applied.
    pub fn reference(&self) -> Reference {
        let mut events = self.before.clone();
        let known: HashSet<_> = events.iter().map(|event| event.id).collect();
        events.extend(self.events.iter().filter(|event| !known.contains(&event.id)).cloned());
        Reference::of(events)
    }

    fn of(events: Vec<Event<'static>>) -> Self {
        let records = records(&events);
        Self { before: Vec::new(), records, events, dead_letters: 0, refused: Vec::new() }
    }
}

/// The insert-only stream; its last event lies a moment before now.
pub fn generator(count: usize, seed: u64) -> Generator {
    Generator::new(insert_only(count as u64, seed))
}

/// What that stream is made of.
pub fn insert_only(count: u64, seed: u64) -> GeneratorConfig {
    let mut config = GeneratorConfig::new(count, seed);
    config.start = config.start_before(SystemTime::now().into());
    config
}

fn generated(count: usize, seed: u64) -> Vec<Event<'static>> {
    generator(count, seed).collect()
}

/// Events as records of a log.
pub fn records(events: &[Event<'static>]) -> Vec<Record> {
    Records::new(events.iter().cloned()).collect()
}

/// Each second event is newer than one about the same, which is drawn from one in `one_in` of those before it.
fn with_updates(count: usize, seed: u64, one_in: usize) -> Vec<Event<'static>> {
    let mut changes = Changes::new(seed);
    let (mut events, mut drawn_from, mut rows) = (Vec::with_capacity(count), Vec::new(), 0_usize);
    for event in generator(count.div_ceil(2), seed) {
        if can_change(&event) {
            // The first event of a stream is a user, so that there is always one to draw.
            if rows.is_multiple_of(one_in) {
                drawn_from.push(event.clone());
            }
            rows += 1;
        }
        events.push(event);
        let old = changes.place(drawn_from.len());
        events.push(changes.newer(&drawn_from[old]));
    }
    events
}

fn poison_decode(count: usize, seed: u64) -> Workload {
    let events = generated(count - count / POISON_EVERY, seed);
    let records: Vec<_> = Records::new(events.iter().cloned()).with_poison(Some(POISON_EVERY as u64), seed).collect();
    let dead_letters = (records.len() - events.len()) as u64;
    Workload { records, dead_letters, ..Workload::of(events) }
}

fn poison_address(count: usize, seed: u64) -> Workload {
    let mut changes = Changes::new(seed);
    let before: Vec<_> = generated(GROUND, seed.wrapping_add(1 << 32));
    let held: Vec<_> = before.iter().filter_map(user_of).cloned().collect();
    let mut refused = Vec::new();
    let (events, records) = mix(generated(count - count / POISON_EVERY, seed), |event| {
        let holder = held[changes.place(held.len())].clone();
        let user = UserCreated { user_id: changes.id(), ..holder };
        refused.push(user.user_id);
        Event { id: changes.id(), at: event.at, body: Body::UserCreated(user) }
    });
    Workload { before, records, events, dead_letters: 0, refused }
}

fn poison_ledger(count: usize, seed: u64) -> Workload {
    let mut changes = Changes::new(seed);
    let before: Vec<_> = generated(GROUND, seed.wrapping_add(1 << 32));
    let noted: Vec<_> = before.iter().filter(|event| !can_change(event)).cloned().collect();
    let mut dead_letters = 0;
    let (events, records) = mix(generated(count - count / POISON_EVERY, seed), |_| {
        dead_letters += 1;
        // Another quantity each time, so that no two are the same event.
        let adjustment = InventoryAdjusted {
            sku: "bench-conflict".into(),
            quantity: dead_letters,
            adjustment_type: AdjustmentType::Add,
            reason: "recount".into(),
            adjusted_at: noted[0].at,
        };
        Event { body: Body::InventoryAdjusted(adjustment), ..noted[changes.place(noted.len())].clone() }
    });
    Workload { before, records, events, dead_letters: u64::from(dead_letters.unsigned_abs()), refused: Vec::new() }
}

/// Puts what `poison` makes into every hundredth place of the log.
fn mix(good: Vec<Event<'static>>, mut poison: impl FnMut(&Event<'static>) -> Event<'static>) -> (Vec<Event<'static>>, Vec<Record>) {
    let mut log = Vec::with_capacity(good.len() + good.len() / (POISON_EVERY - 1) + 1);
    for (place, event) in good.iter().enumerate() {
        log.push(event.clone());
        if (place + 1).is_multiple_of(POISON_EVERY - 1) {
            log.push(poison(event));
        }
    }
    let records = records(&log);
    (good, records)
}

fn children_first(count: usize, seed: u64) -> Workload {
    let mut workload = Workload::of(generated(count, seed));
    let mut log = workload.events.clone();
    log.sort_by_key(|event| match event.body {
        Body::PaymentSettled(_) => 0,
        Body::OrderPlaced(_) => 1,
        Body::UserCreated(_) | Body::InventoryAdjusted(_) => 2,
    });
    workload.records = records(&log);
    workload
}

const fn user_of<'e, 'b>(event: &'e Event<'b>) -> Option<&'e UserCreated<'b>> {
    match &event.body {
        Body::UserCreated(user) => Some(user),
        _ => None,
    }
}
