//! Claim, settle, give back.

use pipeline::FaultClass;
use pipeline::ports::{DeadLetterQueue as _, DeadLetterReader as _, RedriveQueue as _};

use crate::place::{Place, as_user, letters};

#[tokio::test]
async fn what_a_crash_left_claimed_comes_back_where_it_stood() {
    let Some(place) = Place::any() else { return };
    let queue = place.queue();
    let letters = letters(4);
    queue.push(&letters).await.unwrap();
    let before = place.listed().await;
    for letter in &letters[..2] {
        assert_eq!(queue.claim(&letter.json).await, Ok(true));
    }
    assert_eq!(queue.depth().await, Ok(2));
    assert_eq!(place.queue().give_back().await, Ok(2));
    assert_eq!(place.listed().await, before);
}

#[tokio::test]
async fn more_claims_than_one_call_holds_come_back() {
    let Some(place) = Place::any() else { return };
    let queue = place.queue();
    let mut claimed = redis::cmd("RPUSH");
    claimed.arg(place.processing());
    for number in 0..2001 {
        claimed.arg(number);
    }
    let _: i64 = place.raw(&mut claimed).await;
    assert_eq!(queue.give_back().await, Ok(2001));
    assert_eq!(place.listed().await, (0..2001).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(queue.give_back().await, Ok(0));
}

#[tokio::test]
async fn only_one_of_two_equal_entries_is_claimed_at_a_time() {
    let Some(place) = Place::any() else { return };
    let queue = place.queue();
    let _: i64 = place.run(&format!("LPUSH {0} same same", place.config.list)).await;
    assert_eq!(queue.claim("same").await, Ok(true));
    assert_eq!(queue.depth().await, Ok(1));
    assert_eq!(queue.claim("same").await, Ok(true));
    assert_eq!(queue.claim("same").await, Ok(false));
    queue.settle("same").await.unwrap();
    assert_eq!(queue.give_back().await, Ok(1));
}

#[tokio::test]
async fn a_claim_that_is_refused_half_way_loses_nothing() {
    let Some(place) = Place::own(&[]) else { return };
    let letters = letters(1);
    place.queue().push(&letters).await.unwrap();
    let _: () = place.run(&format!("SET {} other", place.processing())).await;
    let fault = place.queue().claim(&letters[0].json).await.unwrap_err();
    assert_eq!((fault.class, fault.subject), (FaultClass::Operator, "WRONGTYPE"));
    assert_eq!(place.listed().await, [letters[0].json.clone()]);
    let _: i64 = place.run(&format!("DEL {}", place.processing())).await;
    for missing in ["lpush", "lrem"] {
        let _: () = place.run(&format!("ACL SETUSER {missing} reset on >{missing} ~* +@all -{missing}")).await;
        let queue = redis_dlq::RedisDlq::new(&as_user(&place.config, missing)).unwrap();
        assert!(queue.claim(&letters[0].json).await.is_err(), "{missing}");
        assert_eq!(place.listed().await, [letters[0].json.clone()], "{missing}");
    }
}
