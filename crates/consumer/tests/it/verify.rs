//! Verifying tables on purpose damaged, and whole ones while they are written.

mod changed;
mod compacted;
mod silent;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use consumer::ConsumerConfig;
use consumer::verify::Verified;
use consumer::verify::{Fold as _, FoldSettings, Folded, Kind, Report, Settings, ShadowFold, Unfinished, Verification, repair, verify};
use events::{Body, Event, Rule};
use pipeline::dead_letter::Diagnosis;
use pipeline::fault::Fault;
use pipeline::ports::{DeadLetterReader, End, ListState, LogPositions as _, TableRepair as _, TableRows as _};
use pipeline::rows::{Table, TableRow, WrongStock};
use pipeline::{
    Batch, DeadLetter, DeadLetterQueue as _, EventStore as _, Item, LogId, LogPosition, ParkedEvent, ParkedKey, ParkingLot as _, Position,
    Reason, WaitsFor,
};
use rusqlite::Connection;
use sqlite::Sqlite;
use telemetry::{Metrics, Part};
use testkit::builders::{Build as _, adjustment, id, order, parked_at, payment, record, second, user};
use testkit::history::History;
use testkit::seed::Seed;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::fake_log::{LOG, Reader, Topic};

/// A topic, the tables that a consumer has made of it, and a shadow.
struct Scene {
    topic: Topic,
    tables: Sqlite,
    writer: ShadowFold<Reader, Topic, Sqlite>,
    shadow: Sqlite,
}

impl Scene {
    async fn of(events: &[Event<'_>]) -> Self {
        let topic = Topic::default();
        events.iter().for_each(|event| topic.append(event));
        let (tables, shadow) = (Sqlite::temporary().unwrap(), Sqlite::temporary().unwrap());
        let writer = fold(&topic, &tables).await;
        let mut scene = Self { topic, tables, writer, shadow };
        scene.consume().await;
        scene
    }

    /// The consumer catches up.
    async fn consume(&mut self) {
        self.writer.fold_to(&self.topic.ends()).await.unwrap();
    }

    /// What a consumer has written when it ends before it has moved the positions.
    async fn write_ahead(&mut self) {
        let before: Vec<_> = self.tables.positions("events").await.unwrap();
        self.consume().await;
        let connection = Connection::open(self.tables.path()).unwrap();
        for LogPosition { partition, next_offset, .. } in before {
            let sql = "UPDATE log_positions SET next_offset = ?2 WHERE kafka_partition = ?1";
            connection.execute(sql, rusqlite::params![partition, next_offset]).unwrap();
        }
        self.writer = fold(&self.topic, &self.tables).await;
    }

    async fn verify(&self) -> Result<Report, Unfinished> {
        verify_with(&self.topic, &self.tables, &self.tables, &self.shadow).await
    }

    /// The event has a dead letter.
    async fn bury(&self, event: &Event<'_>) {
        let diagnosis = Diagnosis::expired(event.id, event.event_type(), WaitsFor::User(id()));
        let letter = DeadLetter::new(&record(event.to_json()), &diagnosis, second(0));
        assert_eq!(self.tables.push(&[letter]).await, Ok(1));
    }

    /// How many payments an order has: they lose it where somebody takes it out, foreign keys aside.
    fn payments_of(&self, order: Uuid) -> usize {
        let sql = "SELECT count(*) FROM payments JOIN orders USING (order_row) WHERE order_id = ?1";
        let key = order.as_bytes().as_slice();
        Connection::open(self.tables.path()).unwrap().query_row(sql, [key], |row| row.get::<_, u32>(0)).unwrap() as usize
    }

    /// Does what no consumer does.
    fn damage(&self, sql: &str, key: Uuid) -> usize {
        let connection = Connection::open(self.tables.path()).unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        let keyed = rusqlite::params![key.as_bytes().as_slice()];
        if sql.contains("?1") { connection.execute(sql, keyed).unwrap() } else { connection.execute(sql, []).unwrap() }
    }
}

async fn fold(topic: &Topic, store: &Sqlite) -> ShadowFold<Reader, Topic, Sqlite> {
    let log = (Reader::of(topic), topic.clone());
    let config = ConsumerConfig { sweep_interval: Duration::ZERO, ..ConsumerConfig::default() };
    let metrics = Metrics::new(&[Part::Consumer]).unwrap();
    let settings = FoldSettings { consumer: config, was_whole: true, rate: None };
    ShadowFold::open(log, store.clone(), "events".into(), settings, metrics, CancellationToken::new()).await.unwrap()
}

async fn verify_tables(topic: &Topic, tables: &impl Verified, shadow: &Sqlite) -> Result<Report, Unfinished> {
    let nothing = Sqlite::temporary().unwrap();
    verify_with(topic, tables, &nothing, shadow).await
}

async fn verify_with(
    topic: &Topic,
    tables: &impl Verified,
    dead_letters: &impl DeadLetterReader,
    shadow: &Sqlite,
) -> Result<Report, Unfinished> {
    let settings = Settings { rate: None, patience: Duration::ZERO, values: true, dead_letters: true, changed_only: false };
    verify_as(settings, topic, tables, dead_letters, shadow, &CancellationToken::new()).await
}

async fn verify_as(
    settings: Settings,
    topic: &Topic,
    tables: &impl Verified,
    dead_letters: &impl DeadLetterReader,
    shadow: &Sqlite,
    stop: &CancellationToken,
) -> Result<Report, Unfinished> {
    let mut fold = fold(topic, shadow).await;
    let verification = Verification {
        tables,
        dead_letters,
        fold: &mut fold,
        topic: "events".into(),
        log: LOG,
        settings,
        stop: stop.clone(),
        on_progress: &|_, _, _| {},
    };
    verify(verification).await
}

fn found(report: &Report) -> Vec<(Kind, &str, &str)> {
    report.differences.iter().map(|found| (found.kind, found.table, found.key.as_str())).collect()
}

/// What is damaged: a row of a table, an event that waits, or a dead letter.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Row(Table),
    Waiting,
    DeadLetter,
}

/// A way of damaging: the statement, with the key of what is damaged, and how it is found.
struct Damage {
    place: Place,
    sql: &'static str,
    kinds: &'static [Kind],
}

const DAMAGES: &[Damage] = &[
    Damage {
        place: Place::Row(Table::Users),
        sql: "UPDATE users SET first_name = first_name || 'x' WHERE user_id = ?1",
        kinds: &[Kind::Changed],
    },
    Damage { place: Place::Row(Table::Users), sql: "UPDATE users SET email_key = 'nobody' WHERE user_id = ?1", kinds: &[Kind::Changed] },
    Damage {
        place: Place::Row(Table::Users),
        sql: "UPDATE users SET created_at = created_at + 1 WHERE user_id = ?1",
        kinds: &[Kind::Changed],
    },
    Damage { place: Place::Row(Table::Users), sql: "UPDATE users SET event_at = event_at - 1 WHERE user_id = ?1", kinds: &[Kind::Changed] },
    Damage { place: Place::Row(Table::Users), sql: "DELETE FROM users WHERE user_id = ?1", kinds: &[Kind::Missing] },
    Damage { place: Place::Row(Table::Users), sql: "UPDATE users SET event_id = zeroblob(16) WHERE user_id = ?1", kinds: &[Kind::Older] },
    Damage { place: Place::Row(Table::Orders), sql: "DELETE FROM orders WHERE order_id = ?1", kinds: &[Kind::Missing] },
    Damage {
        place: Place::Row(Table::Orders),
        sql: "UPDATE orders SET total_amount = '0.01' WHERE order_id = ?1",
        kinds: &[Kind::Changed],
    },
    Damage {
        place: Place::Row(Table::Orders),
        sql: "INSERT INTO order_items (order_row, line_no, sku, quantity, price) SELECT order_row, 99, 'swapped', 1, '1' FROM orders WHERE order_id = ?1",
        kinds: &[Kind::Changed],
    },
    Damage {
        place: Place::Row(Table::Payments),
        sql: "UPDATE payments SET status = 'refunded!' WHERE payment_id = ?1",
        kinds: &[Kind::Changed],
    },
    Damage {
        place: Place::Row(Table::Payments),
        sql: "UPDATE payments SET event_at = event_at - 60000000, event_id = zeroblob(16) WHERE payment_id = ?1",
        kinds: &[Kind::Older],
    },
    Damage {
        place: Place::Row(Table::Payments),
        sql: "UPDATE payments SET event_at = event_at + 60000000, event_id = randomblob(16) WHERE payment_id = ?1",
        kinds: &[Kind::Newer],
    },
    Damage {
        place: Place::Row(Table::Adjustments),
        sql: "DELETE FROM inventory_adjustments WHERE event_id = ?1",
        kinds: &[Kind::Missing, Kind::Stock],
    },
    Damage {
        place: Place::Row(Table::Adjustments),
        sql: "UPDATE inventory_adjustments SET delta = delta + 1 WHERE event_id = ?1",
        kinds: &[Kind::Changed, Kind::Stock],
    },
    Damage {
        place: Place::Row(Table::Adjustments),
        sql: "UPDATE inventory_adjustments SET reason = 'other' WHERE event_id = ?1",
        kinds: &[Kind::Changed],
    },
    Damage {
        place: Place::Row(Table::Users),
        sql: "INSERT INTO users SELECT randomblob(16), email || 'x', email_key || 'x', first_name, last_name, created_at, randomblob(16), event_at, updated_at FROM users WHERE user_id = ?1",
        kinds: &[Kind::Extra],
    },
    Damage {
        place: Place::Row(Table::Orders),
        sql: "INSERT INTO orders SELECT NULL, randomblob(16), user_id, total_amount, currency, placed_at, randomblob(16), event_at, updated_at FROM orders WHERE order_id = ?1",
        kinds: &[Kind::Extra],
    },
    Damage {
        place: Place::Row(Table::Adjustments),
        sql: "INSERT INTO inventory_adjustments SELECT randomblob(16), sku, 7, adjustment_type, reason, adjusted_at, event_at, applied_at FROM inventory_adjustments WHERE event_id = ?1",
        kinds: &[Kind::Extra, Kind::Stock],
    },
    Damage { place: Place::Waiting, sql: "DELETE FROM parked_events WHERE event_id = ?1", kinds: &[Kind::Lost] },
    Damage {
        place: Place::Waiting,
        sql: "UPDATE parked_events SET event_id = zeroblob(16) WHERE event_id = ?1",
        kinds: &[Kind::Lost, Kind::Extra],
    },
    Damage {
        place: Place::DeadLetter,
        sql: "DELETE FROM dead_letters WHERE number = (SELECT min(number) FROM dead_letters)",
        kinds: &[Kind::NoDeadLetter],
    },
    Damage {
        place: Place::DeadLetter,
        sql: "INSERT INTO dead_letters (entry) SELECT entry FROM dead_letters WHERE number = (SELECT min(number) FROM dead_letters)",
        kinds: &[Kind::DoubleDeadLetter],
    },
];

/// Histories with what makes verifying hard: events that wait for ever, and records that hold no event.
fn history(seed: &mut Seed) -> Vec<Event<'static>> {
    let mut events = History::random(seed).events;
    events.extend([order(seed.id(), seed.id()).with_id(seed.id()), payment(seed.id(), seed.id()).with_id(seed.id())]);
    seed.shuffled_with_duplicates(&events)
}

/// How many seeds are tried; `VERIFY_SEEDS` tries more.
fn seeds() -> u64 {
    std::env::var("VERIFY_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(40)
}

#[tokio::test(start_paused = true)]
async fn whole_tables_are_equal_and_every_damage_is_found_and_repaired_and_nothing_else() {
    for number in 0..seeds() {
        let mut seed = Seed::numbered(number, "verify");
        let mut scene = Scene::of(&history(&mut seed)).await;
        scene.topic.append_bytes(0, b"no event".to_vec());
        scene.consume().await;
        scene.topic.append_bytes(0, b"no event that was consumed".to_vec());
        let whole = scene.verify().await.unwrap();
        assert!(whole.is_equal() && whole.is_whole, "seed {number}: {whole}");
        assert!(whole.folded.values().all(Folded::is_balanced), "seed {number}: {:?}", whole.folded);
        let damage = seed.pick::<Damage>(DAMAGES);
        let keys: Vec<Uuid> = match damage.place {
            Place::Row(table) => scene.tables.rows_after(table, None, 1000).await.unwrap().iter().map(|row| row.key).collect(),
            Place::Waiting => scene.tables.waiting_page(None, 1000).await.unwrap().iter().map(|event| event.event_id).collect(),
            Place::DeadLetter => vec![Uuid::nil()],
        };
        if keys.is_empty() {
            continue;
        }
        let key = *seed.pick::<Uuid>(&keys);
        let orphans = if damage.sql.starts_with("DELETE FROM orders") { scene.payments_of(key) } else { 0 };
        // An event that came twice waits twice.
        assert!(scene.damage(damage.sql, key) >= 1);
        let report = scene.verify().await.unwrap();
        let kinds: Vec<_> = report.differences.iter().map(|found| found.kind).collect();
        let expected: Vec<_> = damage.kinds.iter().copied().chain(std::iter::repeat_n(Kind::Changed, orphans)).collect();
        assert_eq!(kinds, expected, "seed {number}: {}\n{report}", damage.sql);
        let first = &report.differences[0];
        match damage.place {
            Place::Row(table) => assert_eq!(first.table, table.name()),
            Place::Waiting => assert_eq!(first.table, "parked_events"),
            // The queue is repaired by operators.
            Place::DeadLetter => continue,
        }
        assert!(first.kind == Kind::Extra || first.key == key.to_string(), "seed {number}: {first:?}");
        let fold = fold(&scene.topic, &scene.shadow).await;
        repair(&scene.tables, &fold, &report, true).await.unwrap();
        let repaired = scene.verify().await.unwrap();
        assert!(repaired.is_equal(), "seed {number}: {}\n{repaired}", damage.sql);
    }
}

/// Tables into which a consumer writes before some of the calls that verify makes.
#[derive(Clone)]
struct Meanwhile {
    tables: Sqlite,
    consumer: Arc<tokio::sync::Mutex<Consuming>>,
}

struct Consuming {
    scene: Scene,
    seed: Seed,
    left: Vec<Event<'static>>,
}

impl Meanwhile {
    async fn consume(&self) {
        let mut consumer = self.consumer.lock().await;
        let Consuming { scene, seed, left } = &mut *consumer;
        if seed.chance(0.4) {
            return;
        }
        if left.is_empty() {
            // What is left to come are records that hold no event.
            scene.topic.append_bytes(0, b"no event".to_vec());
            scene.consume().await;
            return;
        }
        let count = left.len().min(seed.number(1..=9) as usize);
        left.drain(..count).for_each(|event| scene.topic.append(&event));
        if seed.chance(0.3) {
            // The rows of a batch are there before the positions that it moves: a later round moves them, or a crash came between.
            scene.write_ahead().await;
        } else {
            scene.consume().await;
        }
    }
}

impl pipeline::ports::LogPositions for Meanwhile {
    async fn positions(&self, topic: &str) -> Result<Vec<LogPosition>, Fault> {
        self.consume().await;
        let positions = self.tables.positions(topic).await;
        self.consume().await;
        positions
    }

    async fn advance(&self, _: &[LogPosition]) -> Result<(), Fault> {
        unreachable!("verify moves nothing")
    }
}

impl pipeline::ports::TableRows for Meanwhile {
    async fn count(&self, table: Table) -> Result<u64, Fault> {
        self.tables.count(table).await
    }

    async fn rows_after(&self, table: Table, after: Option<Uuid>, limit: usize) -> Result<Vec<TableRow>, Fault> {
        self.consume().await;
        self.tables.rows_after(table, after, limit.min(7)).await
    }

    async fn rows(&self, table: Table, keys: &[Uuid]) -> Result<Vec<TableRow>, Fault> {
        let rows = self.tables.rows(table, keys).await;
        self.consume().await;
        rows
    }

    async fn wrong_stock(&self, limit: usize) -> Result<Vec<WrongStock>, Fault> {
        self.tables.wrong_stock(limit).await
    }

    async fn ledger_state(&self) -> Result<pipeline::ledger::LedgerState, Fault> {
        self.tables.ledger_state().await
    }

    async fn opening_balances(&self, after: Option<&str>, limit: usize) -> Result<Vec<pipeline::ledger::OpeningBalance>, Fault> {
        self.tables.opening_balances(after, limit).await
    }

    async fn waiting_page(&self, after: Option<ParkedKey<'_>>, limit: usize) -> Result<Vec<ParkedEvent>, Fault> {
        self.tables.waiting_page(after, limit).await
    }

    async fn waiting(&self, event_ids: &[Uuid]) -> Result<Vec<ParkedEvent>, Fault> {
        self.consume().await;
        self.tables.waiting(event_ids).await
    }
}

/// The dead letters of these tables, into which the consumer writes before they are looked at.
struct Letters {
    letters: Sqlite,
    tables: Meanwhile,
}

impl DeadLetterReader for Letters {
    async fn list_state(&self) -> Result<ListState, Fault> {
        self.letters.list_state().await
    }

    async fn depth(&self) -> Result<u64, Fault> {
        self.tables.consume().await;
        self.letters.depth().await
    }

    async fn claimed(&self) -> Result<u64, Fault> {
        self.letters.claimed().await
    }

    async fn reasons(&self) -> Result<BTreeMap<String, u64>, Fault> {
        self.letters.reasons().await
    }

    async fn page(&self, end: End, start: u64, limit: u64) -> Result<Vec<String>, Fault> {
        self.letters.page(end, start, limit).await
    }
}

#[tokio::test(start_paused = true)]
async fn tables_that_are_written_meanwhile_raise_no_alarm() {
    let mut in_flight = 0;
    for number in 0..seeds() {
        let mut seed = Seed::numbered(number, "meanwhile");
        let scene = Scene::of(&history(&mut seed)).await;
        let (topic, tables, shadow) = (scene.topic.clone(), scene.tables.clone(), scene.shadow.clone());
        let left = history(&mut seed);
        let tables = Meanwhile { tables, consumer: Arc::new(tokio::sync::Mutex::new(Consuming { scene, seed, left })) };
        let dead_letters = Letters { letters: tables.tables.clone(), tables: tables.clone() };
        let report = verify_with(&topic, &tables, &dead_letters, &shadow).await.unwrap();
        assert!(report.is_equal(), "seed {number}: {report}");
        in_flight += report.in_flight;
    }
    assert!(in_flight > 0, "verify has met rows that were being written");
}

#[tokio::test(start_paused = true)]
async fn a_row_that_no_record_makes_and_stock_that_is_no_sum_are_told() {
    let (user_id, sku) = (id(), "sku-of-this-test");
    let scene = Scene::of(&[user(user_id), adjustment(sku, 5)]).await;
    let extra = id();
    scene.damage(
        "INSERT INTO users SELECT ?1, email || 'x', email_key || 'x', first_name, last_name, created_at, randomblob(16), event_at, updated_at FROM users",
        extra,
    );
    scene.damage("UPDATE inventory SET quantity = 6", extra);
    let report = scene.verify().await.unwrap();
    assert_eq!(found(&report), [(Kind::Extra, "users", extra.to_string().as_str()), (Kind::Stock, "inventory", sku)]);
    assert_eq!(report.differences[1].values["quantity"], (Some("6".to_owned()), Some("5".to_owned())));
    // Only who says so has it deleted.
    let fold = fold(&scene.topic, &scene.shadow).await;
    assert_eq!((report.repairable(false), report.repairable(true)), (1, 2));
    repair(&scene.tables, &fold, &report, false).await.unwrap();
    assert_eq!(found(&scene.verify().await.unwrap()), [(Kind::Extra, "users", extra.to_string().as_str())]);
    repair(&scene.tables, &fold, &report, true).await.unwrap();
    assert!(scene.verify().await.unwrap().is_equal());
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_of_a_record_that_can_be_written_is_told() {
    let event = user(id());
    let scene = Scene::of(std::slice::from_ref(&event)).await;
    let (partition, _) = scene.topic.ends().into_iter().find(|(_, end)| *end > 0).unwrap();
    let mut record = record(event.to_json());
    record.position = Position { topic: "events".into(), partition, offset: 0 };
    let rejected = |reason| Diagnosis::rejected(event.id, event.event_type(), reason, None);
    let letter = |reason| DeadLetter::new(&record, &rejected(reason), second(0));
    // What depends on what came before it, or on the time, may have been right.
    assert_eq!(scene.tables.push(&[letter(Reason::EventIdConflict)]).await, Ok(1));
    assert!(scene.verify().await.unwrap().is_equal());
    scene.damage("DELETE FROM dead_letters", id());
    scene.damage("DELETE FROM dead_letters_seen", id());
    assert_eq!(scene.tables.push(&[letter(Reason::Contract(Rule::Missing))]).await, Ok(1));
    let place = format!("{partition}/0");
    assert_eq!(found(&scene.verify().await.unwrap()), [(Kind::ExtraDeadLetter, "dead_letters", place.as_str())]);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_waits_and_was_applied_is_told() {
    let (user_id, order_id) = (id(), id());
    let child = order(order_id, user_id);
    let scene = Scene::of(&[user(user_id), child.clone()]).await;
    scene.tables.park(&[parked_at(&child, Position { topic: "events".into(), partition: 9, offset: 9 })]).await.unwrap();
    assert_eq!(found(&scene.verify().await.unwrap()), [(Kind::Waiting, "parked_events", child.id.to_string().as_str())]);
}

#[tokio::test(start_paused = true)]
async fn rows_of_a_log_that_is_gone_are_unexplained_and_no_difference() {
    let scene = Scene::of(&[user(id()), user(id())]).await;
    let extra = user(id());
    let items = [Item { event: &extra, releases: Vec::new() }];
    scene.tables.apply(Batch::new(&items)).await.unwrap();
    assert_eq!(scene.verify().await.unwrap().differences.len(), 1, "nothing explains it");
    let earlier = LogPosition { log: LogId(Uuid::from_u128(6)), topic: "events".into(), partition: 0, next_offset: 9 };
    scene.tables.advance(&[earlier]).await.unwrap();
    let report = scene.verify().await.unwrap();
    assert_eq!((report.is_equal(), report.is_whole, report.unexplained), (true, false, 1), "{report}");
    assert!(report.to_string().contains("from where it begins now"), "{report}");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_waited_and_is_nowhere_is_lost_unless_it_is_a_dead_letter() {
    let orphan = order(id(), id());
    let scene = Scene::of(std::slice::from_ref(&orphan)).await;
    assert!(scene.verify().await.unwrap().is_equal());
    scene.damage("DELETE FROM parked_events", orphan.id);
    let report = scene.verify().await.unwrap();
    assert_eq!(found(&report), [(Kind::Lost, "parked_events", orphan.id.to_string().as_str())]);
    repair(&scene.tables, &fold(&scene.topic, &scene.shadow).await, &report, false).await.unwrap();
    assert!(scene.verify().await.unwrap().is_equal(), "it waits again");
    scene.damage("DELETE FROM parked_events", orphan.id);
    scene.bury(&orphan).await;
    let report = scene.verify().await.unwrap();
    assert_eq!((report.is_equal(), report.dead_letters), (true, 1), "{report}");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_waits_although_its_parent_is_there_is_told() {
    let (user_id, order_id) = (id(), id());
    let scene = Scene::of(&[order(order_id, user_id)]).await;
    let parent = user(user_id);
    scene.topic.append(&parent);
    // Another program writes the user and moves the positions, and does not release its children.
    let ends = scene.topic.ends();
    let positions: Vec<_> = ends
        .iter()
        .map(|(partition, end)| LogPosition { log: LOG, topic: "events".into(), partition: *partition, next_offset: *end })
        .collect();
    let items = [Item { event: &parent, releases: Vec::new() }];
    scene.tables.apply(Batch::new(&items).moving(&positions)).await.unwrap();
    let report = scene.verify().await.unwrap();
    assert_eq!(found(&report), [(Kind::Waiting, "orders", order_id.to_string().as_str())]);
}

#[tokio::test(start_paused = true)]
async fn who_holds_an_address_that_two_claim_is_told_and_is_no_difference() {
    let (first, second) = (id(), id());
    let claim = |user_id, seconds| user(user_id).with_user(|user| user.email = "one@example.com".into()).later(seconds);
    // The tables met the later claim first, and the shadow meets both in one batch.
    let topic = Topic::default();
    topic.append_bytes(0, claim(second, 5).to_json());
    let tables = Sqlite::temporary().unwrap();
    fold(&topic, &tables).await.fold_to(&topic.ends()).await.unwrap();
    topic.append_bytes(1, claim(first, 1).to_json());
    fold(&topic, &tables).await.fold_to(&topic.ends()).await.unwrap();
    let report = verify_tables(&topic, &tables, &Sqlite::temporary().unwrap()).await.unwrap();
    assert!(report.is_equal() && report.disputed > 0, "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_explains_the_row_that_it_did_not_become() {
    let scene = Scene::of(&[user(id())]).await;
    // What the tables once refused and the shadow takes, as a limit that was raised since: the queue has it.
    let late = user(id());
    scene.bury(&late).await;
    scene.topic.append(&late);
    let mut scene = scene;
    scene.consume().await;
    let Body::UserCreated(body) = &late.body else { panic!("a user") };
    scene.damage("DELETE FROM users WHERE user_id = ?1", body.user_id);
    let report = scene.verify().await.unwrap();
    assert_eq!((report.is_equal(), report.dead_letters), (true, 1), "{report}");
    assert_eq!(scene.tables.page(End::Oldest, 0, 10).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_shadow_that_is_kept_reads_only_what_is_new() {
    let mut scene = Scene::of(&[user(id()), user(id())]).await;
    let folded = |report: &Report| report.folded.values().map(|folded| folded.counts.applied).sum::<u64>();
    let first = scene.verify().await.unwrap();
    scene.topic.append(&user(id()));
    scene.consume().await;
    let second = scene.verify().await.unwrap();
    assert_eq!((folded(&first), folded(&second)), (2, 1), "{:?} {:?}", first.folded, second.folded);
    assert!(second.is_equal());
}

#[tokio::test(start_paused = true)]
async fn tables_that_are_behind_the_shadow_are_not_judged() {
    let scene = Scene::of(&[user(id())]).await;
    let other = Sqlite::temporary().unwrap();
    let topic = scene.topic.clone();
    fold(&topic, &scene.shadow).await.fold_to(&topic.ends()).await.unwrap();
    let unknown = verify_tables(&topic, &other, &scene.shadow).await;
    assert_eq!(unknown, Err(Unfinished::NoPositions));
    let partition = *topic.ends().iter().find(|(_, end)| **end > 0).unwrap().0;
    let begun = LogPosition { log: LOG, topic: "events".into(), partition, next_offset: 0 };
    other.advance(&[begun]).await.unwrap();
    let behind = verify_tables(&topic, &other, &scene.shadow).await;
    assert_eq!(behind, Err(Unfinished::TablesBehind { partition, shadow: 1, tables: 0 }));
}

#[test]
fn each_kind_says_what_it_means() {
    let meanings: HashSet<_> = Kind::ALL.iter().map(|kind| kind.meaning()).collect();
    assert_eq!(meanings.len(), Kind::ALL.len());
}
