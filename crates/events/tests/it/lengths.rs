//! Limits of text in UTF-16 code units: at the limit and one beyond.

use events::{EventType, Rule, rules};

use crate::messages::{accepted, refused, with, with_in_item};

const FIELDS: [(EventType, &str, usize); 7] = [
    (EventType::UserCreated, "email", 255),
    (EventType::UserCreated, "firstName", 100),
    (EventType::UserCreated, "lastName", 100),
    (EventType::PaymentSettled, "paymentMethod", 50),
    (EventType::PaymentSettled, "status", 20),
    (EventType::InventoryAdjusted, "sku", 50),
    (EventType::InventoryAdjusted, "reason", 255),
];

/// So many code units, of letters of one unit or two.
fn texts(units: usize) -> Vec<String> {
    let of = |letter: &str| format!("{}{}", letter.repeat(units / 2), "x".repeat(units % 2));
    vec!["x".repeat(units), "é".repeat(units), "語".repeat(units), of("😀"), of("𝒜")]
}

#[test]
fn at_the_limit_is_accepted_and_one_code_unit_beyond_is_not() {
    for (event_type, field, max) in FIELDS {
        for text in texts(max) {
            assert_eq!(text.encode_utf16().count(), max);
            accepted(&with(event_type, field, &format!("\"{text}\"")));
        }
        for text in texts(max + 1) {
            assert_eq!(refused(&with(event_type, field, &format!("\"{text}\""))), (field.to_owned(), Rule::TooLong { max }));
        }
    }
    for text in texts(rules::SKU_MAX) {
        accepted(&with_in_item("sku", &format!("\"{text}\"")));
    }
    for text in texts(rules::SKU_MAX + 1) {
        assert_eq!(refused(&with_in_item("sku", &format!("\"{text}\""))), ("items[0].sku".to_owned(), Rule::TooLong { max: 50 }));
    }
}

#[test]
fn escapes_count_as_what_they_mean() {
    let (fits, exceeds) = ("\\ud83d\\ude00".repeat(25), "\\ud83d\\ude00".repeat(26));
    accepted(&with(EventType::InventoryAdjusted, "sku", &format!("\"{fits}\"")));
    assert_eq!(refused(&with(EventType::InventoryAdjusted, "sku", &format!("\"{exceeds}\""))).1, Rule::TooLong { max: 50 });
}
