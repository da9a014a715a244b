//! Numbers as JSON can write them and as a producer may get them wrong.

use events::{AdjustmentType, Body, EventType, Money, Rule};

use crate::messages::{accepted, refused, with, with_in_item};

/// The amount that an order shows after it was read from this JSON text.
fn amount(json: &str) -> Result<String, Rule> {
    match events::decode(&with(EventType::OrderPlaced, "totalAmount", json)) {
        Ok(event) => match event.body {
            Body::OrderPlaced(order) => Ok(order.total_amount.to_string()),
            other => panic!("an order, not {other:?}"),
        },
        Err(violation) => Err(violation.rule),
    }
}

#[test]
fn an_amount_is_exact_whatever_its_notation() {
    let zeros = "0".repeat(100_000);
    for (json, shown) in [
        ("0", "0"),
        ("-0", "0"),
        ("-0.0000", "0"),
        ("0e999999999999999999999", "0"),
        ("0.10000", "0.1"),
        ("0.1000000000000000000000000000000", "0.1"),
        ("299.99", "299.99"),
        ("29999e-2", "299.99"),
        ("0.00029999E+6", "299.99"),
        ("-0.0001", "-0.0001"),
        ("1e14", "100000000000000"),
        ("999999999999999.9999", "999999999999999.9999"),
        ("-999999999999999.9999", "-999999999999999.9999"),
        (&format!("1{zeros}e-100000"), "1"),
        (&format!("0.{zeros}1e100001"), "1"),
    ] {
        assert_eq!(amount(json), Ok(shown.to_owned()));
        assert_eq!(amount(&format!("\"{json}\"")), Ok(shown.to_owned()), "the same as a string");
    }
}

#[test]
fn an_amount_that_the_column_cannot_hold_is_refused_and_never_rounded() {
    for json in ["1e400", "-1e400", "1e15", "1000000000000000", "1e99999999999999999999", "12345678901234567890123456789012345678901"] {
        assert_eq!(amount(json), Err(Rule::MoneyOutOfRange), "{json}");
    }
    for json in ["0.00001", "299.99999", "1e-5", "1e-400", "1e-99999999999999999999", "0.30000000000000004"] {
        assert_eq!(amount(json), Err(Rule::MoneyTooPrecise), "{json}");
    }
    for text in ["", " ", "1 ", "+1", "01", ".5", "5.", "1e", "0x10", "1_000", "1,5", "NaN", "Infinity", "-", "１", "1\\u0000"] {
        assert_eq!(amount(&format!("\"{text}\"")), Err(Rule::InvalidMoney), "{text}");
    }
    for json in ["null", "true", "[1]", "{\"amount\":1}"] {
        assert!(matches!(amount(json), Err(Rule::WrongType { .. })), "{json}");
    }
    assert_eq!(refused(&with_in_item("price", "1e400")), ("items[0].price".to_owned(), Rule::MoneyOutOfRange));
    assert_eq!(refused(&with(EventType::PaymentSettled, "amount", "1e400")), ("amount".to_owned(), Rule::MoneyOutOfRange));
}

#[test]
fn minus_zero_and_zero_are_one_amount() {
    let message = with(EventType::OrderPlaced, "totalAmount", "-0");
    let Body::OrderPlaced(order) = accepted(&message).body else { panic!("an order") };
    assert_eq!(order.total_amount, Money::ZERO);
}

#[test]
fn a_quantity_is_a_whole_number_of_32_bits() {
    for (json, quantity) in [("0", 0), ("-0", 0), ("2147483647", i32::MAX), ("-2147483648", i32::MIN)] {
        let message = with(EventType::InventoryAdjusted, "quantity", json);
        let Body::InventoryAdjusted(adjustment) = accepted(&message).body else { panic!("an adjustment") };
        assert_eq!(adjustment.quantity, quantity);
        accepted(&with_in_item("quantity", json));
    }
    let long = "9".repeat(100_000);
    for json in ["2147483648", "-2147483649", "9223372036854775808", "-99999999999999999999", &long] {
        assert_eq!(refused(&with(EventType::InventoryAdjusted, "quantity", json)), ("quantity".to_owned(), Rule::QuantityOutOfRange));
        assert_eq!(refused(&with_in_item("quantity", json)), ("items[0].quantity".to_owned(), Rule::QuantityOutOfRange));
    }
    for json in ["1.0", "1e2", "-0.0", "1e400", "\"1\"", "null", "true", "[1]"] {
        let (field, rule) = refused(&with(EventType::InventoryAdjusted, "quantity", json));
        assert_eq!((field.as_str(), rule), ("quantity", Rule::WrongType { expected: "a whole number" }), "{json}");
    }
}

#[test]
fn the_smallest_quantity_can_be_subtracted() {
    let message = with(EventType::InventoryAdjusted, "quantity", "-2147483648");
    let Body::InventoryAdjusted(mut adjustment) = accepted(&message).body else { panic!("an adjustment") };
    adjustment.adjustment_type = AdjustmentType::Subtract;
    assert_eq!(adjustment.delta(), 2_147_483_648);
}
