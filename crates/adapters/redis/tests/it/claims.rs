//! What claims leave behind in Redis, and what a script that is refused half way does not.

use std::time::Duration;

use pipeline::FaultClass;
use pipeline::ports::{Claim, ClaimQueue as _, DeadLetterArchive as _, DeadLetterQueue as _, DeadLetterReader as _};
use redis_dlq::RedisDlq;

use crate::place::{Place, as_user, dead_letters, word};

const LEASE: Duration = Duration::from_secs(60);

/// So many entries in the list, of which this user has claimed the oldest.
async fn claimed(place: &Place, count: usize, lease: Duration) -> Vec<Claim> {
    let queue = place.queue();
    let dead_letters = dead_letters(count);
    queue.push(&dead_letters).await.unwrap();
    queue.claim(&[dead_letters[0].json.clone()], lease).await.unwrap().into_iter().flatten().collect()
}

async fn claims(place: &Place) -> Vec<(String, f64)> {
    place.run(&format!("ZRANGE {} 0 -1 WITHSCORES", place.claims())).await
}

#[tokio::test]
async fn a_claim_stands_with_its_token_and_the_end_of_its_lease() {
    let Some(place) = Place::any() else { return };
    let claim = claimed(&place, 1, LEASE).await.remove(0);
    let (seconds, _): (f64, u64) = place.run("TIME").await;
    let [(member, lease_ends)] = claims(&place).await.try_into().unwrap();
    assert_eq!(member, format!("{}:{}", claim.token, claim.entry));
    assert!((seconds..=seconds + LEASE.as_secs_f64() + 1.0).contains(&lease_ends), "{lease_ends} at {seconds}");
    assert_eq!(place.queue().settle(&[claim]).await, Ok(1));
    assert_eq!(place.run::<i64>(&format!("EXISTS {} {}", place.claims(), place.config.list)).await, 0, "no key is left empty");
}

#[tokio::test]
async fn a_claim_and_a_settlement_that_look_through_a_long_list_take_several_calls() {
    let Some(place) = Place::own(&[]) else { return };
    let queue = place.queue();
    let entries: Vec<_> = (0..60_000).map(|number| number.to_string()).collect();
    queue.restore(&entries).await.unwrap();
    let _: () = place.run("CONFIG RESETSTAT").await;
    let newest = [&entries[59_990..], &["absent".to_owned()]].concat();
    let claims: Vec<_> = queue.claim(&newest, Duration::ZERO).await.unwrap().into_iter().flatten().collect();
    assert_eq!(claims.iter().map(|claim| &claim.entry).collect::<Vec<_>>(), newest[..10].iter().collect::<Vec<_>>());
    assert_eq!(place.server_calls("evalsha").await, 1 + 6, "the first finds that the script is not loaded");
    assert_eq!(queue.give_back_overdue().await, Ok(10));
    let _: () = place.run("CONFIG RESETSTAT").await;
    assert_eq!(queue.settle(&claims).await, Ok(10));
    assert_eq!(place.server_calls("evalsha").await, 1 + 5);
    assert_eq!(queue.depth().await, Ok(59_990));
}

#[tokio::test]
async fn a_claim_that_is_refused_half_way_changes_nothing() {
    let Some(place) = Place::own(&[]) else { return };
    let dead_letters = dead_letters(2);
    let entries = dead_letters.iter().map(|dead_letter| dead_letter.json.clone()).collect::<Vec<_>>();
    place.queue().push(&dead_letters).await.unwrap();
    let before = place.listed().await;
    let _: () = place.run(&format!("SET {} other", place.claims())).await;
    let fault = place.queue().claim(&entries, LEASE).await.unwrap_err();
    assert_eq!((fault.class, word(&fault)), (FaultClass::Operator, "WRONGTYPE"));
    assert_eq!(place.listed().await, before);
    let _: i64 = place.run(&format!("DEL {}", place.claims())).await;
    for missing in ["zadd", "zrem", "lrem", "lpos"] {
        assert!(without(&place, missing).await.claim(&entries, LEASE).await.is_err(), "{missing}");
        assert_eq!((place.listed().await, claims(&place).await), (before.clone(), vec![]), "{missing}");
    }
    let _: () = place.run(&format!("RENAME {0} {0}-away", place.config.list)).await;
    let _: () = place.run(&format!("SET {} other", place.config.list)).await;
    let fault = place.queue().claim(&entries, LEASE).await.unwrap_err();
    assert_eq!((fault.class, word(&fault)), (FaultClass::Operator, "WRONGTYPE"));
    assert_eq!(claims(&place).await, [], "nothing comes back that was never taken");
}

#[tokio::test]
async fn a_settlement_that_is_refused_can_be_made_again() {
    let Some(place) = Place::own(&[]) else { return };
    let held = claimed(&place, 2, LEASE).await;
    for missing in ["zrem", "llen"] {
        assert!(without(&place, missing).await.settle(&held).await.is_err(), "{missing}");
        assert_eq!((place.listed().await.len(), claims(&place).await.len()), (1, 1), "{missing}");
    }
    assert_eq!(place.queue().settle(&held).await, Ok(1));
    assert_eq!((place.listed().await.len(), claims(&place).await.len()), (1, 0));
}

#[tokio::test]
async fn giving_back_that_is_refused_half_way_loses_nothing_and_lists_nothing_twice() {
    let Some(place) = Place::own(&[]) else { return };
    let held = claimed(&place, 2, Duration::ZERO).await;
    let (listed, standing) = (place.listed().await, claims(&place).await);
    for missing in ["zrem", "rpush"] {
        let queue = without(&place, missing).await;
        for _ in 0..2 {
            assert!(queue.give_back(&held).await.is_err(), "{missing}");
            assert!(queue.give_back_overdue().await.is_err(), "{missing}");
        }
        assert_eq!((place.listed().await, claims(&place).await), (listed.clone(), standing.clone()), "{missing}");
    }
    let _: () = place.run(&format!("RENAME {0} {0}-away", place.config.list)).await;
    let _: () = place.run(&format!("SET {} other", place.config.list)).await;
    for refused in [place.queue().give_back(&held).await, place.queue().give_back_overdue().await] {
        let fault = refused.unwrap_err();
        assert_eq!((fault.class, word(&fault)), (FaultClass::Operator, "WRONGTYPE"));
    }
    assert_eq!(claims(&place).await, standing);
    let _: () = place.run(&format!("RENAME {0}-away {0}", place.config.list)).await;
    assert_eq!(place.queue().give_back_overdue().await, Ok(1));
    assert_eq!((place.listed().await.len(), claims(&place).await.len()), (2, 0));
}

#[tokio::test]
async fn no_memory_keeps_nobody_from_taking_letters_out() {
    let Some(place) = Place::own(&[]) else { return };
    let queue = place.queue();
    let first = claimed(&place, 3, LEASE).await;
    let _: () = place.run("CONFIG SET maxmemory 1").await;
    assert_eq!(queue.restore(&["{}".to_owned()]).await.unwrap_err().subject.split(':').next(), Some("OOM"));
    let listed = place.listed().await;
    let second: Vec<_> = queue.claim(&listed, LEASE).await.unwrap().into_iter().flatten().collect();
    assert_eq!(second.len(), 2);
    assert_eq!(queue.settle(&second[..1]).await, Ok(1));
    assert_eq!(queue.give_back(&second[1..]).await, Ok(1));
    assert_eq!(queue.settle(&first).await, Ok(1));
    assert_eq!((place.listed().await, claims(&place).await), (listed[1..].to_vec(), vec![]));
}

/// The queue as a user who may do everything but this.
async fn without(place: &Place, missing: &str) -> RedisDlq {
    let _: () = place.run(&format!("ACL SETUSER {missing} reset on >{missing} ~* +@all -{missing}")).await;
    RedisDlq::new(&as_user(&place.config, missing)).unwrap()
}
