//! Whatever a topic may hold, through the whole path: it is a row with its value, one dead letter with its bytes, or a counted tombstone.

use std::collections::BTreeMap;
use std::time::Duration;

use consumer::audit::Unwitnessed;
use consumer::dlq::{Filter, RedriveRequest, Route, redrive};
use events::{Body, Event, Money, OrderItem, Timestamp};
use kafka::{EmbeddedBroker, KafkaConfig, KafkaPublisher};
use pipeline::Header;
use pipeline::dead_letter::{Entry, entry_id};
use pipeline::headers::RETRY_COUNT_HEADER;
use pipeline::ports::{DeadLetterReader as _, Delivered, End, Message};
use pipeline::{FaultClass, Publisher as _};
use readmodel::ReadStore as _;
use sqlite::Sqlite;
use testkit::builders::{Build, adjustment, id, item, order, payment, unique, user};
use testkit::history::{History, Rows};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::embedded::{PARTITIONS, config_of, consume_everything};

/// A topic, and the tables that it ends in.
struct Lab {
    broker: EmbeddedBroker,
    config: KafkaConfig,
    publisher: KafkaPublisher,
    tables: Sqlite,
}

impl Lab {
    fn new() -> Self {
        let broker = EmbeddedBroker::start("events", PARTITIONS).unwrap();
        let config = config_of(&broker, "first");
        let publisher = KafkaPublisher::open(&config).unwrap();
        Self { broker, config, publisher, tables: Sqlite::temporary().unwrap() }
    }

    async fn publish(&self, message: Message) -> Delivered {
        self.publisher.publish("events", message).await.unwrap()
    }

    /// Consumes everything, and then everything again as another group; returns the metrics of the first.
    async fn consume_twice(&self) -> String {
        let metrics = consume_everything(&self.config, &self.tables).await;
        consume_everything(&config_of(&self.broker, "second"), &self.tables).await;
        metrics
    }

    /// The dead letters by their place in the log. There is one for each place.
    async fn dead_letters(&self) -> BTreeMap<(i32, i64), Entry> {
        let entries = self.tables.page(End::Newest, 0, 10_000).await.unwrap();
        let count = entries.len();
        let dead_letters: BTreeMap<_, _> = entries
            .iter()
            .map(|json| Entry::parse(json).unwrap())
            .map(|entry| ((entry.partition.unwrap(), entry.offset.unwrap()), entry))
            .collect();
        assert_eq!(dead_letters.len(), count, "each record has one letter");
        dead_letters
    }
}

fn message(key: Option<&[u8]>, value: Option<&[u8]>) -> Message {
    Message { key: key.map(<[u8]>::to_vec), value: value.map(<[u8]>::to_vec), headers: Vec::new() }
}

fn of(event: &Event<'_>) -> Message {
    message(Some(event.key().as_bytes()), Some(&event.to_json()))
}

/// A good message with some text before its closing brace.
fn with_at_the_end(event: &Event<'_>, text: &str) -> Vec<u8> {
    let mut json = event.to_json();
    json.pop();
    [&json, text.as_bytes(), b"}"].concat()
}

fn thousand_headers() -> Vec<Header> {
    (0..1000).map(|number| Header { name: format!("header-{number}"), value: Some(vec![0xff; number % 50]) }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_event_ends_as_one_letter_with_its_key_and_its_bytes() {
    let lab = Lab::new();
    let good = user(id());
    let json = good.to_json();
    let text = String::from_utf8(json.clone()).unwrap();
    let mut cases: Vec<(&str, Vec<u8>)> = vec![
        ("not_json", Vec::new()),
        ("not_json", b" ".to_vec()),
        ("not_json", b"\0".to_vec()),
        ("not_json", [b"\xef\xbb\xbf", &json[..]].concat()),
        ("not_json", [&json[..], b"\0"].concat()),
        ("not_json", [&json[..], &json].concat()),
        ("not_json", json[..json.len() - 1].to_vec()),
        ("not_json", "[".repeat(400_000).into_bytes()),
        ("wrong_type", format!("{}{}", "[".repeat(400_000), "]".repeat(400_000)).into_bytes()),
        ("not_utf8", [b"\xff\xfe", &json[..]].concat()),
        ("not_utf8", (1..=255).collect()),
        ("registry_framed", [b"\0\0\0\0\x07\x02", &json[..]].concat()),
        ("cloud_event_data", b"{\"specversion\":\"1.0\",\"id\":\"1\",\"data\":\"{}\"}".to_vec()),
        ("duplicate_field", with_at_the_end(&good, ",\"email\":\"other@example.com\"")),
        ("unknown_event_type", text.replace("UserCreated", "userCreated").into_bytes()),
        ("unknown_adjustment_type", String::from_utf8(adjustment("S", 1).to_json()).unwrap().replace("returned", "RETURNED").into_bytes()),
        ("invalid_value", text.replace("Ada\"", "\\ud800\"").into_bytes()),
        ("invalid_value", text.replace("@", "\\u0000").into_bytes()),
        ("too_long", good.clone().with_user(|user| user.email = format!("{}x", "😀".repeat(128)).into()).to_json()),
        ("invalid_money", String::from_utf8(order(id(), id()).to_json()).unwrap().replace("299.99", "1e400").into_bytes()),
    ];
    cases.push(("wrong_type", with_deep_email(&text)));
    let mut expected = BTreeMap::new();
    for (number, (reason, value)) in cases.iter().enumerate() {
        // No key, an empty one, one that is no text.
        let keys: [Option<&[u8]>; 4] = [None, Some(b""), Some(b"\xff\x00key"), Some(b"key")];
        let key = keys[number % keys.len()];
        let headers = if number % 2 == 0 { thousand_headers() } else { Vec::new() };
        let at = lab.publish(Message { headers, ..message(key, Some(value)) }).await;
        expected.insert((at.partition, at.offset), (*reason, key, value));
    }
    lab.consume_twice().await;
    let dead_letters = lab.dead_letters().await;
    assert_eq!(dead_letters.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (at, (reason, key, value)) in expected {
        let dead_letter = &dead_letters[&at];
        assert_eq!(dead_letter.reason.as_deref(), Some(reason));
        assert_eq!(dead_letter.key().as_deref(), key, "{reason}");
        assert!(dead_letter.value().as_ref() == Some(value), "the bytes of {reason} are as they were sent");
    }
}

/// A known field that is nested deeper than a stack.
fn with_deep_email(json: &str) -> Vec<u8> {
    let deep = format!("\"email\":{}{},\"_\":\"", "[".repeat(400_000), "]".repeat(400_000));
    json.replace("\"email\":\"", &deep).into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn tombstones_are_skipped_and_counted() {
    let lab = Lab::new();
    let applied = user(id());
    lab.publish(of(&applied)).await;
    for key in [None, Some(&b"key"[..]), Some(b""), Some(applied.key().as_bytes())] {
        lab.publish(message(key, None)).await;
    }
    let metrics = lab.consume_twice().await;
    assert!(metrics.lines().any(|line| line == "pipeline_tombstones_total 4"), "{metrics}");
    assert!(lab.dead_letters().await.is_empty());
    let Body::UserCreated(user) = applied.body else { panic!("a user") };
    assert!(lab.tables.user(user.user_id).await.unwrap().is_some(), "a tombstone deletes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_without_a_key_with_another_key_or_with_a_thousand_headers_is_applied() {
    let lab = Lab::new();
    let sku = unique("sku");
    for (number, key) in [None, Some(&b""[..]), Some(b"of something else"), Some(b"\xff")].into_iter().enumerate() {
        let headers = if number % 2 == 0 { thousand_headers() } else { Vec::new() };
        lab.publish(Message { headers, ..message(key, Some(&adjustment(&sku, 1 << number).to_json())) }).await;
    }
    lab.consume_twice().await;
    assert!(lab.dead_letters().await.is_empty());
    assert_eq!(lab.tables.inventory(&sku).await.unwrap().unwrap().quantity, 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_retry_count_is_found_among_a_thousand_headers_and_nonsense_in_it_counts_as_none() {
    let lab = Lab::new();
    for (sent, read) in [(&b"3"[..], 3), (b"-1", 0), (b"99999999999", 0), (b"\xff", 0), (b"", 0)] {
        let mut headers = thousand_headers();
        headers.push(Header { name: RETRY_COUNT_HEADER.to_owned(), value: Some(sent.to_vec()) });
        let at = lab.publish(Message { headers, ..message(None, Some(b"poison")) }).await;
        consume_everything(&lab.config, &lab.tables).await;
        assert_eq!(lab.dead_letters().await[&(at.partition, at.offset)].retry_count, read);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_is_redriven_and_fails_again_is_the_same_letter_with_all_its_headers() {
    let lab = Lab::new();
    let own = [
        Header::text("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        Header { name: "bytes".to_owned(), value: Some(vec![0xff, 0]) },
        Header { name: "null".to_owned(), value: None },
    ];
    lab.publish(Message { headers: own.to_vec(), ..message(Some(b"key"), Some(b"poison")) }).await;
    let mut before: Option<(String, Entry)> = None;
    for retry_count in 0..3 {
        consume_everything(&lab.config, &lab.tables).await;
        let texts = lab.tables.page(End::Newest, 0, 10).await.unwrap();
        let [text] = &texts[..] else { panic!("one letter, not {texts:?}") };
        let entry = Entry::parse(text).unwrap();
        assert_eq!(entry.retry_count, retry_count);
        let id = entry_id(text);
        let again = entry.headers_of_redrive(&id).unwrap();
        assert_eq!(again[..3], own);
        if let Some((known, first)) = before {
            assert_eq!((&id, entry.first_at()), (&known, first.first_at()), "its id and its age");
            assert!(entry.at() > first.at(), "and when it failed the last time");
        }
        before = Some((id, entry));
        let stop = CancellationToken::new();
        let lease = Duration::from_secs(60);
        let route = Route { queue: &lab.tables, publisher: &lab.publisher, default_topic: "events", lease, stop: &stop };
        let order = RedriveRequest { filter: Filter::default(), limit: None, rate: None, max_retries: 9 };
        let summary = redrive(route, &order, &mut Unwitnessed, |_| {}).await;
        assert_eq!(summary.redriven, 1, "{summary:?}");
    }
}

/// So many dead letters that do not compress well.
fn padding(length: usize) -> String {
    let mut text = String::new();
    while text.len() < length {
        text.push_str(&Uuid::new_v4().simple().to_string());
    }
    text.truncate(length);
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_message_that_kafka_lets_through_is_applied_or_buried_whole() {
    let lab = Lab::new();
    let applied = adjustment(&unique("sku"), 7);
    let largest = |room: usize| {
        let field = format!(",\"later\":\"{}\"", padding(room - applied.to_json().len() - ",\"later\":\"\"".len()));
        with_at_the_end(&applied, &field)
    };
    // librdkafka counts the frame of a record too: the first size that it takes is the largest.
    let most = lab.config.max_message_bytes as usize;
    let mut sent = None;
    for room in (most - 2_000..=most).rev() {
        match lab.publisher.publish("events", message(None, Some(&largest(room)))).await {
            Ok(_) => {
                sent = Some(room);
                break;
            }
            Err(fault) => assert_eq!(fault.class, FaultClass::Poison, "it can never be sent"),
        }
    }
    let room = sent.expect("a size that Kafka takes");
    assert!(room < most);
    let poison = padding(room).into_bytes();
    let at = lab.publish(message(None, Some(&poison))).await;
    lab.consume_twice().await;
    let Body::InventoryAdjusted(adjustment) = applied.body else { panic!("an adjustment") };
    assert_eq!(lab.tables.inventory(&adjustment.sku).await.unwrap().unwrap().quantity, 7);
    let dead_letters = lab.dead_letters().await;
    assert_eq!(dead_letters.len(), 1);
    assert!(dead_letters[&(at.partition, at.offset)].value() == Some(poison));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_as_many_items_as_a_message_holds_is_applied_with_all_of_them() {
    let lab = Lab::new();
    let user_id = id();
    let (parent, order_id) = (user(user_id), id());
    let items: Vec<OrderItem<'static>> = (0..20_000).map(|number| item(&format!("item-{number}"), 1, "0.01")).collect();
    let large = order(order_id, user_id).with_order(|order| order.items = items);
    let size = large.to_json().len();
    assert!((900_000..1_000_000).contains(&size), "{size} bytes");
    // The order before its user, so that it is parked and released too.
    lab.publish(of(&large)).await;
    consume_everything(&lab.config, &lab.tables).await;
    lab.publish(of(&parent)).await;
    lab.consume_twice().await;
    assert!(lab.dead_letters().await.is_empty());
    let history = History::of(vec![parent, large]);
    assert_eq!(Rows::read(&lab.tables, &history).await.without_our_clock(), history.fold());
}

#[tokio::test(flavor = "multi_thread")]
async fn values_at_the_edge_of_the_contract_are_read_back_as_they_were_sent() {
    let lab = Lab::new();
    let at = |text: &str| Timestamp::parse(text).unwrap();
    let amount = |text: &str| text.parse::<Money>().unwrap();
    let (user_id, order_id) = (id(), id());
    let sku = "😀".repeat(25);
    let history = History::of(vec![
        user(user_id).with_user(|user| {
            user.email = format!("{}x", "😀".repeat(127)).into();
            user.first_name = "a\0b\u{feff}\"\\\u{1f}".into();
            user.last_name = " \u{2028}é ".into();
            user.created_at = at("0001-01-01T00:00:00.000001Z");
        }),
        order(order_id, user_id).with_order(|order| {
            order.total_amount = amount("-999999999999999.9999");
            order.placed_at = at("9999-12-31T23:59:59.999999999Z");
            order.items = vec![item(&sku, i32::MIN, "999999999999999.9999"), item("a b", i32::MAX, "-0.0001")];
        }),
        payment(id(), order_id).with_payment(|payment| {
            payment.amount = amount("0.10000");
            payment.payment_method = "\0".into();
            payment.status = "".into();
            payment.settled_at = at("2016-12-31T23:59:60.5+00:00");
        }),
        adjustment(&sku, i32::MIN).with_adjustment(|adjustment| adjustment.reason = "\0".into()),
        adjustment(&sku, i32::MIN).with_adjustment(|adjustment| adjustment.adjustment_type = events::AdjustmentType::Subtract),
        adjustment(&sku, i32::MIN),
    ]);
    for event in &history.events {
        lab.publish(of(event)).await;
    }
    lab.consume_twice().await;
    assert!(lab.dead_letters().await.is_empty());
    assert_eq!(Rows::read(&lab.tables, &history).await.without_our_clock(), history.fold());
    let view = lab.tables.user(user_id).await.unwrap().unwrap();
    assert_eq!(
        (view.user.first_name.as_str(), view.user.created_at.to_string().as_str()),
        ("a\0b\u{feff}\"\\\u{1f}", "0001-01-01T00:00:00.000001Z")
    );
    assert_eq!(view.orders[0].total_amount.to_string(), "-999999999999999.9999");
    assert_eq!(view.orders[0].placed_at.to_string(), "9999-12-31T23:59:59.999999Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_far_ahead_wins_against_nothing_and_one_that_is_far_behind_is_just_old() {
    let lab = Lab::new();
    let user_id = id();
    let present = user(user_id);
    let stamped = |text: &str| Event {
        id: id(),
        at: Timestamp::parse(text).unwrap(),
        ..present.clone().with_user(|user| user.first_name = "other".into())
    };
    lab.publish(of(&stamped("0001-01-01T00:00:00Z"))).await;
    lab.publish(of(&present)).await;
    let future = stamped("9999-12-31T23:59:59.999999Z");
    lab.publish(of(&future)).await;
    lab.consume_twice().await;
    let dead_letters = lab.dead_letters().await;
    assert_eq!(
        dead_letters.values().map(|dead_letter| dead_letter.reason.as_deref().unwrap()).collect::<Vec<_>>(),
        ["timestamp_in_future"]
    );
    assert_eq!(lab.tables.user(user_id).await.unwrap().unwrap().user.first_name, "Ada");
}
