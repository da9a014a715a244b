//! What is said of letters that were sent: how each ended, by the tables and the list of dead letters.

use std::time::Duration;

use consumer::dlq::after_redrive::{SentLetter, after_redrive};
use consumer::dlq::ended::{Ended, EndedLetter};
use events::{Event, Timestamp};
use pipeline::dead_letter::Diagnosis;
use pipeline::headers::Redriven;
use pipeline::landed::Landed;
use pipeline::ports::{Delivered, LogPositions as _, ParkingExpiry};
use pipeline::trace::About;
use pipeline::{DeadLetter, DeadLetterQueue as _, LogId, LogPosition, ParkingLot as _, Record};
use sqlite::Sqlite;
use testkit::builders::{Build as _, adjustment, id, order, parked, record, second, unique, user};
use testkit::delivery::apply;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const LOG: LogId = LogId(Uuid::from_u128(1));
const LONG: Duration = Duration::from_secs(60);

/// How the tables stand before letters are sent.
#[derive(Clone)]
struct Before(Timestamp, Vec<LogPosition>);

impl Before {
    async fn look(store: &Sqlite) -> Self {
        Self(ParkingExpiry::now(store).await.unwrap(), store.positions("events").await.unwrap())
    }

    /// The letter of this event, as it was sent to this offset.
    fn sent(&self, number: u8, event: &Event<'_>, offset: i64) -> SentLetter {
        let (topic, place) = ("events".to_owned(), Delivered { partition: 0, offset });
        let landed = Landed { topic, place, about: About::read(&event.to_json()), before: None }.after(self.0, &self.1);
        SentLetter { id: letter_id(number), event_id: Some(event.id), landed }
    }
}

fn letter_id(number: u8) -> String {
    format!("{number:012x}")
}

async fn consumed(store: &Sqlite, next_offset: i64) {
    store.advance(&[LogPosition { log: LOG, topic: "events".into(), partition: 0, next_offset }]).await.unwrap();
}

/// As a record that this letter was becomes a dead letter again.
fn again(number: u8) -> DeadLetter {
    let redriven = Redriven { retry_count: 1, id: Some(letter_id(number)), since: None };
    let broken = Record { headers: redriven.headers(), ..record(b"{".to_vec()) };
    let violation = events::decode(b"{").unwrap_err();
    DeadLetter::new(&broken, &Diagnosis::from(&violation), second(0))
}

fn ends(letters: &[EndedLetter]) -> Vec<(&str, Ended)> {
    letters.iter().map(|letter| (letter.id.as_str(), letter.ended)).collect()
}

#[tokio::test]
async fn each_letter_is_told_with_how_it_ended_and_those_that_need_somebody_come_first() {
    let store = Sqlite::temporary().unwrap();
    let (old, late_user, missing) = (user(id()), id(), id());
    apply(&store, std::slice::from_ref(&old)).await;
    let before = Before::look(&store).await;
    let (new, counted) = (user(id()), adjustment(&unique("sku"), 2));
    let (stale, waits, broken) = (user(late_user), order(id(), missing), user(id()));
    let newer = user(late_user).later(1);
    apply(&store, &[new.clone(), counted.clone(), newer.clone()]).await;
    store.park(&[parked(&waits)]).await.unwrap();
    store.push(&[again(6)]).await.unwrap();
    consumed(&store, 6).await;

    let letters = [&new, &counted, &old, &stale, &waits, &broken];
    let letters: Vec<_> = letters.into_iter().zip(1..).map(|(event, number)| before.sent(number, event, i64::from(number) - 1)).collect();
    let told = after_redrive((&store, &store), letters, LONG, &CancellationToken::new()).await;
    let ids: Vec<String> = (0..=6).map(letter_id).collect();
    let expected = [
        (ids[6].as_str(), Ended::FailedAgain),
        (&ids[5], Ended::Parked),
        (&ids[4], Ended::Stale),
        (&ids[3], Ended::Duplicate),
        (&ids[1], Ended::Applied),
        (&ids[2], Ended::Applied),
    ];
    assert_eq!(ends(&told), expected);
    assert!(told[0].why.starts_with(&format!("it is dead letter {} again: not_json: ", ids[6])), "{}", told[0].why);
    assert!(told[1].why.starts_with(&format!("it waits for user {missing} since ")), "{}", told[1].why);
    assert!(told[2].why.contains(&format!("shows the newer event {}", newer.id)), "{}", told[2].why);
    assert!(told[3].why.starts_with("it was applied before, at "), "{}", told[3].why);
}

#[tokio::test(start_paused = true)]
async fn what_the_consumer_has_not_come_to_is_said_after_the_bound_with_its_place() {
    let store = Sqlite::temporary().unwrap();
    consumed(&store, 3).await;
    let before = Before::look(&store).await;
    let told = after_redrive((&store, &store), vec![before.sent(1, &user(id()), 3)], LONG, &CancellationToken::new()).await;
    assert_eq!(ends(&told), [(letter_id(1).as_str(), Ended::NotYet)]);
    assert_eq!(told[0].why, "the consumer has not come to events, partition 0, offset 3");
}

#[tokio::test]
async fn what_left_no_trace_is_not_taken_for_a_success() {
    let store = Sqlite::temporary().unwrap();
    let before = Before::look(&store).await;
    let lost = user(id());
    consumed(&store, 1).await;
    let told = after_redrive((&store, &store), vec![before.sent(1, &lost, 0)], LONG, &CancellationToken::new()).await;
    assert_eq!(ends(&told), [(letter_id(1).as_str(), Ended::NotKnown)]);
    assert!(told[0].why.contains("nothing knows it"), "{}", told[0].why);
}

/// An older program could not read what it holds: a CloudEvent, say; or another one has put an id of its own into it.
#[tokio::test]
async fn a_letter_without_the_id_of_its_event_is_found_by_what_was_sent() {
    let store = Sqlite::temporary().unwrap();
    let before = Before::look(&store).await;
    let events = [user(id()), user(id())];
    apply(&store, &events).await;
    consumed(&store, 2).await;
    let unread = SentLetter { event_id: None, ..before.sent(1, &events[0], 0) };
    let of_others = SentLetter { event_id: Some(id()), ..before.sent(2, &events[1], 1) };
    let told = after_redrive((&store, &store), vec![unread, of_others], LONG, &CancellationToken::new()).await;
    assert_eq!(
        told.iter().map(|letter| (letter.ended, letter.event_id)).collect::<Vec<_>>(),
        events.map(|event| (Ended::Applied, Some(event.id)))
    );
}

#[tokio::test]
async fn a_thousand_letters_are_all_asked_for_and_whoever_stops_waits_no_longer() {
    let store = Sqlite::temporary().unwrap();
    let before = Before::look(&store).await;
    let event = user(id());
    apply(&store, std::slice::from_ref(&event)).await;
    consumed(&store, 1).await;
    let letters = || (0..1000).map(|number| SentLetter { id: format!("{number:012x}"), ..before.sent(0, &event, 0) }).collect::<Vec<_>>();
    let told = after_redrive((&store, &store), letters(), LONG, &CancellationToken::new()).await;
    assert_eq!((told.len(), told.iter().filter(|letter| letter.ended == Ended::Applied).count()), (1000, 1000));
    let stopped = CancellationToken::new();
    stopped.cancel();
    let told = after_redrive((&store, &store), letters(), LONG, &stopped).await;
    assert_eq!(told.len(), 1000, "none is left out");
    assert!(
        told.iter().any(|letter| letter.ended == Ended::NotKnown && letter.why == "asking was broken off: `trace` tells"),
        "{:?}",
        told[0]
    );
}

/// What another program wrote may quote the payload.
#[tokio::test]
async fn of_a_letter_that_another_program_has_written_again_only_its_reason_is_told() {
    let store = Sqlite::temporary().unwrap();
    let before = Before::look(&store).await;
    let of_others =
        serde_json::json!({"originalData": "{", "error": "ada@example.com", "timestamp": "2026-01-15T10:00:00Z", "retryCount": 1});
    let text = of_others.to_string();
    pipeline::ports::DeadLetterArchive::restore(&store, std::slice::from_ref(&text)).await.unwrap();
    consumed(&store, 1).await;
    let letter = SentLetter { id: pipeline::dead_letter::entry_id(&text), ..before.sent(1, &user(id()), 0) };
    let told = after_redrive((&store, &store), vec![letter], LONG, &CancellationToken::new()).await;
    assert!(told[0].ended == Ended::FailedAgain && !told[0].why.contains("ada@"), "{}", told[0].why);
}

/// As where nobody could look before.
#[tokio::test]
async fn what_was_applied_and_may_have_been_so_before_is_told_with_that_doubt() {
    let store = Sqlite::temporary().unwrap();
    let event = user(id());
    apply(&store, std::slice::from_ref(&event)).await;
    consumed(&store, 1).await;
    let mut letter = Before::look(&store).await.sent(1, &event, 0);
    letter.landed.before = None;
    let told = after_redrive((&store, &store), vec![letter], LONG, &CancellationToken::new()).await;
    assert!(told[0].ended == Ended::Applied && told[0].why.ends_with("; whether it was so before the letter was sent is not known"));
}
