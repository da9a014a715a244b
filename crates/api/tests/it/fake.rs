//! A store that answers, fails, hangs or panics, as told.

use std::sync::{Arc, Mutex};

use api::{HealthTells, READ_STORE};
use axum::Router;
use events::Timestamp;
use readmodel::{AsOf, InventoryView, OrderItemView, OrderSummary, OrderView, PaymentView, ReadFault, ReadStore, RecentUser, UserView};
use telemetry::{Health, Metrics, Part};
use tokio::sync::Notify;
use uuid::{Uuid, uuid};

pub const USER: Uuid = uuid!("11111111-1111-4111-8111-111111111111");
pub const ORDER: Uuid = uuid!("22222222-2222-4222-8222-222222222222");
pub const PAYMENT: Uuid = uuid!("33333333-3333-4333-8333-333333333333");
pub const SKU: &str = "LAPTOP-001";
/// Neither an answer nor a health report may hold it.
pub const SECRET: &str = "secret";

#[derive(Clone, Debug, Default)]
pub enum Mode {
    #[default]
    Answers,
    Fails(ReadFault),
    Hangs,
    Panics,
    /// Holds each call until it is notified.
    Holds(Arc<Notify>),
}

#[derive(Clone, Default)]
pub struct FakeStore {
    mode: Arc<Mutex<Mode>>,
    calls: Arc<Mutex<Vec<String>>>,
    /// How old the tables are; nothing was written where nothing is set.
    pub as_of: Arc<Mutex<Option<Result<AsOf, ReadFault>>>>,
}

/// The router on a fake store, and what stands around it.
pub struct Rig {
    pub router: Router,
    pub store: FakeStore,
    pub metrics: Metrics,
    pub health: Health,
}

impl Rig {
    pub fn new() -> Self {
        Self::telling(HealthTells::Kind)
    }

    pub fn telling(tells: HealthTells) -> Self {
        let (store, metrics) = (FakeStore::default(), Metrics::new(&[Part::Api]).unwrap());
        let health = Health::new(&[READ_STORE], None);
        let router = api::router(store.clone(), metrics.clone(), health.clone(), tells);
        Self { router, store, metrics, health }
    }

    pub fn in_mode(mode: Mode) -> Self {
        let rig = Self::new();
        rig.store.set(mode);
        rig
    }
}

pub fn fault(class: &'static str, code: Option<i64>) -> Mode {
    let number = code.map_or_else(String::new, |code| format!(" (error {code})"));
    Mode::Fails(ReadFault { class, code, told: format!("the database at db:1433 refuses{number}") })
}

impl FakeStore {
    pub fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    /// What was asked, in order.
    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    async fn answer<T>(&self, call: String, value: T) -> Result<T, ReadFault> {
        self.calls.lock().unwrap().push(call);
        let mode = self.mode.lock().unwrap().clone();
        match mode {
            Mode::Answers => Ok(value),
            Mode::Fails(fault) => Err(fault),
            Mode::Hangs => std::future::pending().await,
            Mode::Panics => panic!("a {SECRET} in a panic"),
            Mode::Holds(release) => {
                release.notified().await;
                Ok(value)
            }
        }
    }
}

impl ReadStore for FakeStore {
    async fn user(&self, user_id: Uuid) -> Result<Option<UserView>, ReadFault> {
        let view = (user_id == USER).then(|| UserView { user: user(), orders: vec![summary("0.1000")] });
        self.answer(format!("user {user_id}"), view).await
    }

    async fn recent_users(&self, limit: u16) -> Result<Vec<RecentUser>, ReadFault> {
        let older = RecentUser { user_id: PAYMENT, ..user() };
        self.answer(format!("recent_users {limit}"), vec![user(), older]).await
    }

    async fn order(&self, order_id: Uuid) -> Result<Option<OrderView>, ReadFault> {
        let item = |sku: &str, quantity, price: &str| OrderItemView { sku: sku.to_owned(), quantity, price: price.parse().unwrap() };
        let payment = PaymentView {
            payment_id: PAYMENT,
            amount: "12345678901234.5678".parse().unwrap(),
            currency: "EUR".to_owned(),
            payment_method: "card".to_owned(),
            status: "settled".to_owned(),
            settled_at: time("2026-01-15T10:00:02Z"),
        };
        let items = vec![item(SKU, 1, "299.99"), item("MOUSE", -2, "0.1")];
        let view = OrderView { order: summary("12345678901234.5678"), items, payment: Some(payment) };
        let found = match order_id {
            ORDER => Some(view),
            PAYMENT => Some(OrderView { items: Vec::new(), payment: None, ..view }),
            _ => None,
        };
        self.answer(format!("order {order_id}"), found).await
    }

    async fn inventory(&self, sku: &str) -> Result<Option<InventoryView>, ReadFault> {
        let known = [SKU, "ÄÖ/ü 100%+?", "\u{1F600}"].contains(&sku);
        let view = InventoryView { sku: sku.to_owned(), quantity: -9_007_199_254_740_993, updated_at: time("2026-01-15T10:00:03Z") };
        self.answer(format!("inventory {sku}"), known.then_some(view)).await
    }

    async fn ping(&self) -> Result<(), ReadFault> {
        self.answer("ping".to_owned(), ()).await
    }

    async fn as_of(&self) -> Result<Option<AsOf>, ReadFault> {
        self.as_of.lock().unwrap().clone().transpose()
    }
}

fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn user() -> RecentUser {
    RecentUser {
        user_id: USER,
        email: "ada@example.com".to_owned(),
        first_name: "Ada \u{1F600}".to_owned(),
        last_name: "O'Neil \"<b>\"".to_owned(),
        created_at: time("2026-01-15T10:00:00Z"),
        updated_at: time("2026-01-15T10:00:01.123456Z"),
    }
}

fn summary(total: &str) -> OrderSummary {
    OrderSummary {
        order_id: ORDER,
        user_id: USER,
        total_amount: total.parse().unwrap(),
        currency: "EUR".to_owned(),
        placed_at: time("2026-01-15T12:00:00+02:00"),
        updated_at: time("2026-01-15T10:00:01Z"),
    }
}
