//! One good event of each type: a short journey of one user, for documentation, tests and defaults.

use std::borrow::Cow;

use uuid::Uuid;

use crate::{
    AdjustmentType, Body, Event, EventType, InventoryAdjusted, Money, OrderItem, OrderPlaced, PaymentSettled, Timestamp, UserCreated,
};

const USER_ID: Uuid = Uuid::from_u128(0x2f1c_7d5e_0001_4000_8000_0000_0000_0001);
const ORDER_ID: Uuid = Uuid::from_u128(0x2f1c_7d5e_0002_4000_8000_0000_0000_0002);
const PAYMENT_ID: Uuid = Uuid::from_u128(0x2f1c_7d5e_0003_4000_8000_0000_0000_0003);

/// A good event of this type.
pub fn of(event_type: EventType) -> Event<'static> {
    let (number, body) = match event_type {
        EventType::UserCreated => (1, user()),
        EventType::OrderPlaced => (2, order()),
        EventType::PaymentSettled => (3, payment()),
        EventType::InventoryAdjusted => (4, adjustment()),
    };
    Event { id: Uuid::from_u128(0x2f1c_7d5e_ffff_4000_8000_0000_0000_0000 + number), at: at(number), body }
}

/// 2026-01-15, so many minutes after ten.
fn at(minute: u128) -> Timestamp {
    let ten = Timestamp::UNIX_EPOCH.plus_micros(1_768_471_200_000_000);
    ten.plus_micros(i64::try_from(minute).unwrap_or_default() * 60_000_000)
}

fn amount(units: i128) -> Money {
    Money::from_units(units).unwrap_or_default()
}

fn user() -> Body<'static> {
    Body::UserCreated(UserCreated {
        user_id: USER_ID,
        email: Cow::Borrowed("ada.lovelace@example.com"),
        first_name: Cow::Borrowed("Ada"),
        last_name: Cow::Borrowed("Lovelace"),
        created_at: at(1),
    })
}

fn order() -> Body<'static> {
    Body::OrderPlaced(OrderPlaced {
        order_id: ORDER_ID,
        user_id: USER_ID,
        total_amount: amount(2_999_900),
        currency: Cow::Borrowed("EUR"),
        items: vec![
            OrderItem { sku: Cow::Borrowed("KEYBOARD-DE"), quantity: 1, price: amount(1_999_900) },
            OrderItem { sku: Cow::Borrowed("MOUSE-01"), quantity: 2, price: amount(500_000) },
        ],
        placed_at: at(2),
    })
}

fn payment() -> Body<'static> {
    Body::PaymentSettled(PaymentSettled {
        payment_id: PAYMENT_ID,
        order_id: ORDER_ID,
        amount: amount(2_999_900),
        currency: Cow::Borrowed("EUR"),
        payment_method: Cow::Borrowed("credit_card"),
        status: Cow::Borrowed("settled"),
        settled_at: at(3),
    })
}

fn adjustment() -> Body<'static> {
    Body::InventoryAdjusted(InventoryAdjusted {
        sku: Cow::Borrowed("KEYBOARD-DE"),
        quantity: 100,
        adjustment_type: AdjustmentType::Add,
        reason: Cow::Borrowed("delivery"),
        adjusted_at: at(4),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journey_adds_up() {
        let [user, order, payment, adjustment] = EventType::ALL.map(of);
        let times = [&user, &order, &payment, &adjustment].map(|event| event.at.to_string());
        assert_eq!(times, [1, 2, 3, 4].map(|minute| format!("2026-01-15T10:0{minute}:00Z")));
        let ids = [&user, &order, &payment, &adjustment].map(|event| event.id.to_string());
        assert_eq!(ids, [1, 2, 3, 4].map(|number| format!("2f1c7d5e-ffff-4000-8000-00000000000{number}")));
        let (Body::OrderPlaced(order), Body::PaymentSettled(payment)) = (order.body, payment.body) else {
            panic!("an order and its payment")
        };
        let sum = order.items.iter().try_fold(Money::ZERO, |sum, item| sum.checked_add(item.price.checked_mul(item.quantity)?));
        assert_eq!((order.total_amount.to_string().as_str(), sum), ("299.99", Some(order.total_amount)));
        assert_eq!((payment.order_id, payment.amount), (order.order_id, order.total_amount));
    }
}
