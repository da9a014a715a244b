//! The views that rows must show after an event; `updated_at`, which no event holds, is given.

use events::{Body, Event, OrderItem, Timestamp};
use readmodel::{OrderItemView, OrderSummary, OrderView, PaymentView, RecentUser};

/// A user that shows this event.
///
/// # Panics
/// The event is of another type.
pub fn recent_user(user: &Event<'_>, updated_at: Timestamp) -> RecentUser {
    let Body::UserCreated(user) = &user.body else { panic!("not a user") };
    RecentUser {
        user_id: user.user_id,
        email: user.email.to_string(),
        first_name: user.first_name.to_string(),
        last_name: user.last_name.to_string(),
        created_at: user.created_at,
        updated_at,
    }
}

/// An order that shows this event, with this payment.
///
/// # Panics
/// They are events of another type.
pub fn order_of(order: &Event<'_>, payment: Option<&Event<'_>>, updated_at: Timestamp) -> OrderView {
    let Body::OrderPlaced(order) = &order.body else { panic!("not an order") };
    let payment = payment.map(|payment| {
        let Body::PaymentSettled(payment) = &payment.body else { panic!("not a payment") };
        PaymentView {
            payment_id: payment.payment_id,
            amount: payment.amount,
            currency: payment.currency.to_string(),
            payment_method: payment.payment_method.to_string(),
            status: payment.status.to_string(),
            settled_at: payment.settled_at,
        }
    });
    let item = |item: &OrderItem<'_>| OrderItemView { sku: item.sku.to_string(), quantity: item.quantity, price: item.price };
    let summary = OrderSummary {
        order_id: order.order_id,
        user_id: order.user_id,
        total_amount: order.total_amount,
        currency: order.currency.to_string(),
        placed_at: order.placed_at,
        updated_at,
    };
    OrderView { order: summary, items: order.items.iter().map(item).collect(), payment }
}
