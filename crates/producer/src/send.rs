//! `send`: one event, from flags or as JSON.

use std::io::{self, Read};
use std::path::Path;

use events::{Body, Event, InventoryAdjusted, OrderItem, OrderPlaced, PaymentSettled, Timestamp, UserCreated};
use pipeline::ports::Message;
use uuid::Uuid;

use crate::cli::{AdjustmentArgs, EnvelopeArgs, EventArgs, OrderArgs, PaymentArgs, SendArgs, UserArgs};
use crate::receipt::{Identity, Sending};
use crate::{defaults, fields, message};

/// The event that the arguments ask for, checked. JSON that was given is sent as it is, with the fields that we do not know.
///
/// # Errors
/// What is wrong with them, in a sentence without a full stop.
pub fn prepare(args: SendArgs) -> Result<Sending, String> {
    match (args.event, args.json, args.json_file) {
        (Some(event), None, None) => {
            let event = from_flags(event)?;
            let message = message::checked(&event).map_err(|violation| violation.to_string())?;
            Ok(Sending { message, event: Some(Identity::of(&event)) })
        }
        (None, Some(text), None) if text == "-" => from_json(&read_stdin()?),
        (None, Some(text), None) => from_json(text.as_bytes()),
        (None, None, Some(file)) => from_json(&read_file(&file)?),
        _ => Err("name either an event with its fields, or --json, or --json-file; see `producer send --help`".to_owned()),
    }
}

/// The bytes of a file, or why it cannot be read.
pub(crate) fn read_file(file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))
}

/// What stands on the standard input, or why it cannot be read.
pub(crate) fn read_stdin() -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes).map_err(|error| format!("the standard input cannot be read: {error}"))?;
    Ok(bytes)
}

fn from_json(text: &[u8]) -> Result<Sending, String> {
    let text = text.trim_ascii();
    let event = events::decode(text).map_err(|violation| violation.to_string())?;
    let message = Message { key: Some(event.key().into_bytes()), value: Some(text.to_vec()), headers: Vec::new() };
    Ok(Sending { message, event: Some(Identity::of(&event)) })
}

fn from_flags(event: EventArgs) -> Result<Event<'static>, String> {
    Ok(match event {
        EventArgs::UserCreated(args) => user(args),
        EventArgs::OrderPlaced(args) => order(args)?,
        EventArgs::PaymentSettled(args) => payment(args),
        EventArgs::InventoryAdjusted(args) => adjustment(args),
    })
}

fn enveloped(args: &EnvelopeArgs, body: impl FnOnce(Timestamp) -> Body<'static>) -> Event<'static> {
    let at = args.timestamp.unwrap_or_else(defaults::now);
    Event { id: args.event_id.unwrap_or_else(Uuid::new_v4), at, body: body(at) }
}

fn user(args: UserArgs) -> Event<'static> {
    let (first, last) = defaults::person();
    let first_name = args.first_name.unwrap_or_else(|| first.to_owned());
    let last_name = args.last_name.unwrap_or_else(|| last.to_owned());
    let email = args.email.unwrap_or_else(|| defaults::email(&first_name, &last_name));
    enveloped(&args.envelope, |at| {
        Body::UserCreated(UserCreated {
            user_id: args.user_id.unwrap_or_else(Uuid::new_v4),
            email: email.into(),
            first_name: first_name.into(),
            last_name: last_name.into(),
            created_at: args.created_at.unwrap_or(at),
        })
    })
}

fn order(args: OrderArgs) -> Result<Event<'static>, String> {
    let article = defaults::article();
    let sample = || vec![OrderItem { sku: article.sku.into(), quantity: 1, price: article.price() }];
    let items = if args.items.is_empty() { sample() } else { args.items };
    let sum = || fields::total(&items).map_err(|rule| format!("the sum of the items {rule}"));
    let total_amount = args.total_amount.map_or_else(sum, Ok)?;
    Ok(enveloped(&args.envelope, |at| {
        Body::OrderPlaced(OrderPlaced {
            order_id: args.order_id.unwrap_or_else(Uuid::new_v4),
            user_id: args.user_id,
            total_amount,
            currency: args.currency.into(),
            items,
            placed_at: args.placed_at.unwrap_or(at),
        })
    }))
}

fn payment(args: PaymentArgs) -> Event<'static> {
    enveloped(&args.envelope, |at| {
        Body::PaymentSettled(PaymentSettled {
            payment_id: args.payment_id.unwrap_or_else(Uuid::new_v4),
            order_id: args.order_id,
            amount: args.amount,
            currency: args.currency.into(),
            payment_method: args.payment_method.into(),
            status: args.status.into(),
            settled_at: args.settled_at.unwrap_or(at),
        })
    })
}

fn adjustment(args: AdjustmentArgs) -> Event<'static> {
    let reason = args.reason.unwrap_or_else(|| defaults::reason(args.adjustment_type).to_owned());
    enveloped(&args.envelope, |at| {
        Body::InventoryAdjusted(InventoryAdjusted {
            sku: args.sku.into(),
            quantity: args.quantity,
            adjustment_type: args.adjustment_type,
            reason: reason.into(),
            adjusted_at: args.adjusted_at.unwrap_or(at),
        })
    })
}
