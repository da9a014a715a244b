//! What a push leaves behind.

use std::time::Duration;

use pipeline::ports::{DeadLetterQueue as _, DeadLetterReader as _, End};
use pipeline::{DeadLetter, FaultClass};
use redis_dlq::RedisConfig;
use testkit::proxy::{Network, Proxy};

use crate::place::{Place, as_user, dead_letter, dead_letters, word};

#[tokio::test]
async fn readers_of_the_list_find_the_newest_letter_first_as_it_was_pushed() {
    let Some(place) = Place::any() else { return };
    let queue = place.queue();
    let dead_letters = dead_letters(3);
    assert_eq!(queue.push(&dead_letters).await, Ok(3));
    let newest_first: Vec<_> = dead_letters.iter().rev().map(|dead_letter| dead_letter.json.clone()).collect();
    assert_eq!(place.listed().await, newest_first);
}

#[tokio::test]
async fn any_text_comes_through_unchanged() {
    let Some(place) = Place::any() else { return };
    let queue = place.queue();
    for text in ["", "\0", "\r\n$5\r\n", "\u{1F600} é \u{FFFD} \"\\", "%s {} *", &"x".repeat(2 << 20)] {
        queue.push(&[DeadLetter { json: text.to_owned(), ..dead_letter() }]).await.unwrap();
        assert_eq!(queue.page(End::Newest, 0, 1).await.unwrap(), [text]);
    }
}

#[tokio::test]
async fn more_letters_than_one_call_holds_are_pushed_in_order_and_only_the_new_ones() {
    let Some(place) = Place::any() else { return };
    let queue = place.queue();
    let dead_letters = dead_letters(1203);
    assert_eq!(queue.push(&dead_letters[700..702]).await, Ok(2));
    assert_eq!(queue.push(&dead_letters).await, Ok(1201));
    assert_eq!(queue.push(&dead_letters).await, Ok(0));
    let listed = place.listed().await;
    assert_eq!((listed.len(), &listed[0], &listed[1202]), (1203, &dead_letters[1202].json, &dead_letters[700].json));
}

#[tokio::test]
async fn a_push_whose_reply_was_lost_is_listed_once_when_it_is_repeated() {
    let Some(place) = Place::own(&[]) else { return };
    let proxy = Proxy::before(place.config.port).await;
    let config = RedisConfig { port: proxy.port, timeout: Duration::from_secs(2), ..place.config.clone() };
    let queue = redis_dlq::RedisDlq::new(&config).unwrap();
    for (lost, timed_out) in [(Network::BreaksReplies, false), (Network::LosesReplies, true)] {
        // Connects and loads the script.
        queue.push(&[dead_letter()]).await.unwrap();
        let dead_letters = dead_letters(2);
        proxy.set(lost);
        let fault = queue.push(&dead_letters).await.unwrap_err();
        assert_eq!(fault.class, FaultClass::Unavailable { timed_out }, "{lost:?}");
        let listed = place.listed().await;
        assert_eq!(listed.iter().filter(|entry| **entry == dead_letters[0].json).count(), 1, "the push had its effect: {lost:?}");
        proxy.set(Network::Works);
        assert_eq!(queue.push(&dead_letters).await, Ok(0), "{lost:?}");
        assert_eq!(place.listed().await, listed, "{lost:?}");
    }
}

#[tokio::test]
async fn identities_are_remembered_for_the_retention_and_no_longer() {
    let Some(place) = Place::any() else { return };
    let queue = place.queue();
    let [old, young, other] = [dead_letter(), dead_letter(), dead_letter()];
    queue.push(&[old.clone(), young.clone()]).await.unwrap();
    let seconds = place.config.seen_retention.as_secs();
    let age = async |dead_letter: &DeadLetter, by: i64| -> f64 {
        place.raw(redis::cmd("ZINCRBY").arg(place.seen()).arg(-by).arg(&dead_letter.identity)).await
    };
    age(&old, seconds as i64 + 60).await;
    age(&young, seconds as i64 - 60).await;
    queue.push(&[other]).await.unwrap();
    assert_eq!(queue.push(&[young]).await, Ok(0));
    assert_eq!(queue.push(&[old]).await, Ok(1));
}

#[tokio::test]
async fn a_replay_does_not_list_a_letter_that_was_taken_out() {
    let Some(place) = Place::any() else { return };
    let queue = place.queue();
    let dead_letters = dead_letters(2);
    queue.push(&dead_letters).await.unwrap();
    let _: i64 = place.run(&format!("DEL {}", place.config.list)).await;
    assert_eq!(queue.push(&dead_letters).await, Ok(0));
    assert_eq!(queue.depth().await, Ok(0));
}

#[tokio::test]
async fn a_push_that_is_refused_leaves_no_trace_whichever_key_refuses_it() {
    let Some(place) = Place::any() else { return };
    let queue = place.queue();
    let dead_letters = dead_letters(2);
    for key in [place.config.list.clone(), place.seen()] {
        let _: () = place.run(&format!("SET {key} other")).await;
        let fault = queue.push(&dead_letters).await.unwrap_err();
        assert_eq!((fault.class, word(&fault)), (FaultClass::Operator, "WRONGTYPE"));
        let _: i64 = place.run(&format!("DEL {key}")).await;
        let left: i64 = place.run(&format!("EXISTS {} {}", place.config.list, place.seen())).await;
        assert_eq!(left, 0);
    }
    assert_eq!(queue.push(&dead_letters).await, Ok(2), "nothing was noted as pushed");
}

#[tokio::test]
async fn a_push_by_a_user_without_a_right_leaves_no_trace() {
    let Some(place) = Place::own(&[]) else { return };
    let dead_letters = dead_letters(1);
    for missing in ["lpush", "zadd", "zscore", "eval", "evalsha"] {
        let _: () = place.run(&format!("ACL SETUSER {missing} reset on >{missing} ~* +@all -{missing}")).await;
        let queue = redis_dlq::RedisDlq::new(&as_user(&place.config, missing)).unwrap();
        match queue.push(&dead_letters).await {
            // Only EVALSHA and SCRIPT LOAD are used.
            Ok(1) if missing == "eval" => _ = place.run::<()>("FLUSHALL").await,
            answer => assert!(matches!(answer.unwrap_err().class, FaultClass::Operator | FaultClass::Bug), "{missing}"),
        }
        let left: i64 = place.run("DBSIZE").await;
        assert_eq!(left, 0, "{missing}");
    }
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_loaded_again() {
    let Some(place) = Place::own(&[]) else { return };
    let queue = place.queue();
    queue.push(&dead_letters(1)).await.unwrap();
    let _: () = place.run("SCRIPT FLUSH").await;
    assert_eq!(queue.push(&dead_letters(1)).await, Ok(1));
}
