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

#[cfg(test)]
mod tests {
    use events::{Body, EventType, Rule, samples};

    use super::*;

    #[test]
    fn an_event_that_the_consumer_would_refuse_does_not_become_a_message() {
        let mut event = samples::of(EventType::PaymentSettled);
        assert_eq!(checked(&event), Ok(of_event(&event)));
        if let Body::PaymentSettled(payment) = &mut event.body {
            payment.currency = "euro".into();
        }
        assert_eq!(checked(&event).map_err(|violation| violation.rule), Err(Rule::InvalidCurrency));
    }
}
