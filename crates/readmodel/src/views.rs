//! The JSON bodies of the API's answers: camelCase, the field names of the events, `updatedAt` added.

use events::{Money, Timestamp};
use serde::Serialize;
use uuid::Uuid;

/// How many orders a user's answer shows.
pub const ORDERS_SHOWN: u16 = 5;

/// `GET /users/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserView {
    /// The user, as in [`RecentUser`].
    #[serde(flatten)]
    pub user: RecentUser,
    /// The last [`ORDERS_SHOWN`], newest first.
    pub orders: Vec<OrderSummary>,
}

/// An element of `GET /users/recent`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecentUser {
    /// The user's identity.
    pub user_id: Uuid,
    /// As the newest event wrote it.
    pub email: String,
    /// As the newest event wrote it.
    pub first_name: String,
    /// As the newest event wrote it.
    pub last_name: String,
    /// When the user came to be.
    pub created_at: Timestamp,
    /// When the row last changed, by the database's clock.
    pub updated_at: Timestamp,
}

/// An order inside a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderSummary {
    /// The order's identity.
    pub order_id: Uuid,
    /// Who ordered.
    pub user_id: Uuid,
    /// What the order costs.
    pub total_amount: Money,
    /// ISO 4217.
    pub currency: String,
    /// When it was ordered.
    pub placed_at: Timestamp,
    /// When the row last changed, by the database's clock.
    pub updated_at: Timestamp,
}

/// `GET /orders/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderView {
    /// The order, as in a user.
    #[serde(flatten)]
    pub order: OrderSummary,
    /// In the order of the event.
    pub items: Vec<OrderItemView>,
    /// Of several, the newest settled.
    pub payment: Option<PaymentView>,
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderItemView {
    /// The article.
    pub sku: String,
    /// How many.
    pub quantity: i32,
    /// The price of one.
    pub price: Money,
}

/// A payment inside an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentView {
    /// The payment's identity.
    pub payment_id: Uuid,
    /// How much was paid.
    pub amount: Money,
    /// ISO 4217.
    pub currency: String,
    /// How it was paid.
    pub payment_method: String,
    /// How it ended.
    pub status: String,
    /// When it was settled.
    pub settled_at: Timestamp,
}

/// `GET /inventory/{sku}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InventoryView {
    /// The article.
    pub sku: String,
    /// The sum of every adjustment that was applied.
    pub quantity: i64,
    /// When the row last changed, by the database's clock.
    pub updated_at: Timestamp,
}
