//! Bytes to a checked event.

use std::borrow::Cow;

use crate::json::{Object, Shape};
use crate::violation::FieldPath;
use crate::{
    AdjustmentType, Body, Event, EventType, Field, InventoryAdjusted, OrderItem, OrderPlaced, PaymentSettled, Rule, UserCreated, Violation,
    cloud_event, rules, unframed,
};

/// Reads one event and checks every rule of the contract that a message alone can break.
///
/// Unknown fields are ignored: producers may be newer than we are. A schema registry's frame around the JSON is passed over, and so is the envelope
/// of a CloudEvent, of which nothing but `data` is read. The event borrows its texts from `payload`.
///
/// # Errors
/// The first rule that is broken, in this order: frame, encoding, JSON, duplicate fields, envelope, body.
pub fn decode(payload: &[u8]) -> Result<Event<'_>, Violation> {
    let object = event_object(payload).map_err(Violation::of_message)?;
    read_event(&object).map_err(|(field, rule)| Violation {
        event_id: object.uuid(Field::EventId).ok(),
        event_type: event_type(&object).ok(),
        field: Some(field),
        rule,
    })
}

/// The object that is the event, out of what may be around it.
#[inline]
pub(crate) fn event_object(payload: &[u8]) -> Result<Object<'_>, Rule> {
    let text = std::str::from_utf8(unframed(payload)?).map_err(|_| Rule::NotUtf8)?;
    let object = read_object(text)?;
    // Looked for only where it must be: no event lacks its type, and no attribute of a CloudEvent has this name.
    if object.raw(Field::EventType).is_err()
        && let Some(data) = cloud_event::data(text)?
    {
        return read_object(data);
    }
    Ok(object)
}

fn read_object(text: &str) -> Result<Object<'_>, Rule> {
    match Object::read(text) {
        Shape::Object(object) => Ok(object),
        Shape::OtherJson => Err(Rule::WrongType { expected: "a JSON object" }),
        Shape::NotJson { line, column } => Err(Rule::NotJson { line, column }),
    }
}

/// What went wrong, and where.
type Broken = (FieldPath, Rule);

/// Names the field that a rule was broken by.
trait At<T> {
    fn at(self, field: Field) -> Result<T, Broken>;
}

impl<T> At<T> for Result<T, Rule> {
    fn at(self, field: Field) -> Result<T, Broken> {
        self.map_err(|rule| (field.into(), rule))
    }
}

pub(crate) fn read_event<'a>(object: &Object<'a>) -> Result<Event<'a>, Broken> {
    if let Some(field) = object.duplicate() {
        return Err((field.into(), Rule::Duplicate));
    }
    let event_type = event_type(object).at(Field::EventType)?;
    Ok(Event {
        id: object.uuid(Field::EventId).at(Field::EventId)?,
        at: object.timestamp(Field::Timestamp).at(Field::Timestamp)?,
        body: match event_type {
            EventType::UserCreated => Body::UserCreated(user(object)?),
            EventType::OrderPlaced => Body::OrderPlaced(order(object)?),
            EventType::PaymentSettled => Body::PaymentSettled(payment(object)?),
            EventType::InventoryAdjusted => Body::InventoryAdjusted(adjustment(object)?),
        },
    })
}

pub(crate) fn event_type(object: &Object<'_>) -> Result<EventType, Rule> {
    object.parsed(Field::EventType, |text| EventType::parse(text).ok_or(Rule::UnknownEventType))
}

fn user<'a>(object: &Object<'a>) -> Result<UserCreated<'a>, Broken> {
    Ok(UserCreated {
        user_id: object.uuid(Field::UserId).at(Field::UserId)?,
        email: checked(object, Field::Email, rules::email)?,
        first_name: checked(object, Field::FirstName, rules::name)?,
        last_name: checked(object, Field::LastName, rules::name)?,
        created_at: object.timestamp(Field::CreatedAt).at(Field::CreatedAt)?,
    })
}

fn order<'a>(object: &Object<'a>) -> Result<OrderPlaced<'a>, Broken> {
    Ok(OrderPlaced {
        order_id: object.uuid(Field::OrderId).at(Field::OrderId)?,
        user_id: object.uuid(Field::UserId).at(Field::UserId)?,
        total_amount: object.money(Field::TotalAmount).at(Field::TotalAmount)?,
        currency: checked(object, Field::Currency, rules::currency)?,
        items: items(object)?,
        placed_at: object.timestamp(Field::PlacedAt).at(Field::PlacedAt)?,
    })
}

fn items<'a>(object: &Object<'a>) -> Result<Vec<OrderItem<'a>>, Broken> {
    let elements = object.array(Field::Items).at(Field::Items)?;
    elements
        .into_iter()
        .enumerate()
        .map(|(index, element)| item(element.get()).map_err(|(path, rule)| (FieldPath { item: Some(index), field: path }, rule)))
        .collect()
}

pub(crate) fn item(element: &str) -> Result<OrderItem<'_>, (Option<Field>, Rule)> {
    match Object::read(element) {
        Shape::Object(object) => order_item(&object),
        Shape::OtherJson | Shape::NotJson { .. } => Err((None, Rule::WrongType { expected: "a JSON object" })),
    }
}

pub(crate) fn order_item<'a>(object: &Object<'a>) -> Result<OrderItem<'a>, (Option<Field>, Rule)> {
    if let Some(field) = object.duplicate() {
        return Err((Some(field), Rule::Duplicate));
    }
    let sku = || -> Result<Cow<'a, str>, Rule> {
        let sku = object.text(Field::Sku)?;
        rules::sku(&sku)?;
        Ok(sku)
    };
    Ok(OrderItem {
        sku: sku().map_err(|rule| (Some(Field::Sku), rule))?,
        quantity: object.quantity(Field::Quantity).map_err(|rule| (Some(Field::Quantity), rule))?,
        price: object.money(Field::Price).map_err(|rule| (Some(Field::Price), rule))?,
    })
}

fn payment<'a>(object: &Object<'a>) -> Result<PaymentSettled<'a>, Broken> {
    Ok(PaymentSettled {
        payment_id: object.uuid(Field::PaymentId).at(Field::PaymentId)?,
        order_id: object.uuid(Field::OrderId).at(Field::OrderId)?,
        amount: object.money(Field::Amount).at(Field::Amount)?,
        currency: checked(object, Field::Currency, rules::currency)?,
        payment_method: checked(object, Field::PaymentMethod, rules::payment_method)?,
        status: checked(object, Field::Status, rules::status)?,
        settled_at: object.timestamp(Field::SettledAt).at(Field::SettledAt)?,
    })
}

fn adjustment<'a>(object: &Object<'a>) -> Result<InventoryAdjusted<'a>, Broken> {
    let adjustment_type = |text: &str| AdjustmentType::parse(text).ok_or(Rule::UnknownAdjustmentType);
    Ok(InventoryAdjusted {
        sku: checked(object, Field::Sku, rules::sku)?,
        quantity: object.quantity(Field::Quantity).at(Field::Quantity)?,
        adjustment_type: object.parsed(Field::AdjustmentType, adjustment_type).at(Field::AdjustmentType)?,
        reason: checked(object, Field::Reason, rules::reason)?,
        adjusted_at: object.timestamp(Field::AdjustedAt).at(Field::AdjustedAt)?,
    })
}

fn checked<'a>(object: &Object<'a>, field: Field, rule: fn(&str) -> Result<(), Rule>) -> Result<Cow<'a, str>, Broken> {
    let text = object.text(field).at(field)?;
    rule(&text).at(field)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::{Value, json};

    use super::*;
    use crate::samples;

    /// A good event of the type with one field replaced.
    fn with(event_type: EventType, field: &str, value: Value) -> Vec<u8> {
        let mut event: Value = serde_json::from_slice(&samples::of(event_type).to_json()).unwrap();
        event[field] = value;
        event.to_string().into_bytes()
    }

    fn broken(payload: &[u8]) -> String {
        decode(payload).expect_err("the message breaks a rule").to_string()
    }

    #[test]
    fn every_sample_survives_the_way_to_json_and_back() {
        for event_type in EventType::ALL {
            let sample = samples::of(event_type);
            assert_eq!(decode(&sample.to_json()), Ok(sample));
        }
    }

    #[test]
    fn an_error_names_the_field_and_the_rule_and_never_the_value() {
        use EventType::{InventoryAdjusted, OrderPlaced, PaymentSettled, UserCreated};
        let secret = "canary@example.com";
        for (payload, message) in [
            (with(UserCreated, "eventId", json!(secret)), "UserCreated.eventId must be a UUID with hyphens"),
            (
                with(UserCreated, "eventType", json!(secret)),
                "eventType must be UserCreated, OrderPlaced, PaymentSettled or InventoryAdjusted",
            ),
            (with(UserCreated, "email", json!([secret])), "UserCreated.email must be a string"),
            (with(UserCreated, "email", json!(null)), "UserCreated.email must be a string"),
            (with(UserCreated, "email", json!(format!("{secret} "))), "UserCreated.email must not begin or end with white space"),
            (with(UserCreated, "email", json!("x".repeat(256))), "UserCreated.email is longer than 255 UTF-16 code units"),
            (with(UserCreated, "createdAt", json!(secret)), "UserCreated.createdAt must be a time as RFC 3339 writes it, with a zone"),
            (with(OrderPlaced, "totalAmount", json!(true)), "OrderPlaced.totalAmount must be a number, or a string that holds one"),
            (
                with(OrderPlaced, "totalAmount", json!(secret)),
                "OrderPlaced.totalAmount must be a decimal number, or a string that holds one",
            ),
            (with(OrderPlaced, "items", json!({"a": secret})), "OrderPlaced.items must be an array"),
            (with(OrderPlaced, "items", json!([secret])), "OrderPlaced.items[0] must be a JSON object"),
            (
                with(OrderPlaced, "items", json!([{"sku": "A", "quantity": 1.5, "price": 1}])),
                "OrderPlaced.items[0].quantity must be a whole number",
            ),
            (with(PaymentSettled, "currency", json!("usd")), "PaymentSettled.currency must be three upper-case letters"),
            (with(InventoryAdjusted, "quantity", json!(2_147_483_648_i64)), "InventoryAdjusted.quantity must fit in 32 bits"),
            (with(InventoryAdjusted, "quantity", json!("5")), "InventoryAdjusted.quantity must be a whole number"),
            (
                with(InventoryAdjusted, "adjustmentType", json!(secret)),
                "InventoryAdjusted.adjustmentType must be add, subtract, order_fulfilled or returned",
            ),
        ] {
            assert_eq!(broken(&payload), message);
        }
    }

    #[test]
    fn each_field_of_each_event_is_required() {
        for event_type in EventType::ALL {
            let whole: serde_json::Map<String, Value> = serde_json::from_slice(&samples::of(event_type).to_json()).unwrap();
            for field in whole.keys() {
                let mut partial = whole.clone();
                partial.remove(field);
                let violation = decode(Value::from(partial).to_string().as_bytes()).map(|_| ()).unwrap_err();
                assert_eq!((violation.rule, violation.field.unwrap().to_string()), (Rule::Missing, field.clone()));
            }
        }
    }

    #[test]
    fn money_is_read_from_the_json_text() {
        let amount = |raw: &str| {
            let json = String::from_utf8(samples::of(EventType::OrderPlaced).to_json()).unwrap();
            let sample = match samples::of(EventType::OrderPlaced).body {
                Body::OrderPlaced(order) => order.total_amount.to_string(),
                _ => unreachable!("the sample is an order"),
            };
            let payload = json.replace(&format!("\"totalAmount\":{sample}"), &format!("\"totalAmount\":{raw}")).into_bytes();
            match decode(&payload).map(|event| event.body) {
                Ok(Body::OrderPlaced(order)) => Ok(order.total_amount.to_string()),
                Ok(_) => unreachable!("the sample is an order"),
                Err(violation) => Err(violation.rule.label()),
            }
        };
        for (raw, shown) in
            [("0.1", "0.1"), ("299.99", "299.99"), ("12345678901234.5678", "12345678901234.5678"), ("1e2", "100"), ("\"19.90\"", "19.9")]
        {
            assert_eq!(amount(raw), Ok(shown.to_owned()));
        }
        assert_eq!(amount("1.23456"), Err("invalid_money"));
        assert_eq!(amount("\"NaN\""), Err("invalid_money"));
        assert_eq!(amount("NaN"), Err("not_json"));
    }

    #[test]
    fn what_is_not_one_json_object_in_utf8_is_refused() {
        for (payload, label) in [
            (&b""[..], "not_json"),
            (b"{\"invalid\": \"json\"", "not_json"),
            (b"{} {}", "not_json"),
            (b"\xef\xbb\xbf{}", "not_json"),
            (b"\xff\xfe{}", "not_utf8"),
            (b"[]", "wrong_type"),
            (b"\"text\"", "wrong_type"),
            (b"null", "wrong_type"),
            (b"-1", "wrong_type"),
            (b"1.5", "wrong_type"),
            (b"{}", "missing_field"),
            (b"{\"eventType\":\"UserCreated\",\"eventType\":\"UserCreated\"}", "duplicate_field"),
            (b"{\"eventType\":\"User\\ud800\"}", "invalid_value"),
        ] {
            assert_eq!(decode(payload).unwrap_err().rule.label(), label, "{}", String::from_utf8_lossy(payload));
        }
    }

    #[test]
    fn unknown_fields_are_ignored_however_deep() {
        let mut payload = samples::of(EventType::UserCreated).to_json();
        payload.pop();
        payload.extend_from_slice(format!(",\"later\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000)).as_bytes());
        assert!(decode(&payload).is_ok());
    }

    #[test]
    fn text_is_borrowed_unless_it_holds_escapes() {
        let payload = with(EventType::UserCreated, "firstName", json!("Zoë \"😀\""));
        let event = decode(&payload).unwrap();
        let Body::UserCreated(user) = event.body else { panic!("the sample is a user") };
        assert!(matches!(user.email, Cow::Borrowed(_)));
        assert_eq!(user.first_name, "Zoë \"😀\"");
    }

    /// Every character of every name and string, as some producers escape them all.
    #[test]
    fn what_is_escaped_means_what_it_would_mean_written_plainly() {
        for event_type in EventType::ALL {
            let sample = samples::of(event_type);
            let (mut escaped, mut in_string) = (String::new(), false);
            for character in String::from_utf8(sample.to_json()).unwrap().chars() {
                match character {
                    '"' => {
                        in_string = !in_string;
                        escaped.push('"');
                    }
                    _ if in_string => escaped.extend(character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}"))),
                    _ => escaped.push(character),
                }
            }
            assert_eq!(decode(escaped.as_bytes()), Ok(sample), "{escaped}");
        }
    }

    #[test]
    fn what_can_be_read_of_a_broken_event_is_kept() {
        let violation = decode(&with(EventType::UserCreated, "email", json!(7))).unwrap_err();
        assert_eq!(violation.event_id, Some(samples::of(EventType::UserCreated).id));
        assert_eq!(violation.event_type, Some(EventType::UserCreated));
    }
}
