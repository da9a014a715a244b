//! What is said of letters that were sent: how each ended, by the tables and the list of dead letters.

use std::time::Duration;

use consumer::audit::Handled;
use consumer::dlq::after_redrive::{Before, Ended, EndedLetter, after_redrive};
use consumer::dlq::send::Landed;
use events::Event;
use pipeline::dead_letter::Diagnosis;
use pipeline::headers::Redriven;
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

/// The letter of this event, as it was sent to this offset.
fn sent(number: u8, event: &Event<'_>, offset: i64) -> Handled {
    let landed = Landed { topic: "events".to_owned(), place: Delivered { partition: 0, offset }, about: About::read(&event.to_json()) };
    Handled { landed: Some(landed), ..Handled::new(letter_id(number), Some(&event.id.to_string()), "sent") }
}

fn letter_id(number: u8) -> String {
    format!("{number:012x}")
}

async fn consumed(store: &Sqlite, next_offset: i64) {
    store.advance(&[LogPosition { log: LOG, topic: "events".into(), partition: 0, next_offset }]).await.unwrap();
}

async fn before(store: &Sqlite) -> Before {
    Before::look(store, &["events".to_owned()], Some(ParkingExpiry::now(store).await.unwrap())).await
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
    let before = before(&store).await;
    let (new, counted) = (user(id()), adjustment(&unique("sku"), 2));
    let (stale, waits, broken) = (user(late_user), order(id(), missing), user(id()));
    let newer = user(late_user).later(1);
    apply(&store, &[new.clone(), counted.clone(), newer.clone()]).await;
    store.park(&[parked(&waits)]).await.unwrap();
    store.push(&[again(6)]).await.unwrap();
    consumed(&store, 6).await;

    let letters = [&new, &counted, &old, &stale, &waits, &broken];
    let letters: Vec<_> = letters.into_iter().zip(1..).map(|(event, number)| sent(number, event, i64::from(number) - 1)).collect();
    let told = after_redrive((&store, &store), &before, letters, LONG, &CancellationToken::new()).await;
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
    let before = before(&store).await;
    let told = after_redrive((&store, &store), &before, vec![sent(1, &user(id()), 3)], LONG, &CancellationToken::new()).await;
    assert_eq!(ends(&told), [(letter_id(1).as_str(), Ended::NotYet)]);
    assert_eq!(told[0].why, "the consumer has not come to events, partition 0, offset 3");
}

#[tokio::test]
async fn what_left_no_trace_is_not_taken_for_a_success() {
    let store = Sqlite::temporary().unwrap();
    let before = before(&store).await;
    let lost = user(id());
    consumed(&store, 1).await;
    let told = after_redrive((&store, &store), &before, vec![sent(1, &lost, 0)], LONG, &CancellationToken::new()).await;
    assert_eq!(ends(&told), [(letter_id(1).as_str(), Ended::NotKnown)]);
    assert!(told[0].why.contains("nothing knows it"), "{}", told[0].why);
}

/// An older program could not read what it holds: a CloudEvent, say; or another one has put an id of its own into it.
#[tokio::test]
async fn a_letter_without_the_id_of_its_event_is_found_by_what_was_sent() {
    let store = Sqlite::temporary().unwrap();
    let before = before(&store).await;
    let events = [user(id()), user(id())];
    apply(&store, &events).await;
    consumed(&store, 2).await;
    let unread = Handled { event_id: None, ..sent(1, &events[0], 0) };
    let of_others = Handled { event_id: Some(id()), ..sent(2, &events[1], 1) };
    let told = after_redrive((&store, &store), &before, vec![unread, of_others], LONG, &CancellationToken::new()).await;
    assert_eq!(
        told.iter().map(|letter| (letter.ended, letter.event_id)).collect::<Vec<_>>(),
        events.map(|event| (Ended::Applied, Some(event.id)))
    );
}

#[tokio::test]
async fn a_thousand_letters_are_all_asked_for_and_whoever_stops_waits_no_longer() {
    let store = Sqlite::temporary().unwrap();
    let before = before(&store).await;
    let event = user(id());
    apply(&store, std::slice::from_ref(&event)).await;
    consumed(&store, 1).await;
    let letters = || (0..1000).map(|number| Handled { id: format!("{number:012x}"), ..sent(0, &event, 0) }).collect::<Vec<_>>();
    let told = after_redrive((&store, &store), &before, letters(), LONG, &CancellationToken::new()).await;
    assert_eq!((told.len(), told.iter().filter(|letter| letter.ended == Ended::Applied).count()), (1000, 1000));
    let stopped = CancellationToken::new();
    stopped.cancel();
    let told = after_redrive((&store, &store), &before, letters(), LONG, &stopped).await;
    assert_eq!(told.len(), 1000, "none is left out");
    assert!(
        told.iter().any(|letter| letter.ended == Ended::NotKnown && letter.why == "asking was broken off: `trace` tells"),
        "{:?}",
        told[0]
    );
}
