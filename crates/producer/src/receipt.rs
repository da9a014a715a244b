//! What is shown of an acknowledged message.

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use events::{Event, EventType};
use pipeline::ports::{Delivered, Message};
use pipeline::{Fault, Publisher};
use serde::Serialize;
use tokio::time::timeout;
use uuid::Uuid;

/// After this, a person wants to know what is being waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// Which event a message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// `eventId`.
    pub event_id: Uuid,
    /// `eventType`.
    #[serde(serialize_with = "name")]
    pub event_type: EventType,
}

impl Identity {
    /// The identity of an event.
    pub const fn of(event: &Event<'_>) -> Self {
        Self { event_id: event.id, event_type: event.event_type() }
    }
}

/// A message to send, and which event it holds, if any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sending {
    /// The message.
    pub message: Message,
    /// The event.
    pub event: Option<Identity>,
}

/// Where a message is, and which event it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// The event, where the message holds one.
    #[serde(flatten)]
    pub event: Option<Identity>,
}

impl Receipt {
    /// Sends a message and waits for the acknowledgement. Where that takes long, `notice` is called, once.
    ///
    /// # Errors
    /// As [`Publisher::publish`].
    pub async fn obtain<P: Publisher>(publisher: &P, topic: &str, sending: Sending, notice: impl FnOnce()) -> Result<Self, Fault> {
        let mut publishing = pin!(publisher.publish(topic, sending.message));
        let result = match timeout(PATIENCE, publishing.as_mut()).await {
            Ok(result) => result,
            Err(_) => {
                notice();
                publishing.await
            }
        };
        result.map(|Delivered { partition, offset }| Self { topic: topic.to_owned(), partition, offset, event: sending.event })
    }

    /// As one line of JSON.
    pub fn to_json(&self) -> String {
        // Writing to memory cannot fail, and every field is JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl fmt::Display for Receipt {
    /// `topic events, partition 3, offset 42`, and on a line of its own, which does not break in the id, `event 2f1c… (UserCreated)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "topic {}, partition {}, offset {}", self.topic, self.partition, self.offset)?;
        self.event.map_or(Ok(()), |event| write!(f, "\n  event {} ({})", event.event_id, event.event_type))
    }
}

fn name<S: serde::Serializer>(event_type: &EventType, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(event_type.as_str())
}
