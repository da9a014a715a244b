//! What events say, where it does not matter what they say.

use events::{Body, Money, OrderItem, OrderPlaced, PaymentSettled, Timestamp, UserCreated};
use uuid::Uuid;

/// A key and a value.
pub(crate) type Message = (Vec<u8>, Option<Vec<u8>>);

/// The name in an address that no other user claims.
pub(crate) fn name_of(user_id: Uuid) -> String {
    user_id.simple().to_string()[..8].to_owned()
}

/// A user who claims the address of this name.
pub(crate) fn user(user_id: Uuid, name: &str, created_at: Timestamp) -> Body<'static> {
    Body::UserCreated(UserCreated {
        user_id,
        email: format!("{name}@example.com").into(),
        first_name: "Ada".into(),
        last_name: "Lovelace".into(),
        created_at,
    })
}

/// An order of so much of one article.
pub(crate) fn order(order_id: Uuid, user_id: Uuid, quantity: i32, placed_at: Timestamp) -> Body<'static> {
    let price = Money::from_units(10_000).unwrap_or_default();
    Body::OrderPlaced(OrderPlaced {
        order_id,
        user_id,
        total_amount: price,
        currency: "EUR".into(),
        items: vec![OrderItem { sku: "article".into(), quantity, price }],
        placed_at,
    })
}

/// A payment of this order.
pub(crate) fn payment(payment_id: Uuid, order_id: Uuid, settled_at: Timestamp) -> Body<'static> {
    Body::PaymentSettled(PaymentSettled {
        payment_id,
        order_id,
        amount: Money::from_units(10_000).unwrap_or_default(),
        currency: "EUR".into(),
        payment_method: "card".into(),
        status: "settled".into(),
        settled_at,
    })
}
