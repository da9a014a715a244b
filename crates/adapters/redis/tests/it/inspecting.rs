//! What an operator should know, asked without a trace.

use pipeline::FaultClass;
use pipeline::ports::{DeadLetterQueue as _, DeadLetterReader as _};

use crate::place::{Place, dead_letters};

#[tokio::test]
async fn looking_and_trying_change_nothing() {
    let Some(place) = Place::any() else { return };
    let queue = place.queue();
    assert_eq!(queue.inspect().await.unwrap().list_type, "none");
    assert_eq!(queue.writable().await, Ok(()));
    assert_eq!(queue.inspect().await.unwrap().list_type, "none", "trying wrote nothing");
    assert_eq!(queue.push(&dead_letters(2)).await, Ok(2));
    assert_eq!(queue.writable().await, Ok(()));
    let seen: u64 = place.run(&format!("ZCARD {}", place.seen())).await;
    assert_eq!((queue.depth().await, seen), (Ok(2), 2));
    let facts = queue.inspect().await.unwrap();
    assert_eq!(facts.list_type, "list");
    let ours = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert!(facts.time.abs_diff(ours).as_secs() < 60, "the same machine: {:?}", facts.time);
}

#[tokio::test]
async fn what_could_not_be_written_is_found_before_there_is_a_letter() {
    let Some(place) = Place::own(&[]) else { return };
    let queue = place.queue();
    let _: () = place.run("CONFIG SET maxmemory 1").await;
    assert_eq!(queue.writable().await.unwrap_err().class, FaultClass::Operator);
    let _: () = place.run("CONFIG SET maxmemory 0").await;
    assert_eq!(queue.writable().await, Ok(()));
    let _: () = place.run(&format!("SET {} text", place.seen())).await;
    assert_eq!(queue.writable().await.unwrap_err().class, FaultClass::Operator);
}
