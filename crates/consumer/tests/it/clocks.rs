//! Clocks of producers that are wrong, beside the consumer's own.

use consumer::SystemClock;
use events::{Event, Timestamp};
use pipeline::Clock as _;
use pipeline::dead_letter::Entry;
use testkit::builders::{Build as _, adjustment, id, unique, user};

use crate::rig::Rig;

const HOUR: i64 = 3_600_000_000;

#[tokio::test(start_paused = true)]
async fn an_event_of_the_far_future_is_refused_although_its_record_is_stamped_by_the_same_wrong_clock() {
    let mut rig = Rig::new();
    let present = user(id());
    let wrong = SystemClock.now().plus_micros(26 * HOUR + HOUR / 2);
    let future = Event { id: id(), at: wrong, ..present.clone().with_user(|user| user.first_name = "other".into()) };
    rig.append(&present);
    rig.log.append_stamped(future.to_json(), wrong.unix_millis());
    rig.process_batch().await.unwrap();
    assert_eq!(rig.dead_letters.reasons(), ["timestamp_in_future"]);
    let entry = Entry::parse(&rig.dead_letters.entries()[0].json).unwrap();
    let own = Timestamp::from_unix_millis(wrong.unix_millis()).unwrap();
    let told = format!("26 h after the consumer's clock (the record's own time is {own})");
    assert!(entry.error.ends_with(&told), "{}", entry.error);
    assert_eq!(entry.fingerprint.as_deref(), Some("timestamp_in_future:UserCreated:timestamp"));
}

#[tokio::test(start_paused = true)]
async fn a_record_stamped_in_the_far_future_or_long_ago_is_taken_for_what_its_event_says() {
    let mut rig = Rig::new();
    let (now, sku) = (SystemClock.now(), unique("sku"));
    let long_ago = now.plus_micros(-9000 * HOUR);
    for (at, record) in [(now, now.plus_micros(9000 * HOUR)), (long_ago, long_ago)] {
        rig.log.append_stamped(Event { at, ..adjustment(&sku, 1) }.to_json(), record.unix_millis());
    }
    rig.process_batch().await.unwrap();
    assert_eq!(rig.stock(&sku).await, Some(2), "{:?}", rig.dead_letters.reasons());
}

#[tokio::test]
async fn how_long_after_its_own_time_an_event_is_in_the_tables_is_measured_once() {
    let mut rig = Rig::new();
    let two_hours_ago = Event { at: SystemClock.now().plus_micros(-2 * HOUR), ..user(id()) };
    let ahead = Event { at: SystemClock.now().plus_micros(HOUR / 100), ..user(id()) };
    rig.append_all(&[two_hours_ago.clone(), ahead]);
    rig.process_batch().await.unwrap();
    rig.append(&two_hours_ago);
    rig.process_batch().await.unwrap();
    let within = |le: &str| rig.metric(&format!("pipeline_event_time_lag_seconds_bucket{{le=\"{le}\"}}"));
    assert_eq!([within("0.1"), within("3600"), within("21600")], [1.0, 1.0, 2.0], "one that comes again is in the tables already");
}
