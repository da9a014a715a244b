//! The contract on the wire: four events, as JSON with camelCase names, one event per Kafka message.
//!
//! | module | what it holds |
//! |---|---|
//! | [`event`] | the types: [`Event`] and its four bodies |
//! | [`decode`](mod@decode) | bytes to a checked [`Event`], borrowing from the bytes |
//! | [`fields`](mod@fields) | a message field by field, each with what is wrong with it |
//! | [`encode`](mod@encode) | an [`Event`] back to JSON |
//! | [`rules`] | what a single field must satisfy |
//! | [`violation`] | which field broke which rule, without ever quoting the value |
//! | [`money`], [`timestamp`] | exact amounts and instants |
//! | `frame`, `cloud_event` | what may be around an event: a schema registry's frame, a CloudEvent's envelope |
//! | `ahead` | how far a timestamp lies in the future, and by which clock |
//! | [`samples`] | one good event of each type |
//!
//! No IO. The same decoder guards both ends: what a producer of ours sends has passed it, and so has what the consumer writes.
//!
//! For programs in other languages, `asyncapi.json` beside `src` describes the topic, and `schemas` holds a JSON Schema of each event. The
//! tests hold them and the decoder to each other.

mod ahead;
mod cloud_event;
pub mod decode;
pub mod encode;
pub mod event;
pub mod fields;
mod frame;
mod json;
pub mod money;
pub mod rules;
pub mod samples;
pub mod timestamp;
pub mod violation;

pub use ahead::{Ahead, ComparedWith};
pub use decode::decode;
pub use event::{AdjustmentType, Body, Event, EventType, InventoryAdjusted, OrderItem, OrderPlaced, PaymentSettled, UserCreated};
pub use fields::{FieldReading, fields};
pub use frame::unframed;
pub use money::Money;
pub use timestamp::Timestamp;
pub use violation::{CloudEventData, Field, FieldPath, Rule, Violation};
