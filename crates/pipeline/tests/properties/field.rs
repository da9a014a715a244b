//! One field of an otherwise good message: what the decoder makes of a JSON value is what the rules say of it, stated here a second time.

use std::collections::BTreeMap;

use events::{Event, EventType, Rule, Violation, decode, samples};
use serde_json::Value;
use serde_json::value::RawValue;

use super::record;

/// What a field holds.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Id,
    EventType,
    AdjustmentType,
    Time,
    /// Kept: at most so many UTF-16 code units.
    Kept(usize),
    /// Compared: the same, and exact at its ends.
    Compared(usize),
    Email,
    Currency,
    Money,
    Quantity,
    Items,
    /// Not ours.
    Unknown,
}

/// The letter that stands for a field at the beginning of an input, its event, its name, what it holds.
const PLACES: [(u8, EventType, &str, Kind); 26] = [
    (b'a', EventType::UserCreated, "eventId", Kind::Id),
    (b'b', EventType::UserCreated, "eventType", Kind::EventType),
    (b'c', EventType::UserCreated, "timestamp", Kind::Time),
    (b'd', EventType::UserCreated, "userId", Kind::Id),
    (b'e', EventType::UserCreated, "email", Kind::Email),
    (b'f', EventType::UserCreated, "firstName", Kind::Kept(100)),
    (b'g', EventType::UserCreated, "lastName", Kind::Kept(100)),
    (b'h', EventType::UserCreated, "createdAt", Kind::Time),
    (b'i', EventType::OrderPlaced, "orderId", Kind::Id),
    (b'j', EventType::OrderPlaced, "totalAmount", Kind::Money),
    (b'k', EventType::OrderPlaced, "currency", Kind::Currency),
    (b'l', EventType::OrderPlaced, "items", Kind::Items),
    (b'm', EventType::OrderPlaced, "placedAt", Kind::Time),
    (b'n', EventType::PaymentSettled, "paymentId", Kind::Id),
    (b'o', EventType::PaymentSettled, "orderId", Kind::Id),
    (b'p', EventType::PaymentSettled, "amount", Kind::Money),
    (b'q', EventType::PaymentSettled, "currency", Kind::Currency),
    (b'r', EventType::PaymentSettled, "paymentMethod", Kind::Kept(50)),
    (b's', EventType::PaymentSettled, "status", Kind::Kept(20)),
    (b't', EventType::PaymentSettled, "settledAt", Kind::Time),
    (b'u', EventType::InventoryAdjusted, "sku", Kind::Compared(50)),
    (b'v', EventType::InventoryAdjusted, "quantity", Kind::Quantity),
    (b'w', EventType::InventoryAdjusted, "adjustmentType", Kind::AdjustmentType),
    (b'x', EventType::InventoryAdjusted, "reason", Kind::Kept(255)),
    (b'y', EventType::InventoryAdjusted, "adjustedAt", Kind::Time),
    (b'z', EventType::InventoryAdjusted, "later", Kind::Unknown),
];

/// A letter that names the field, and the JSON text that it holds.
pub fn holds(input: &[u8]) {
    let Some((letter, json)) = input.split_first() else { return };
    let Some((_, event_type, name, kind)) = PLACES.into_iter().find(|(other, ..)| other == letter) else { return };
    let message = message(event_type, name, json);
    record::holds(&message);
    let Ok(json) = std::str::from_utf8(json) else { return };
    // Text that is no value by itself may still end the field and begin others.
    let Ok(value) = serde_json::from_str::<&RawValue>(json) else { return };
    let decoded = decode(&message);
    let expected = expected(kind, value.get());
    match (&decoded, expected) {
        (Ok(event), Expected::Taken(Some(written))) => assert_eq!(field_of(event, name), written, "{name}: {json}"),
        (Ok(_), Expected::Taken(None)) => {}
        (Err(violation), Expected::Refused) => names_the_field(violation, name, kind),
        (Ok(_), Expected::Open) => {}
        (Err(violation), Expected::Open) if kind == Kind::EventType => assert_eq!(violation.rule, Rule::Missing),
        (Err(violation), Expected::Open) => names_the_field(violation, name, kind),
        (decoded, _) => panic!("{name}: {json}: {decoded:?}"),
    }
}

/// A good message in which this field holds these bytes.
fn message(event_type: EventType, name: &str, json: &[u8]) -> Vec<u8> {
    let sample = samples::of(event_type).to_json();
    let sample = std::str::from_utf8(&sample).expect("JSON");
    let fields: serde_json::Map<String, Value> = serde_json::from_str(sample).expect("an object");
    let mut message = b"{".to_vec();
    for (field, value) in fields.iter().filter(|(field, _)| *field != name) {
        message.extend_from_slice(format!("\"{field}\":{value},").as_bytes());
    }
    message.extend_from_slice(format!("\"{name}\":").as_bytes());
    message.extend_from_slice(json);
    message.push(b'}');
    message
}

/// The JSON text of a field of the event, written again.
fn field_of(event: &Event<'_>, name: &str) -> String {
    let mut fields: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(&event.to_json()).expect("JSON");
    fields.remove(name).expect("it is there").get().to_owned()
}

fn names_the_field(violation: &Violation, name: &str, kind: Kind) {
    let path = violation.field.map(|path| path.to_string()).unwrap_or_default();
    let within = kind == Kind::Items && path.strip_prefix("items").is_some_and(|rest| rest.starts_with('['));
    assert!(path == name || within, "{name} is wrong, not {path}: {violation}");
    assert!(violation.rule != Rule::Missing || within, "{name} is there");
    assert_eq!(violation.event_id.is_none(), name == "eventId");
    assert_eq!(violation.event_type.is_none(), name == "eventType");
}

enum Expected {
    /// It is an event, and the field is written again like this, where that is known.
    Taken(Option<String>),
    Refused,
    /// Either: the rule is not stated here.
    Open,
}

fn expected(kind: Kind, json: &str) -> Expected {
    let text = serde_json::from_str::<String>(json).ok();
    let written = match (kind, &text) {
        (Kind::Unknown, _) => return Expected::Taken(None),
        // With another event's type, other fields are missing.
        (Kind::EventType, Some(text)) if text == "UserCreated" => return Expected::Taken(None),
        (Kind::EventType, Some(text)) if EventType::parse(text).is_some() => return Expected::Open,
        (Kind::Time, Some(_)) => return Expected::Open,
        (Kind::Items, _) if json.starts_with('[') => return Expected::Open,
        (Kind::Quantity, _) => whole_number(json),
        (Kind::Money, text) => ten_thousandths(text.as_deref().unwrap_or(json)).map(decimal),
        (Kind::Id, Some(text)) => is_id(text).then(|| quoted(&text.to_ascii_lowercase())),
        (kind, Some(text)) => is_text_of(kind, text).then(|| quoted(text)),
        (_, None) => None,
    };
    written.map_or(Expected::Refused, |written| Expected::Taken(Some(written)))
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("text is JSON")
}

fn is_text_of(kind: Kind, text: &str) -> bool {
    let exact = !text.is_empty() && text.trim() == text && !text.contains('\0');
    match kind {
        Kind::AdjustmentType => ["add", "subtract", "order_fulfilled", "returned"].contains(&text),
        Kind::Currency => matches!(text.as_bytes(), [b'A'..=b'Z', b'A'..=b'Z', b'A'..=b'Z']),
        Kind::Kept(max) => units(text) <= max,
        Kind::Compared(max) => exact && units(text) <= max,
        // The key by which addresses are compared has its column too.
        Kind::Email => exact && units(text) <= 255 && units(&text.to_lowercase()) <= 255,
        _ => false,
    }
}

fn whole_number(json: &str) -> Option<String> {
    // For serde_json, minus zero is a float.
    if json == "-0" { Some("0".to_owned()) } else { serde_json::from_str::<i32>(json).ok().map(|number| number.to_string()) }
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

fn is_id(text: &str) -> bool {
    let hyphen = |place| matches!(place, 8 | 13 | 18 | 23);
    text.len() == 36 && text.bytes().enumerate().all(|(place, byte)| if hyphen(place) { byte == b'-' } else { byte.is_ascii_hexdigit() })
}

/// The amount in ten-thousandths, by its significant digits and their power of ten.
fn ten_thousandths(number: &str) -> Option<i128> {
    let grammar = number.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && number.ends_with(|c: char| c.is_ascii_digit());
    if !grammar || serde_json::from_str::<&RawValue>(number).is_err() {
        return None;
    }
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or((1, mantissa), |rest| (-1, rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let far = if exponent.starts_with('-') { i64::MIN / 2 } else { i64::MAX / 2 };
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    let power = exponent.parse::<i64>().map_or(far, |power| power.clamp(i64::MIN / 2, i64::MAX / 2)) - fraction.len() as i64 + zeros as i64;
    let fits = power >= -4 && power.saturating_add(significant.len() as i64) <= 15;
    fits.then(|| sign * significant.parse::<i128>().expect("digits") * 10_i128.pow(u32::try_from(power + 4).expect("a small power")))
}

/// As the shortest decimal.
fn decimal(units: i128) -> String {
    let digits = format!("{:05}", units.unsigned_abs());
    let (whole, fraction) = digits.split_at(digits.len() - 4);
    let text = format!("{}{whole}.{fraction}", if units < 0 { "-" } else { "" });
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
