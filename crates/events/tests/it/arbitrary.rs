//! Any bytes, and good messages with something changed: the decoder never panics, and what it accepts is an event that can be sent again.

use std::collections::BTreeMap;

use events::{
    AdjustmentType, Body, Event, EventType, Field, FieldReading, InventoryAdjusted, Money, OrderItem, OrderPlaced, PaymentSettled,
    Timestamp, UserCreated, Violation, decode, fields, samples,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::value::RawValue;
use uuid::Uuid;

/// Decodes; what is accepted must be the same event after it was sent again. What is refused must have a text. Read field by field, it is refused for the
/// same rule, among others.
fn survives(message: &[u8]) -> Result<(), TestCaseError> {
    match (decode(message), fields(message)) {
        (Ok(_), read) => prop_assert!(read.is_ok_and(|fields| fields.iter().all(|field| field.broken.is_none()))),
        (Err(Violation { field: None, rule, .. }), read) => prop_assert_eq!(read, Err(rule)),
        (Err(Violation { field: Some(path), rule, .. }), read) => {
            let is_first = |field: &FieldReading<'_>| (field.path, field.broken) == (path, Some(rule));
            prop_assert!(read.is_ok_and(|fields| fields.iter().any(is_first)), "{} {}", path, rule);
        }
    }
    match decode(message) {
        Ok(event) => {
            let again = event.to_json();
            prop_assert_eq!(decode(&again), Ok(event));
        }
        Err(violation) => prop_assert!(!violation.to_string().is_empty()),
    }
    Ok(())
}

pub fn sample() -> impl Strategy<Value = Vec<u8>> {
    select(&EventType::ALL[..]).prop_map(|event_type| samples::of(event_type).to_json())
}

/// JSON that a field may hold by mistake, much of it near to what it should hold.
pub fn field_value() -> impl Strategy<Value = String> {
    let text = |letters: &'static str| letters.prop_map(|text| serde_json::to_string(&text).unwrap());
    prop_oneof![
        text("\\PC{0,300}"),
        text("[ \\x00a😀]{0,60}"),
        text("[0-9]{1,4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-6][0-9](\\.[0-9]{1,12})?(Z|[+-][0-9]{2}:[0-9]{2})"),
        text("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
        text("-?[0-9]{1,20}(\\.[0-9]{1,6})?([eE][+-]?[0-9]{1,4})?"),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,6})?([eE][+-]?[0-9]{1,4})?",
        "(null|true|false|\\[\\]|\\{\\}|\\[null\\]|\"\\\\ud800\"|\"\\\\u0000\")",
        "\\[\\{\"sku\":\"[A-Z ]{0,3}\",\"quantity\":-?[0-9]{1,12},\"price\":[0-9]{1,3}\\.[0-9]{1,6}\\}\\]"
            .prop_filter("JSON", |json| serde_json::from_str::<&RawValue>(json).is_ok()),
    ]
}

/// Order items of which fields are missing, wrong or there twice.
fn items() -> impl Strategy<Value = String> {
    let value = select(&["\"A\"", "\" A\"", "1", "1.5", "1.23456", "null", "[]"][..]);
    let member = (select(&["sku", "quantity", "price", "later"][..]), value).prop_map(|(name, value)| format!("\"{name}\":{value}"));
    let good = "\"sku\":\"A\",\"quantity\":1,\"price\":1.5".to_owned();
    let item = prop_oneof![
        vec(member.clone(), 0..6).prop_map(|members| format!("{{{}}}", members.join(","))),
        option::of(member).prop_map(move |more| format!("{{{good}{}}}", more.map_or_else(String::new, |more| format!(",{more}")))),
        Just("7".to_owned()),
    ];
    vec(item, 0..4).prop_map(|items| format!("[{}]", items.join(",")))
}

fn text(max: usize) -> impl Strategy<Value = String> {
    // Two code units at most for each character.
    vec(any::<char>(), 0..=max / 2).prop_map(String::from_iter)
}

fn compared(max: usize) -> impl Strategy<Value = String> {
    text(max).prop_map(|text| format!("x{}x", text.replace('\0', "")))
}

fn time() -> impl Strategy<Value = Timestamp> {
    (-62_135_596_800_000_000..=253_402_300_799_999_999_i64).prop_map(|micros| Timestamp::from_unix_micros(micros).unwrap())
}

fn money() -> impl Strategy<Value = Money> {
    let most = 10_i128.pow(19) - 1;
    (-most..=most).prop_map(|units| Money::from_units(units).unwrap())
}

fn id() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn body() -> impl Strategy<Value = Body<'static>> {
    // Lower case can be three times as long.
    let user = (id(), compared(80), text(100), text(100), time()).prop_map(|(user_id, email, first_name, last_name, created_at)| {
        Body::UserCreated(UserCreated {
            user_id,
            email: email.into(),
            first_name: first_name.into(),
            last_name: last_name.into(),
            created_at,
        })
    });
    let item = (compared(48), any::<i32>(), money()).prop_map(|(sku, quantity, price)| OrderItem { sku: sku.into(), quantity, price });
    let order = (id(), id(), money(), "[A-Z]{3}", vec(item, 0..5), time()).prop_map(
        |(order_id, user_id, total_amount, currency, items, placed_at)| {
            Body::OrderPlaced(OrderPlaced { order_id, user_id, total_amount, currency: currency.into(), items, placed_at })
        },
    );
    let payment = (id(), id(), money(), "[A-Z]{3}", text(50), text(20), time()).prop_map(
        |(payment_id, order_id, amount, currency, method, status, settled_at)| {
            let (currency, payment_method, status) = (currency.into(), method.into(), status.into());
            Body::PaymentSettled(PaymentSettled { payment_id, order_id, amount, currency, payment_method, status, settled_at })
        },
    );
    let kind = select(&AdjustmentType::ALL[..]);
    let adjustment =
        (compared(48), any::<i32>(), kind, text(255), time()).prop_map(|(sku, quantity, adjustment_type, reason, adjusted_at)| {
            let (sku, reason) = (sku.into(), reason.into());
            Body::InventoryAdjusted(InventoryAdjusted { sku, quantity, adjustment_type, reason, adjusted_at })
        });
    prop_oneof![user, order, payment, adjustment]
}

/// Any event of the contract.
pub fn event() -> impl Strategy<Value = Event<'static>> {
    (id(), time(), body()).prop_map(|(id, at, body)| Event { id, at, body })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in vec(any::<u8>(), 0..300)) {
        survives(&bytes)?;
    }

    #[test]
    fn a_good_message_with_bytes_changed_is_decoded_or_refused(
        mut message in sample(),
        changes in vec((any::<Index>(), option::of(any::<u8>()), any::<bool>()), 1..4),
    ) {
        for (place, byte, insert) in changes {
            let place = place.index(message.len());
            match byte {
                Some(byte) if insert => message.insert(place, byte),
                Some(byte) => message[place] = byte,
                None => message.truncate(place.max(1)),
            }
        }
        survives(&message)?;
    }

    #[test]
    fn a_good_message_with_a_field_replaced_is_decoded_or_refused(message in sample(), place in any::<Index>(), json in field_value()) {
        let mut fields: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(&message).unwrap();
        let name = fields.keys().nth(place.index(fields.len())).unwrap().clone();
        let raw = RawValue::from_string(json);
        prop_assume!(raw.is_ok());
        fields.insert(name, raw.unwrap());
        survives(&serde_json::to_vec(&fields).unwrap())?;
    }

    #[test]
    fn a_good_message_with_fields_that_come_go_and_stand_twice_is_decoded_or_refused(
        message in sample(),
        changes in vec((any::<Index>(), select(&Field::ALL[..]), option::of(field_value())), 1..5),
    ) {
        let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(&message).unwrap();
        let mut fields: Vec<(String, String)> = fields.into_iter().map(|(name, raw)| (name, raw.get().to_owned())).collect();
        for (place, name, json) in changes {
            let place = place.index(fields.len() + 1);
            match json {
                Some(json) => fields.insert(place, (name.as_str().to_owned(), json)),
                None => drop((place < fields.len()).then(|| fields.remove(place))),
            }
        }
        let members: Vec<String> = fields.iter().map(|(name, json)| format!("\"{name}\":{json}")).collect();
        survives(format!("{{{}}}", members.join(",")).as_bytes())?;
    }

    #[test]
    fn an_order_with_items_of_any_kind_is_decoded_or_refused(items in items()) {
        let mut order: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(&samples::of(EventType::OrderPlaced).to_json()).unwrap();
        order.insert("items".to_owned(), RawValue::from_string(items).unwrap());
        survives(&serde_json::to_vec(&order).unwrap())?;
    }

    #[test]
    fn every_event_of_the_contract_survives_the_way_to_json_and_back(event in event()) {
        let json = event.to_json();
        prop_assert_eq!(decode(&json), Ok(event));
    }
}
