//! Text: NUL, surrogates, white space, escapes.

use events::{Body, EventType, Rule};

use crate::messages::{accepted, refused, with, with_in_item};

/// Text that a database compares, and text that it only keeps.
const COMPARED: [(EventType, &str); 2] = [(EventType::UserCreated, "email"), (EventType::InventoryAdjusted, "sku")];
const KEPT: [(EventType, &str); 5] = [
    (EventType::UserCreated, "firstName"),
    (EventType::UserCreated, "lastName"),
    (EventType::PaymentSettled, "paymentMethod"),
    (EventType::PaymentSettled, "status"),
    (EventType::InventoryAdjusted, "reason"),
];

#[test]
fn nul_is_refused_in_text_that_is_compared_and_kept_in_text_that_is_not() {
    for (event_type, field) in COMPARED {
        for json in ["\"a\\u0000b\"", "\"\\u0000\"", "\"a\\u0000\""] {
            assert_eq!(refused(&with(event_type, field, json)), (field.to_owned(), Rule::NulCharacter));
        }
    }
    assert_eq!(refused(&with_in_item("sku", "\"a\\u0000b\"")), ("items[0].sku".to_owned(), Rule::NulCharacter));
    for (event_type, field) in KEPT {
        accepted(&with(event_type, field, "\"a\\u0000b\""));
    }
    let message = with(EventType::InventoryAdjusted, "reason", "\"a\\u0000b\"");
    let Body::InventoryAdjusted(adjustment) = accepted(&message).body else { panic!("an adjustment") };
    assert_eq!(adjustment.reason, "a\0b");
}

#[test]
fn a_raw_control_character_is_not_json() {
    for control in ["\0", "\n", "\x1f"] {
        let message = with(EventType::UserCreated, "firstName", "\"canary\"");
        let message = String::from_utf8(message).unwrap().replace("canary", control);
        assert!(matches!(refused(message.as_bytes()).1, Rule::NotJson { .. }));
    }
}

#[test]
fn a_lone_surrogate_is_refused_in_every_text_of_ours_and_a_pair_is_its_character() {
    for (event_type, field) in COMPARED.into_iter().chain(KEPT) {
        for json in ["\"\\ud800\"", "\"a\\udfffb\"", "\"\\ud83d\\ud83d\\ude00\"", "\"\\ude00\\ud83d\"", "\"\\ud83dA\""] {
            assert_eq!(refused(&with(event_type, field, json)), (field.to_owned(), Rule::InvalidText), "{field} {json}");
        }
        let (escaped, plain) = (with(event_type, field, "\"\\ud83d\\ude00\""), with(event_type, field, "\"😀\""));
        assert_eq!(accepted(&escaped), accepted(&plain));
    }
    assert_eq!(refused(&with_in_item("sku", "\"\\ud800\"")), ("items[0].sku".to_owned(), Rule::InvalidText));
    for field in ["eventId", "eventType", "timestamp", "userId", "createdAt"] {
        assert_eq!(refused(&with(EventType::UserCreated, field, "\"\\ud800\"")), (field.to_owned(), Rule::InvalidText));
    }
    assert_eq!(refused(&with(EventType::OrderPlaced, "totalAmount", "\"\\ud800\"")).1, Rule::InvalidText);
}

#[test]
fn white_space_at_the_ends_is_refused_where_text_is_compared_and_kept_where_it_is_not() {
    for (event_type, field) in COMPARED {
        for blank in [" ", "\\t", "\\n", "\u{a0}", "\u{2003}", "\u{3000}", "\u{2028}"] {
            for json in [format!("\"{blank}a\""), format!("\"a{blank}\""), format!("\"{blank}\"")] {
                assert_eq!(refused(&with(event_type, field, &json)), (field.to_owned(), Rule::SurroundingWhiteSpace), "{json}");
            }
            accepted(&with(event_type, field, &format!("\"a{blank}b\"")));
        }
        assert_eq!(refused(&with(event_type, field, "\"\"")).1, Rule::Empty);
    }
    for (event_type, field) in KEPT {
        accepted(&with(event_type, field, "\" a \""));
        accepted(&with(event_type, field, "\"\""));
    }
}

#[test]
fn an_identity_is_a_uuid_with_hyphens_in_any_case_and_nothing_else() {
    let upper = with(EventType::UserCreated, "userId", "\"2F1C7D5E-0001-4000-8000-00000000000A\"");
    let lower = with(EventType::UserCreated, "userId", "\"2f1c7d5e-0001-4000-8000-00000000000a\"");
    assert_eq!(accepted(&upper), accepted(&lower));
    for text in [
        "",
        "2f1c7d5e00014000800000000000000a",
        "{2f1c7d5e-0001-4000-8000-00000000000a}",
        "urn:uuid:2f1c7d5e-0001-4000-8000-00000000000a",
        "2f1c7d5e-0001-4000-8000-00000000000g",
        "2f1c7d5e-0001-4000-8000-0000000000é",
        "2f1c7d5e-0001-4000-80000-0000000000a",
        " 2f1c7d5e-0001-4000-8000-00000000000",
    ] {
        assert_eq!(
            refused(&with(EventType::UserCreated, "userId", &format!("\"{text}\""))),
            ("userId".to_owned(), Rule::InvalidUuid),
            "{text}"
        );
    }
}

#[test]
fn a_currency_is_three_letters_from_a_to_z() {
    for text in ["eur", "EU", "EURO", "E1R", "ÉUR", "ＥＵＲ", "EU\\u0000", ""] {
        for event_type in [EventType::OrderPlaced, EventType::PaymentSettled] {
            assert_eq!(refused(&with(event_type, "currency", &format!("\"{text}\""))), ("currency".to_owned(), Rule::InvalidCurrency));
        }
    }
}
