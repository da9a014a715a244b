//! The commands over a fake publisher: what they send, and how they end.

use clap::Parser;
use events::{Body, EventType};
use pipeline::FaultClass;
use pipeline::Header;
use producer::cli::Cli;
use producer::{Exit, run};

use crate::fakes::{AWAY, Recorder, target};

async fn exit(recorder: &Recorder, line: &[&str]) -> Exit {
    let cli = Cli::try_parse_from(std::iter::once(&"producer").chain(line)).unwrap();
    run(cli.command, recorder, target()).await
}

const USER: &str = "2f1c7d5e-0001-4000-8000-000000000001";

#[tokio::test]
async fn each_event_can_be_sent_from_flags() {
    let recorder = Recorder::default();
    for line in [
        &["send", "user-created", "--user-id", USER, "--last-name", "O'Neil 🦀"][..],
        &["send", "OrderPlaced", "--user-id", USER, "--item", "A:2:49.90", "--item", "B:1:0.05"],
        &["send", "payment-settled", "--order-id", USER, "--amount", "99.85", "--timestamp", "2026-01-15T10:30:00+05:30"],
        &["send", "inventory-adjusted", "--sku", "A", "--quantity", "-2", "--adjustment-type", "order_fulfilled", "--topic", "other"],
    ] {
        assert_eq!(exit(&recorder, line).await, Exit::Delivered);
    }
    let events = recorder.events();
    let [Body::UserCreated(user), Body::OrderPlaced(order), Body::PaymentSettled(payment), Body::InventoryAdjusted(stock)] =
        [0, 1, 2, 3].map(|index| events[index].body.clone())
    else {
        panic!("one of each");
    };
    assert_eq!((user.user_id.to_string().as_str(), user.last_name.as_ref()), (USER, "O'Neil 🦀"));
    assert_eq!((order.user_id, order.total_amount), (user.user_id, "99.85".parse().unwrap()));
    assert_eq!((payment.settled_at, payment.settled_at.to_string().as_str()), (events[2].at, "2026-01-15T05:00:00Z"));
    assert_eq!((stock.quantity, stock.reason.as_ref()), (-2, "order shipped"));
    let topics: Vec<_> = recorder.sent().into_iter().map(|(topic, _)| topic).collect();
    assert_eq!(topics, ["events", "events", "events", "other"]);
}

#[tokio::test]
async fn json_is_checked_and_then_sent_as_it_is_under_its_key() {
    let recorder = Recorder::default();
    let mut event: serde_json::Value = serde_json::from_slice(&events::samples::of(EventType::PaymentSettled).to_json()).unwrap();
    event["ourOwnField"] = 1.into();
    let text = event.to_string();
    assert_eq!(exit(&recorder, &["send", "--json", &format!(" {text}\n")]).await, Exit::Delivered);
    assert_eq!(recorder.sent()[0].1.value.as_deref(), Some(text.as_bytes()));
    assert_eq!(recorder.events()[0].event_type(), EventType::PaymentSettled);
    event["amount"] = "19.90001".into();
    assert_eq!(exit(&recorder, &["send", "--json", &event.to_string()]).await, Exit::Usage);
    assert_eq!(recorder.attempts(), 1);
}

#[tokio::test]
async fn raw_messages_are_sent_unchecked_with_key_headers_or_no_value_at_all() {
    let recorder = Recorder::default();
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("raw-{}", std::process::id()));
    std::fs::write(&file, b"\xff\xfe\n").unwrap();
    let line = ["send-raw", "--file", file.to_str().unwrap(), "--key", "k", "--header", "a=1=2", "--header", "b="];
    assert_eq!(exit(&recorder, &line).await, Exit::Delivered);
    assert_eq!(exit(&recorder, &["send-raw", "--tombstone", "--key", "k"]).await, Exit::Delivered);
    assert_eq!(exit(&recorder, &["send-raw", "--data", "-not JSON-"]).await, Exit::Delivered);
    std::fs::remove_file(file).unwrap();
    let sent: Vec<_> = recorder.sent().into_iter().map(|(_, message)| message).collect();
    assert_eq!((sent[0].value.as_deref(), sent[0].key.as_deref()), (Some(b"\xff\xfe\n".as_slice()), Some(b"k".as_slice())));
    assert_eq!(sent[0].headers, [Header::text("a", "1=2"), Header::text("b", "")]);
    assert_eq!((sent[1].value.as_ref(), sent[2].value.as_deref()), (None, Some(b"-not JSON-".as_slice())));
    assert_eq!(sent[2].key, None);
}

#[tokio::test]
async fn what_is_not_delivered_shows_in_the_exit_code() {
    for (line, class) in [
        (&["send", "user-created"][..], AWAY),
        (&["send-raw", "--data", "x"], FaultClass::Operator),
        (&["generate", "--events", "10"], AWAY),
        (&["generate", "--events", "10"], FaultClass::Poison),
    ] {
        assert_eq!(exit(&Recorder::failing(0, class), line).await, Exit::Undelivered, "{line:?}");
    }
    assert_eq!(exit(&Recorder::failing(9, AWAY), &["generate", "--events", "10"]).await, Exit::Undelivered);
    assert_eq!(exit(&Recorder::failing(10, AWAY), &["generate", "--events", "10"]).await, Exit::Delivered);
}

#[tokio::test]
async fn arguments_that_make_no_event_are_wrong_usage() {
    let recorder = Recorder::default();
    for line in [
        &["send"][..],
        &["send", "--json", "{}"],
        &["send", "--json-file", "/no/such/file"],
        &["send", "order-placed", "--user-id", USER, "--item", "A:2:999999999999999"],
    ] {
        assert_eq!(exit(&recorder, line).await, Exit::Usage, "{line:?}");
    }
    assert_eq!(recorder.attempts(), 0);
}

#[tokio::test]
async fn the_same_seed_sends_the_same_bytes_at_any_time() {
    let (once, again) = (Recorder::default(), Recorder::default());
    let line = ["generate", "--events", "300", "--seed", "7", "--users", "3", "--out-of-order", "0.5", "--poison-every", "10"];
    assert_eq!(exit(&once, &line).await, Exit::Delivered);
    assert_eq!(exit(&again, &line).await, Exit::Delivered);
    assert_eq!(once.sent(), again.sent());
    assert_eq!(once.sent().len(), 333);
}
