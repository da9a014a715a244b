//! The simulated database, and the adapter of it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`tables`] | what is committed |
//! | [`key`] | what identifies a parked event, and a position |
//! | `locks` | who holds which row, and who waits for whom |
//! | `transaction` | writes that are not committed |
//! | `apply`, `users`, `children`, `stock` | a batch, statement by statement |
//! | `parking` | events that wait, and the end of waiting |
//! | `meeting`, `meetings` | a claim and a release that are driven to the same rows |
//! | `request` | a call over a connection that may break, to a server that may go on without it |
//! | [`adapter`] | the ports that the consumer uses |
//! | `table_rows` | the tables row by row |
//! | `read` | the other ports of a database, for the contract suite |

pub mod adapter;
mod apply;
mod children;
pub mod key;
mod locks;
mod meeting;
mod meetings;
mod parking;
mod read;
mod request;
mod stock;
mod table_rows;
pub mod tables;
mod transaction;
mod users;

use std::borrow::Cow;

use events::{Body, Event, InventoryAdjusted, OrderItem, OrderPlaced, PaymentSettled, UserCreated};
use pipeline::fault::{Dependency, Fault, FaultClass};

pub use adapter::SimStore;
pub use children::{REFUSED_QUANTITY, is_refused};
pub use tables::{Parked, Row, Tables};

/// A failure as the adapter of SQL Server tells it.
const fn fault(class: FaultClass, code: i64, subject: &'static str) -> Fault {
    Fault { dependency: Dependency::Database, class, code: Some(code), subject }
}

/// The connection broke.
const AWAY: FaultClass = FaultClass::Unavailable { timed_out: false };

/// The event, independent of the record that it was read from.
pub fn owned(event: &Event<'_>) -> Event<'static> {
    let text = |text: &Cow<'_, str>| Cow::Owned(text.clone().into_owned());
    let body = match &event.body {
        Body::UserCreated(user) => Body::UserCreated(UserCreated {
            user_id: user.user_id,
            email: text(&user.email),
            first_name: text(&user.first_name),
            last_name: text(&user.last_name),
            created_at: user.created_at,
        }),
        Body::OrderPlaced(order) => Body::OrderPlaced(OrderPlaced {
            order_id: order.order_id,
            user_id: order.user_id,
            total_amount: order.total_amount,
            currency: text(&order.currency),
            items: order.items.iter().map(|item| OrderItem { sku: text(&item.sku), quantity: item.quantity, price: item.price }).collect(),
            placed_at: order.placed_at,
        }),
        Body::PaymentSettled(payment) => Body::PaymentSettled(PaymentSettled {
            payment_id: payment.payment_id,
            order_id: payment.order_id,
            amount: payment.amount,
            currency: text(&payment.currency),
            payment_method: text(&payment.payment_method),
            status: text(&payment.status),
            settled_at: payment.settled_at,
        }),
        Body::InventoryAdjusted(adjustment) => Body::InventoryAdjusted(InventoryAdjusted {
            sku: text(&adjustment.sku),
            quantity: adjustment.quantity,
            adjustment_type: adjustment.adjustment_type,
            reason: text(&adjustment.reason),
            adjusted_at: adjustment.adjusted_at,
        }),
    };
    Event { id: event.id, at: event.at, body }
}

/// An event in a few words: what it is about, and the first digits of its id.
pub fn describe(event: &Event<'_>) -> String {
    let short = |id: uuid::Uuid| id.simple().to_string()[..4].to_owned();
    let about = match &event.body {
        Body::UserCreated(user) => format!("user {} <{}>", short(user.user_id), user.email),
        Body::OrderPlaced(order) => format!("order {} of user {}", short(order.order_id), short(order.user_id)),
        Body::PaymentSettled(payment) => format!("payment {} of order {}", short(payment.payment_id), short(payment.order_id)),
        Body::InventoryAdjusted(adjustment) => format!("stock {} {:+}", adjustment.sku, adjustment.delta()),
    };
    format!("#{} {about} at {:.3}", short(event.id), event.at.unix_millis().rem_euclid(10_000_000) as f64 / 1000.0)
}
