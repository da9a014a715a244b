//! The tables: one batch, one transaction, one round trip.

use std::sync::Arc;

use pipeline::audit::AuditTail;
use pipeline::ports::DryRun;
use pipeline::{Applied, Batch, EventStore, Fault, FaultClass, ParkedKey};
use tiberius::ToSql;
use tokio::sync::Mutex;

use crate::answer;
use crate::config::SqlServerConfig;
use crate::faults;
use crate::json::{JsonParameter, JsonRows, unify_types};
use crate::pool::Pool;
use crate::positions;
use crate::statement::{APPLY_BATCH, PING};

/// A database on SQL Server. Clones share one pool of connections; the first statement opens the first of them.
#[derive(Clone)]
pub struct SqlServer {
    pub(crate) pool: Arc<Pool>,
    /// Where the audit log ends, as far as this process knows.
    pub(crate) audit_tail: Arc<Mutex<AuditTail>>,
}

impl SqlServer {
    /// The database that the configuration names. Connects when it is first used.
    pub fn new(config: SqlServerConfig) -> Self {
        Self { pool: Arc::new(Pool::new(config)), audit_tail: Arc::new(Mutex::new(AuditTail::EMPTY)) }
    }

    /// Whether the server answers and our tables can be read.
    ///
    /// # Errors
    /// Why not, with the server's error number where it gave one.
    pub async fn check(&self) -> Result<(), Fault> {
        self.pool.ask(&PING, &[]).await?.accept();
        Ok(())
    }
}

impl EventStore for SqlServer {
    async fn apply(&self, batch: Batch<'_>) -> Result<Applied, Fault> {
        self.run(batch, Purpose::Write).await
    }
}

impl DryRun for SqlServer {
    /// Holds the locks that [`EventStore::apply`] would hold, for as long as that would.
    async fn dry_run(&self, batch: Batch<'_>) -> Result<Applied, Fault> {
        self.run(batch, Purpose::DryRun).await
    }
}

/// What the batch statement is run for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// To commit.
    Write,
    /// To see what it would do.
    DryRun,
}

impl SqlServer {
    async fn run(&self, batch: Batch<'_>, purpose: Purpose) -> Result<Applied, Fault> {
        if batch.is_empty() {
            return Ok(Applied { outcomes: Vec::new(), children_wait: false, addresses_free: false });
        }
        let parameters = Parameters::of(batch, purpose);
        let answer = self.pool.ask(&APPLY_BATCH, &parameters.in_order()).await?;
        // An answer that cannot be believed is dropped, and its connection with it.
        let applied = answer::read(batch, &answer::words(answer.sets())?)?;
        answer.accept();
        applied.ok_or(faults::fault(FaultClass::ReleaseLost, APPLY_BATCH.name))
    }
}

/// The parameters of the batch statement; it says itself what each of them is.
struct Parameters {
    users: JsonParameter,
    orders: JsonParameter,
    items: JsonParameter,
    payments: JsonParameter,
    adjustments: JsonParameter,
    released: JsonParameter,
    /// 1 only asks what would happen.
    dry_run: i32,
    positions: JsonParameter,
}

impl Parameters {
    fn of(batch: Batch<'_>, purpose: Purpose) -> Self {
        let (orders, items) = orders(batch);
        let mut parameters = Self {
            users: users(batch),
            orders,
            items,
            payments: payments(batch),
            adjustments: adjustments(batch),
            released: released(batch),
            dry_run: i32::from(purpose == Purpose::DryRun),
            positions: positions::rows(batch.positions()),
        };
        let Self { users, orders, items, payments, adjustments, released, positions, .. } = &mut parameters;
        unify_types([users, orders, items, payments, adjustments, released, positions]);
        parameters
    }

    /// `@P1` to `@P14`.
    fn in_order(&self) -> [&dyn ToSql; 14] {
        let Self { users, orders, items, payments, adjustments, released, dry_run, positions } = self;
        let [p1, p2, p3, p4, p5]: [&dyn ToSql; 5] = [&users.text, &orders.text, &items.text, &payments.text, &adjustments.text];
        let [p6, p7, p8, p9]: [&dyn ToSql; 4] = [&users.rows, &orders.rows, &payments.rows, &adjustments.rows];
        [p1, p2, p3, p4, p5, p6, p7, p8, p9, &released.text, &released.rows, dry_run, &positions.text, &positions.rows]
    }
}

fn users(batch: Batch<'_>) -> JsonParameter {
    let mut rows = JsonRows::new();
    for (number, event, user) in batch.users() {
        rows.row()
            .ordinal("o", number)
            .uuid("ev", event.id)
            .time("at", event.at)
            .uuid("id", user.user_id)
            .text("em", &user.email)
            .text("ek", &user.email_key())
            .text("fn", &user.first_name)
            .text("ln", &user.last_name)
            .time("ca", user.created_at);
    }
    rows.finish()
}

/// The orders and, of all of them, the items.
fn orders(batch: Batch<'_>) -> (JsonParameter, JsonParameter) {
    let (mut rows, mut items) = (JsonRows::new(), JsonRows::new());
    for (number, event, order) in batch.orders() {
        rows.row()
            .ordinal("o", number)
            .uuid("ev", event.id)
            .time("at", event.at)
            .uuid("id", order.order_id)
            .uuid("u", order.user_id)
            .money("ta", order.total_amount)
            .text("c", &order.currency)
            .time("pa", order.placed_at);
        for (line, item) in order.items.iter().enumerate() {
            items
                .row()
                .uuid("ev", event.id)
                .uuid("id", order.order_id)
                .ordinal("l", line)
                .text("s", &item.sku)
                .number("q", item.quantity)
                .money("p", item.price);
        }
    }
    (rows.finish(), items.finish())
}

fn payments(batch: Batch<'_>) -> JsonParameter {
    let mut rows = JsonRows::new();
    for (number, event, payment) in batch.payments() {
        rows.row()
            .ordinal("o", number)
            .uuid("ev", event.id)
            .time("at", event.at)
            .uuid("id", payment.payment_id)
            .uuid("u", payment.order_id)
            .money("a", payment.amount)
            .text("c", &payment.currency)
            .text("m", &payment.payment_method)
            .text("s", &payment.status)
            .time("sa", payment.settled_at);
    }
    rows.finish()
}

fn adjustments(batch: Batch<'_>) -> JsonParameter {
    let mut rows = JsonRows::new();
    for (number, event, adjustment) in batch.adjustments() {
        rows.row()
            .ordinal("o", number)
            .uuid("ev", event.id)
            .time("at", event.at)
            .text("s", &adjustment.sku)
            .number("d", adjustment.delta())
            .text("ty", adjustment.adjustment_type.as_str())
            .text("r", &adjustment.reason)
            .time("aa", adjustment.adjusted_at);
    }
    rows.finish()
}

fn released(batch: Batch<'_>) -> JsonParameter {
    let mut rows = JsonRows::new();
    for (number, ParkedKey { position, record }) in batch.releases() {
        let mut row = rows.row();
        row.ordinal("o", number).text("t", &position.topic).number("k", position.partition).number("f", position.offset);
        row.text("r", record.as_str());
    }
    rows.finish()
}

#[cfg(test)]
mod tests {
    use events::{EventType, samples};
    use pipeline::{Item, LogId, LogPosition, Position, RecordId};
    use serde_json::{Value, json};
    use tiberius::ColumnData;
    use uuid::Uuid;

    use super::*;

    fn read(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    fn items(events: &[events::Event<'static>]) -> Vec<Item<'static>> {
        let items = events.iter().map(|event| Item { event: Box::leak(Box::new(event.clone())), releases: Vec::new() });
        items.collect()
    }

    fn all_four() -> Vec<Item<'static>> {
        items(&EventType::ALL.map(samples::of))
    }

    fn moved() -> LogPosition {
        LogPosition { log: LogId(Uuid::from_u128(7)), topic: "events".into(), partition: 3, next_offset: 43 }
    }

    #[test]
    fn each_event_travels_in_its_own_parameter_under_its_number() {
        let position = Position { topic: "events".into(), partition: 3, offset: 42 };
        let mut items = all_four();
        let record = RecordId::from_stored("00ff".to_owned());
        items[1].releases.push(ParkedKey { position: &position, record: &record });
        let moved = [moved()];
        let parameters = Parameters::of(Batch::new(&items).moving(&moved), Purpose::Write);
        let Parameters { users, orders, items, payments, adjustments, released, dry_run, positions } = parameters;
        assert_eq!([users.rows, orders.rows, items.rows, payments.rows, adjustments.rows, released.rows, dry_run], [1, 1, 2, 1, 1, 1, 0]);
        assert_eq!(positions.rows, 1);
        let [users, orders, lines, payments, adjustments, released, positions] =
            [users, orders, items, payments, adjustments, released, positions].map(|parameter| read(&parameter.text));
        assert_eq!(
            users,
            json!([{
                "o": 0, "ev": "2f1c7d5e-ffff-4000-8000-000000000001", "at": "2026-01-15T10:01:00.000000",
                "id": "2f1c7d5e-0001-4000-8000-000000000001", "em": "ada.lovelace@example.com", "ek": "ada.lovelace@example.com",
                "fn": "Ada", "ln": "Lovelace", "ca": "2026-01-15T10:01:00.000000",
            }])
        );
        assert_eq!(
            orders,
            json!([{
                "o": 1, "ev": "2f1c7d5e-ffff-4000-8000-000000000002", "at": "2026-01-15T10:02:00.000000",
                "id": "2f1c7d5e-0002-4000-8000-000000000002", "u": "2f1c7d5e-0001-4000-8000-000000000001",
                "ta": "299.99", "c": "EUR", "pa": "2026-01-15T10:02:00.000000",
            }])
        );
        let (event, order) = ("2f1c7d5e-ffff-4000-8000-000000000002", "2f1c7d5e-0002-4000-8000-000000000002");
        assert_eq!(
            lines,
            json!([
                { "ev": event, "id": order, "l": 0, "s": "KEYBOARD-DE", "q": 1, "p": "199.99" },
                { "ev": event, "id": order, "l": 1, "s": "MOUSE-01", "q": 2, "p": "50" },
            ])
        );
        assert_eq!(
            payments,
            json!([{
                "o": 2, "ev": "2f1c7d5e-ffff-4000-8000-000000000003", "at": "2026-01-15T10:03:00.000000",
                "id": "2f1c7d5e-0003-4000-8000-000000000003", "u": order, "a": "299.99", "c": "EUR",
                "m": "credit_card", "s": "settled", "sa": "2026-01-15T10:03:00.000000",
            }])
        );
        assert_eq!(
            adjustments,
            json!([{
                "o": 3, "ev": "2f1c7d5e-ffff-4000-8000-000000000004", "at": "2026-01-15T10:04:00.000000",
                "s": "KEYBOARD-DE", "d": 100, "ty": "add", "r": "delivery", "aa": "2026-01-15T10:04:00.000000",
            }])
        );
        assert_eq!(released, json!([{ "o": 1, "t": "events", "k": 3, "f": 42, "r": "00ff" }]));
        assert_eq!(positions, json!([{ "l": "00000000-0000-0000-0000-000000000007", "t": "events", "k": 3, "f": 43 }]));
    }

    #[test]
    fn parameters_go_in_the_order_in_which_the_statement_numbers_them() {
        let counts =
            [(EventType::UserCreated, 1), (EventType::OrderPlaced, 2), (EventType::PaymentSettled, 3), (EventType::InventoryAdjusted, 6)];
        let events: Vec<_> = counts.into_iter().flat_map(|(event_type, count)| vec![samples::of(event_type); count]).collect();
        let (position, record) = (Position { topic: "events".into(), partition: 3, offset: 42 }, RecordId::default());
        let mut items = items(&events);
        items[0].releases = vec![ParkedKey { position: &position, record: &record }; 5];
        let moved = vec![moved(); 7];
        let parameters = Parameters::of(Batch::new(&items).moving(&moved), Purpose::DryRun);
        let shown = parameters.in_order().map(|parameter| match parameter.to_sql() {
            ColumnData::String(Some(json)) => ("rows", read(&json).as_array().unwrap().len()),
            ColumnData::I32(Some(number)) => ("number", usize::try_from(number).unwrap()),
            _ => panic!("neither JSON nor a number"),
        });
        let rows = [1, 2, 4, 3, 6].map(|count| ("rows", count));
        let numbers = [1, 2, 3, 6].map(|count| ("number", count));
        assert_eq!(
            shown.as_slice(),
            [&rows[..], &numbers, &[("rows", 5), ("number", 5), ("number", 1), ("rows", 7), ("number", 7)]].concat()
        );
    }

    #[test]
    fn however_much_a_batch_holds_of_what_the_statement_has_two_lists_of_types() {
        let mut seen = std::collections::BTreeSet::new();
        for event_type in EventType::ALL {
            for count in [1, 5, 50, 500] {
                let items = items(&vec![samples::of(event_type); count]);
                let parameters = Parameters::of(Batch::new(&items), Purpose::Write);
                let texts = parameters.in_order().into_iter().filter_map(|parameter| match parameter.to_sql() {
                    ColumnData::String(Some(text)) => Some(text),
                    _ => None,
                });
                // What tiberius declares them as.
                let types: Vec<_> = texts
                    .inspect(|text| assert!(read(text).is_array(), "{text}"))
                    .map(|text| if text.len() <= 4000 { "nvarchar(4000)" } else { "nvarchar(max)" })
                    .collect();
                assert_eq!(types.len(), 7);
                seen.insert(types);
            }
        }
        let lists: Vec<_> = seen.into_iter().collect();
        assert_eq!(lists, [vec!["nvarchar(4000)"; 7], vec!["nvarchar(max)"; 7]]);
    }

    #[test]
    fn children_are_looked_for_after_a_commit_and_before_a_dry_run_is_taken_back() {
        let place = |text: &str| {
            let places: Vec<_> = APPLY_BATCH.text().match_indices(text).map(|(place, _)| place).collect();
            assert_eq!(places.len(), 1, "{text}");
            places[0]
        };
        let [commit, users, orders, addresses, back] =
            ["IF @P12 = 0 COMMIT", "p.waits_for_type = 1", "p.waits_for_type = 2", "FROM @given_up g", "IF @P12 = 1 ROLLBACK"].map(place);
        assert!(commit < users && users < orders && orders < addresses && addresses < back);
    }

    #[test]
    fn positions_move_in_the_transaction_of_the_batch_and_only_when_all_of_it_is_durable() {
        let text = APPLY_BATCH.text();
        let place = |wanted: &str| text.find(wanted).unwrap_or_else(|| panic!("{wanted}"));
        let (decided, moved) = (place("IF @P14 > 0 AND NOT EXISTS (SELECT 1 FROM @outcome"), place("INSERT INTO dbo.log_positions"));
        assert!(place("SELECT -1 AS ord, 'taken'") < decided && decided < moved && moved < place("IF @P12 = 0 COMMIT"));
    }
}
