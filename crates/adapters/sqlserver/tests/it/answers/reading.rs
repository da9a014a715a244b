//! What is read back: what waits, positions, consumers, the ledger and its state, rows to compare, the audit log, jobs. Each row that the server sends is read, or the
//! answer is an error.

use std::fmt::Debug;
use std::time::Duration;

use pipeline::ledger::Cutoff;
use pipeline::ports::{
    AuditLog as _, AuditPage, AwaitedParents as _, Heartbeats as _, Leases as _, LedgerCompaction as _, LogPositions as _,
    ParkingExpiry as _, RedriveJobs as _, TableRows as _,
};
use pipeline::redrive_job::JobChange;
use pipeline::rows::Table;
use pipeline::{Fault, FaultClass, Parents, ParkingLot as _, WaitsFor};
use proptest::prelude::*;
use proptest::sample::Index;
use sqlserver::SqlServer;
use testkit::builders::{parked, second, user};
use uuid::Uuid;

use super::{Answer, Change, Ending, asked, changes, ending, holds};
use crate::scripted::{Column, Value};

/// What the adapter asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Releasable,
    ClaimExpired,
    Parked,
    Now,
    Park,
    Awaited,
    Positions,
    Consumers,
    LedgerState,
    Foldable,
    BeginCompaction,
    Compact,
    OpeningBalances,
    WrongStock,
    Users,
    Orders,
    Payments,
    Adjustments,
    Count,
    Lease,
    AuditPage,
    Jobs,
    JobLetters,
    ChangeJob,
}

const QUESTIONS: [Question; 24] = {
    use Question::*;
    [
        Releasable,
        ClaimExpired,
        Parked,
        Now,
        Park,
        Awaited,
        Positions,
        Consumers,
        LedgerState,
        Foldable,
        BeginCompaction,
        Compact,
        OpeningBalances,
        WrongStock,
        Users,
        Orders,
        Payments,
        Adjustments,
        Count,
        Lease,
        AuditPage,
        Jobs,
        JobLetters,
        ChangeJob,
    ]
};

/// What is promised of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// It has a value.
    Needed,
    /// It has one, and never a negative one.
    Natural,
    /// It may be NULL.
    Optional,
}
use Rule::{Natural, Needed, Optional};

type Told = Vec<(Column, Value<'static>, Rule)>;

/// Columns, a right value of each, and what is promised.
fn row_of(question: Question) -> Told {
    use Column::{Bytes, Digest, Float, Guid, Int, Long, Money, Text, Time, Tiny};
    let id = |name, rule| (Guid(name), Value::Guid(Uuid::from_u128(7)), rule);
    let text = |name, value, rule| (Text(name), Value::Text(value), rule);
    let time = |name, rule| (Time(name), Value::Time(739_000, 1), rule);
    let long = |name, rule| (Long(name), Value::Long(7), rule);
    let int = |name, rule| (Int(name), Value::Int(1), rule);
    let digest = |name, rule| (Digest(name), Value::Digest([4; 32]), rule);
    let money = |name| (Money(name), Value::Money(10_000), Needed);
    let place = || vec![text("topic", "events", Needed), int("kafka_partition", Natural), long("kafka_offset", Natural)];
    let waits_for = || vec![(Tiny("waits_for_type"), Value::Tiny(1), Needed), id("waits_for_id", Optional)];
    let row = |rest: Told| [vec![id("row_key", Needed), id("event_id", Needed), time("event_at", Needed)], rest].concat();
    match question {
        Question::Releasable | Question::ClaimExpired => {
            let record = vec![
                text("record_id", "00ff", Needed),
                (Bytes("kafka_key"), Value::Bytes(&[1, 2]), Optional),
                long("kafka_at", Optional),
                int("retry_count", Natural),
                id("event_id", Needed),
                time("parked_at", Needed),
                text("payload", "{}", Needed),
                text("headers", r#"[{"name":"a","value":"b"}]"#, Optional),
            ];
            [place(), waits_for(), record].concat()
        }
        Question::Parked => vec![long("waiting", Natural), time("oldest", Optional)],
        Question::Now => vec![time("now_at", Needed)],
        Question::Park => vec![int("persisted", Needed)],
        Question::Awaited => {
            let counts = vec![long("parents", Natural), long("events", Natural), long("children", Natural), time("oldest", Needed)];
            [place(), waits_for(), counts, vec![int("written", Needed), id("event_id", Needed), time("parked_at", Needed)]].concat()
        }
        Question::Positions => {
            vec![id("log_id", Needed), text("topic", "events", Needed), int("kafka_partition", Natural), long("next_offset", Natural)]
        }
        Question::Consumers => {
            let names = ["host", "version", "group_name", "topic", "state"].map(|name| text(name, "{}", Needed)).to_vec();
            [names, vec![id("instance", Needed), long("process_id", Natural), time("started_at", Needed), long("age_ms", Needed)]].concat()
        }
        Question::LedgerState => vec![
            time("events_before", Needed),
            long("folded", Natural),
            long("number", Optional),
            time("their_events_before", Needed),
            time("applied_before", Needed),
            long("lines", Natural),
        ],
        Question::Foldable => vec![long("lines", Natural), long("articles", Natural)],
        Question::BeginCompaction => {
            vec![long("number", Needed), time("their_events_before", Needed), time("applied_before", Needed), long("lines", Natural)]
        }
        Question::Compact => vec![int("looked_at", Natural), int("folded", Natural), int("ended", Natural)],
        Question::OpeningBalances => vec![text("sku", "a", Needed), long("quantity", Needed)],
        Question::WrongStock => vec![text("article", "a", Needed), text("quantity", "-3", Optional), text("ledger", "3", Optional)],
        Question::Users => row(["email", "email_key", "first_name", "last_name"]
            .map(|name| text(name, "a", Needed))
            .into_iter()
            .chain([time("created_at", Needed)])
            .collect()),
        Question::Orders => {
            let items = vec![int("line_no", Optional), text("sku", "a", Needed), int("quantity", Needed), money("price")];
            row([vec![id("user_id", Needed), money("total_amount"), text("currency", "EUR", Needed), time("placed_at", Needed)], items]
                .concat())
        }
        Question::Payments => {
            let texts = ["currency", "payment_method", "status"].map(|name| text(name, "a", Needed));
            row([vec![id("order_id", Needed), money("amount"), time("settled_at", Needed)], texts.to_vec()].concat())
        }
        Question::Adjustments => {
            let texts = ["sku", "adjustment_type", "reason"].map(|name| text(name, "a", Needed));
            row([vec![long("delta", Needed), time("adjusted_at", Needed)], texts.to_vec()].concat())
        }
        Question::Count => vec![long("users", Natural)],
        Question::Lease => vec![int("held", Natural)],
        Question::AuditPage => {
            let texts = ["actor", "origin", "action", "subject", "outcome"].map(|name| text(name, "a", Needed)).to_vec();
            let digests = vec![
                digest("before_digest", Optional),
                digest("after_digest", Optional),
                digest("previous_hash", Needed),
                digest("hash", Needed),
            ];
            [texts, digests, vec![long("number", Needed), time("at", Needed), id("operation", Needed)]].concat()
        }
        Question::Jobs => {
            let texts = ["actor", "origin", "subject", "counts"].map(|name| text(name, "sent 2", Needed)).to_vec();
            let numbers = vec![long("number", Needed), (Float("rate"), Value::Float(2.5), Optional), int("max_retries", Natural)];
            let rest = vec![
                text("state", "paused", Needed),
                text("problem", "a", Optional),
                id("operation", Needed),
                time("made_at", Needed),
                time("updated_at", Needed),
            ];
            [texts, numbers, rest].concat()
        }
        Question::JobLetters => vec![text("id", "0a", Needed), text("result", "sent", Needed), text("landed", "{}", Optional)],
        Question::ChangeJob => vec![int("changed", Natural)],
    }
}

/// Whether the answer is one row, always.
const fn is_one_row(question: Question) -> bool {
    use Question::*;
    matches!(question, Parked | Now | Park | LedgerState | Foldable | BeginCompaction | Compact | Count | Lease | ChangeJob)
}

/// Asks; tells how many rows were read, or what one row says.
async fn ask(store: &SqlServer, question: Question) -> Result<usize, Fault> {
    fn one<T: Debug>(_: T) -> usize {
        1
    }
    let many = 1_000;
    let cutoff = Cutoff { events_before: second(0), applied_before: second(0) };
    let table = |table| async move { store.rows_after(table, None, many).await.map(|rows| rows.len()) };
    match question {
        Question::Releasable => store.releasable(&Parents::Any, None, many).await.map(|events| events.len()),
        Question::ClaimExpired => store.claim_expired(second(0), many).await.map(|events| events.len()),
        Question::Parked => store.parked().await.map(one),
        Question::Now => store.now().await.map(one),
        Question::Park => store.park(&[parked(&user(Uuid::nil()))]).await.map(one),
        Question::Awaited => store.awaited(many, many).await.map(|awaited| awaited.largest.iter().map(|parent| parent.first.len()).sum()),
        Question::Positions => store.positions("events").await.map(|positions| positions.len()),
        Question::Consumers => store.consumers(Duration::from_secs(60)).await.map(|consumers| consumers.len()),
        Question::LedgerState => store.ledger_state().await.map(one),
        Question::Foldable => store.foldable(cutoff).await.map(one),
        Question::BeginCompaction => store.begin_compaction(cutoff).await.map(one),
        Question::Compact => store.compact(1, 10).await.map(one),
        Question::OpeningBalances => store.opening_balances(None, many).await.map(|balances| balances.len()),
        Question::WrongStock => store.wrong_stock(many).await.map(|articles| articles.len()),
        Question::Users => table(Table::Users).await,
        Question::Orders => table(Table::Orders).await,
        Question::Payments => table(Table::Payments).await,
        Question::Adjustments => table(Table::Adjustments).await,
        Question::Count => store.count(Table::Users).await.map(one),
        Question::Lease => store.take_lease("audit", Uuid::nil(), Duration::from_secs(60)).await.map(one),
        Question::AuditPage => store.audit_page(AuditPage::After(0), many).await.map(|entries| entries.len()),
        Question::Jobs => store.jobs_before(9, many).await.map(|jobs| jobs.len()),
        Question::JobLetters => store.job_letters(1, "", many).await.map(|letters| letters.len()),
        Question::ChangeJob => store.change_job(1, &JobChange::Pause).await.map(one),
    }
}

/// An answer of so many rows, each with a key of its own where rows have one.
fn answer(question: Question, rows: usize) -> Answer {
    let told = row_of(question);
    let row = |number: usize| {
        let value = |(column, value, _): &(Column, Value<'static>, Rule)| match column {
            Column::Guid("row_key") => Value::Guid(Uuid::from_u128(number as u128)),
            _ => *value,
        };
        told.iter().map(value).collect()
    };
    let rows = if is_one_row(question) { 1 } else { rows };
    Answer { sets: 1, columns: told.iter().map(|(column, ..)| *column).collect(), rows: (0..rows).map(row).collect() }
}

/// What a row of the answer says of a column.
fn value(answer: &Answer, row: usize, column: &Column) -> Option<Value<'static>> {
    answer.column(column).map(|values| values[row])
}

/// Whether a row keeps what is promised of each column that is looked at.
fn is_kept(question: Question, answer: &Answer, row: usize) -> bool {
    let is_null = |column| value(answer, row, column) == Some(Value::Null);
    // Without a compaction nothing more is asked about it; without an item, nothing about that.
    let mut skipped: Vec<&str> = match question {
        Question::LedgerState if is_null(&Column::Long("number")) => vec!["their_events_before", "applied_before", "lines"],
        Question::Orders if is_null(&Column::Int("line_no")) => vec!["sku", "quantity", "price"],
        _ => vec![],
    };
    // Another item of the same order, which says once more what the order shows.
    if question == Question::Orders && goes_on(answer, row) {
        let shown = [Column::Guid("event_id"), Column::Time("event_at")];
        if shown.iter().any(|column| value(answer, row, column) != value(answer, row - 1, column)) {
            return false;
        }
        skipped.extend(["user_id", "total_amount", "currency", "placed_at"]);
    }
    // What a newer program's events wait for is counted and not told.
    let is_unknown = question == Question::Awaited && !is_known(answer, row);
    row_of(question).iter().all(|(column, _, rule)| {
        let value = value(answer, row, column);
        let is_looked_at = !skipped.contains(&column.name());
        let is_negative = matches!(value, Some(Value::Int(..0) | Value::Long(..0)));
        match (value, rule) {
            _ if !is_looked_at => true,
            _ if is_unknown && !matches!(column.name(), "parents" | "events") => true,
            (None, _) => false,
            (Some(Value::Null), rule) => *rule == Optional,
            (Some(_), Natural) => !is_negative,
            (Some(_), _) => true,
        }
    })
}

/// Whether this program knows what a row's event waits for; where that cannot be read, the row is refused anyway.
fn is_known(answer: &Answer, row: usize) -> bool {
    let parent = match value(answer, row, &Column::Guid("waits_for_id")) {
        Some(Value::Guid(id)) => Some(id),
        Some(Value::Null) => None,
        _ => return true,
    };
    match value(answer, row, &Column::Tiny("waits_for_type")) {
        Some(Value::Tiny(number)) => WaitsFor::from_columns(number, parent).is_some(),
        _ => true,
    }
}

/// Whether a row is of the same order as the one before.
fn goes_on(answer: &Answer, row: usize) -> bool {
    let key = |row| value(answer, row, &Column::Guid("row_key"));
    row > 0 && key(row) == key(row - 1)
}

/// How many things the rows come to.
fn count(question: Question, answer: &Answer) -> usize {
    let rows = 0..answer.rows.len();
    match question {
        Question::Awaited => rows.filter(|row| is_known(answer, *row)).count(),
        Question::Orders => rows.filter(|row| !goes_on(answer, *row)).count(),
        _ => rows.len(),
    }
}

#[test]
fn every_row_is_read_or_the_answer_is_an_error() {
    holds((any::<Index>(), 0..4_usize, changes(), ending()), |runtime, (question, rows, changes, ending)| {
        let question = QUESTIONS[question.index(QUESTIONS.len())];
        let right = answer(question, rows);
        let mut answer = right.clone();
        changes.iter().for_each(|change: &Change| answer.change(change));
        let (step, is_silent) = (answer.step(&ending), matches!(ending, Ending::Silent(_)));
        let told = runtime.block_on(asked(step, is_silent, async |store| ask(store, question).await))?;
        let is_right_shape = answer.sets == 1 && (!is_one_row(question) || answer.rows.len() == 1);
        let is_believable =
            matches!(ending, Ending::Whole) && is_right_shape && (0..answer.rows.len()).all(|row| is_kept(question, &answer, row));
        match told {
            Ok(read) => {
                prop_assert!(is_believable, "{question:?}: {answer:?} was believed");
                prop_assert_eq!(read, count(question, &answer), "{:?}: {:?}", question, answer);
            }
            Err(fault) => prop_assert!(answer != right || !matches!(ending, Ending::Whole), "{question:?}: {fault:?}"),
        }
        Ok(())
    });
}

/// A change of an answer of two rows, by hand.
type ByHand = fn(&mut Answer);

fn put(answer: &mut Answer, row: usize, name: &str, value: Value<'static>) {
    let place = answer.columns.iter().position(|column| column.name() == name).unwrap();
    answer.rows[row][place] = value;
}

#[tokio::test]
async fn an_answer_that_says_too_little_or_what_cannot_be_is_a_bug() {
    let examples: [(Question, ByHand); 7] = [
        (Question::Positions, |answer| answer.sets = 0),
        (Question::Positions, |answer| put(answer, 1, "next_offset", Value::Long(-1))),
        (Question::Releasable, |answer| put(answer, 1, "kafka_partition", Value::Int(-1))),
        (Question::Parked, |answer| put(answer, 0, "waiting", Value::Long(-5))),
        (Question::Lease, |answer| answer.rows.push(answer.rows[0].clone())),
        (Question::Awaited, |answer| put(answer, 1, "children", Value::Null)),
        (Question::Orders, |answer| {
            put(answer, 1, "row_key", Value::Guid(Uuid::nil()));
            put(answer, 1, "event_id", Value::Guid(Uuid::nil()));
        }),
    ];
    for (question, change) in examples {
        let mut answer = answer(question, 2);
        change(&mut answer);
        let told = asked(answer.step(&Ending::Whole), false, async |store| ask(store, question).await).await.unwrap();
        assert_eq!(told.unwrap_err().class, FaultClass::Bug, "{question:?}");
    }
}
