//! Events as messages.

use events::{Event, Violation};
use pipeline::ports::Message;

/// The message of an event: its JSON under its key.
pub fn of_event(event: &Event<'_>) -> Message {
    Message { key: Some(event.key().into_bytes()), value: Some(event.to_json()), headers: Vec::new() }
}

/// The message of an event, once the decoder that the consumer uses has accepted its JSON.
///
/// # Errors
/// The rule of the contract that the event breaks.
pub fn checked(event: &Event<'_>) -> Result<Message, Violation> {
    let message = of_event(event);
    events::decode(message.value.as_deref().unwrap_or_default())?;
    Ok(message)
}
