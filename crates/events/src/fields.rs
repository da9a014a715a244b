//! A message field by field, each with what is wrong with it: for whoever mends one, to whom the first broken rule alone says too little.
//!
//! No rule stands here a second time: the decoder itself reads each field, as the only one of the message in an otherwise good event, the sample of
//! its type. So this is nothing for the path on which every message is decoded.

use std::sync::LazyLock;

use crate::decode::{event_object, event_type, item, order_item, read_event};
use crate::json::{Object, Shape};
use crate::violation::FieldPath;
use crate::{EventType, Field, Rule, samples};

/// A field of a message, as far as it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldReading<'a> {
    /// Which one.
    pub path: FieldPath,
    /// Its JSON text; `None` where it is missing.
    pub json: Option<&'a str>,
    /// The rule that it breaks; `None` where it is good.
    pub broken: Option<Rule>,
}

/// The fields that the contract asks of this message, and those that stand in it twice. Where the type is not known, the fields of the envelope alone:
/// what else belongs to it cannot be told. All of them are good where, and only where, [`decode`](crate::decode()) takes the message.
///
/// # Errors
/// The rule that the message as a whole breaks: it has no fields then.
pub fn fields(payload: &[u8]) -> Result<Vec<FieldReading<'_>>, Rule> {
    let object = event_object(payload)?;
    let event_type = event_type(&object).ok();
    let sample = sample(event_type.unwrap_or(EventType::UserCreated));
    let is_asked = |field: Field| match event_type {
        Some(_) => sample.raw(field).is_ok(),
        None => matches!(field, Field::EventId | Field::EventType | Field::Timestamp),
    };
    let mut readings = Vec::new();
    for field in Field::ALL {
        if object.is_duplicate(field) {
            readings.push(FieldReading { path: field.into(), json: object.raw(field).ok(), broken: Some(Rule::Duplicate) });
        } else if is_asked(field) {
            match (field, object.array(field)) {
                (Field::Items, Ok(elements)) if !elements.is_empty() => {
                    let items = elements.iter().enumerate();
                    readings.extend(items.flat_map(|(index, element)| item_fields(index, element.get())));
                }
                _ => {
                    let broken = read_event(&sample.with(field, object.raw(field).ok())).err().map(|(_, rule)| rule);
                    readings.push(FieldReading { path: field.into(), json: object.raw(field).ok(), broken });
                }
            }
        }
    }
    Ok(readings)
}

/// The fields of an order item, or the item itself where it is no object.
fn item_fields(index: usize, element: &str) -> Vec<FieldReading<'_>> {
    let reading = |field, json, broken| FieldReading { path: FieldPath { item: Some(index), field }, json, broken };
    let Shape::Object(object) = Object::read(element) else {
        return vec![reading(None, Some(element), item(element).err().map(|(_, rule)| rule))];
    };
    let sample = sample_item();
    let fields = Field::ALL.into_iter().filter(|field| object.is_duplicate(*field) || sample.raw(*field).is_ok());
    let read = |field| match object.is_duplicate(field) {
        true => Some(Rule::Duplicate),
        false => order_item(&sample.with(field, object.raw(field).ok())).err().map(|(_, rule)| rule),
    };
    fields.map(|field| reading(Some(field), object.raw(field).ok(), read(field))).collect()
}

/// A good event of the type, read.
fn sample(event_type: EventType) -> Object<'static> {
    static TEXTS: LazyLock<[String; 4]> =
        LazyLock::new(|| EventType::ALL.map(|event_type| String::from_utf8_lossy(&samples::of(event_type).to_json()).into_owned()));
    read_good(&TEXTS[event_type as usize])
}

/// A good item, read.
fn sample_item() -> Object<'static> {
    static ITEM: LazyLock<String> = LazyLock::new(|| {
        let items = sample(EventType::OrderPlaced).array(Field::Items).unwrap_or_default();
        items.first().map_or_else(String::new, |item| item.get().to_owned())
    });
    read_good(&ITEM)
}

fn read_good(text: &str) -> Object<'_> {
    match Object::read(text) {
        Shape::Object(object) => object,
        Shape::OtherJson | Shape::NotJson { .. } => unreachable!("a sample is an object"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// `path rule` of each broken field of this message.
    fn broken(payload: &[u8]) -> Vec<String> {
        let readings = fields(payload).unwrap();
        readings.iter().filter_map(|reading| Some(format!("{} {}", reading.path, reading.broken?))).collect()
    }

    fn order(change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut order: Value = serde_json::from_slice(&samples::of(EventType::OrderPlaced).to_json()).unwrap();
        change(&mut order);
        order.to_string().into_bytes()
    }

    #[test]
    fn every_field_that_is_wrong_is_named_with_its_own_rule() {
        let payload = order(|order| {
            order["eventId"] = json!("7");
            order["totalAmount"] = json!(true);
            order["currency"] = json!("eur");
            order.as_object_mut().unwrap().remove("userId");
            order["items"] = json!([{"sku": "A", "quantity": 1, "price": 1}, {"sku": " ", "quantity": 1.5}, 7]);
        });
        let all = [
            "eventId must be a UUID with hyphens",
            "userId is missing",
            "totalAmount must be a number, or a string that holds one",
            "currency must be three upper-case letters",
            "items[1].sku must not begin or end with white space",
            "items[1].quantity must be a whole number",
            "items[1].price is missing",
            "items[2] must be a JSON object",
        ];
        assert_eq!(broken(&payload), all);
    }

    #[test]
    fn a_good_event_is_read_with_its_values() {
        for event_type in EventType::ALL {
            let payload = samples::of(event_type).to_json();
            assert_eq!(broken(&payload), [""; 0], "{event_type}");
        }
        let payload = order(|order| order["items"] = json!([]));
        let readings = fields(&payload).unwrap();
        let value = |name| readings.iter().find(|reading| reading.path.to_string() == name).and_then(|reading| reading.json);
        assert_eq!((value("currency"), value("items"), value("later")), (Some("\"EUR\""), Some("[]"), None));
    }

    #[test]
    fn of_an_unknown_type_the_envelope_alone_can_be_told() {
        let unknown = "eventType must be UserCreated, OrderPlaced, PaymentSettled or InventoryAdjusted";
        assert_eq!(broken(br#"{"eventType":"OrderShipped","email":7}"#), ["eventId is missing", unknown, "timestamp is missing"]);
        assert_eq!(broken(b"{}").len(), 3);
    }

    #[test]
    fn what_stands_twice_is_named_once_also_where_nobody_asks_for_it() {
        let text = String::from_utf8(samples::of(EventType::UserCreated).to_json()).unwrap();
        let twice = text.replacen('{', r#"{"email":7,"sku":1,"sku":2,"#, 1);
        assert_eq!(broken(twice.as_bytes()), ["email is there more than once", "sku is there more than once"]);
    }

    #[test]
    fn what_has_no_fields_breaks_a_rule_as_a_whole() {
        for payload in [&b"{"[..], b"\xff", b"[]", br#"{"specversion":"1.0"}"#, b"\0\0\0\0\x01\x02"] {
            assert_eq!(fields(payload).unwrap_err(), crate::decode(payload).unwrap_err().rule);
        }
    }
}
