//! An event to JSON, field by field in the order of the contract.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::{Body, Event, Field, OrderItem};

impl Event<'_> {
    /// The message as it goes on the wire.
    pub fn to_json(&self) -> Vec<u8> {
        // Writing to memory cannot fail, and every field of ours is JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Serialize for Event<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut put = Put(&mut map);
        put.field(Field::EventId, &self.id)?;
        put.field(Field::EventType, self.event_type().as_str())?;
        put.field(Field::Timestamp, &self.at)?;
        match &self.body {
            Body::UserCreated(user) => {
                put.field(Field::UserId, &user.user_id)?;
                put.field(Field::Email, &user.email)?;
                put.field(Field::FirstName, &user.first_name)?;
                put.field(Field::LastName, &user.last_name)?;
                put.field(Field::CreatedAt, &user.created_at)?;
            }
            Body::OrderPlaced(order) => {
                put.field(Field::OrderId, &order.order_id)?;
                put.field(Field::UserId, &order.user_id)?;
                put.field(Field::TotalAmount, &order.total_amount)?;
                put.field(Field::Currency, &order.currency)?;
                put.field(Field::Items, &order.items)?;
                put.field(Field::PlacedAt, &order.placed_at)?;
            }
            Body::PaymentSettled(payment) => {
                put.field(Field::PaymentId, &payment.payment_id)?;
                put.field(Field::OrderId, &payment.order_id)?;
                put.field(Field::Amount, &payment.amount)?;
                put.field(Field::Currency, &payment.currency)?;
                put.field(Field::PaymentMethod, &payment.payment_method)?;
                put.field(Field::Status, &payment.status)?;
                put.field(Field::SettledAt, &payment.settled_at)?;
            }
            Body::InventoryAdjusted(adjustment) => {
                put.field(Field::Sku, &adjustment.sku)?;
                put.field(Field::Quantity, &adjustment.quantity)?;
                put.field(Field::AdjustmentType, adjustment.adjustment_type.as_str())?;
                put.field(Field::Reason, &adjustment.reason)?;
                put.field(Field::AdjustedAt, &adjustment.adjusted_at)?;
            }
        }
        map.end()
    }
}

impl Serialize for OrderItem<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        let mut put = Put(&mut map);
        put.field(Field::Sku, &self.sku)?;
        put.field(Field::Quantity, &self.quantity)?;
        put.field(Field::Price, &self.price)?;
        map.end()
    }
}

/// Writes fields under their names on the wire.
struct Put<'m, M>(&'m mut M);

impl<M: SerializeMap> Put<'_, M> {
    fn field<V: Serialize + ?Sized>(&mut self, field: Field, value: &V) -> Result<(), M::Error> {
        self.0.serialize_entry(field.as_str(), value)
    }
}
