//! Redis or an operator ends between two steps. Whatever happens, an entry is in the list or claimed.

use std::convert::Infallible;
use std::time::Duration;

use pipeline::Fault;
use pipeline::ports::{Claim, ClaimQueue as _, DeadLetterArchive as _, DeadLetterQueue as _, DeadLetterReader as _, End};
use redis_dlq::{RedisConfig, RedisDlq};
use testkit::proxy::{Network, Proxy};

use crate::place::{Place, SOON, dead_letters};

const LEASE: Duration = Duration::from_secs(3600);

/// Ends Redis as `kill -9` does and starts it again; returns when the queue reaches it.
async fn crash(place: &mut Place, queue: &RedisDlq) {
    place.server().kill();
    place.server().restart();
    testkit::eventually(SOON, "Redis is back", async || queue.ping().await.is_ok()).await;
}

/// Has Redis write its file anew, from what it holds.
async fn rewrite(place: &Place) {
    place.run::<String>("BGREWRITEAOF").await;
    testkit::eventually(SOON, "the file is written anew", async || {
        let info: String = place.run("INFO persistence").await;
        info.contains("aof_rewrite_in_progress:0") && info.contains("aof_rewrite_scheduled:0")
    })
    .await;
}

async fn claim(queue: &RedisDlq, entries: &[String], lease: Duration) -> Vec<Claim> {
    queue.claim(entries, lease).await.unwrap().into_iter().flatten().collect()
}

/// Claims entries and gives them back, in both ways, until Redis ends.
async fn keep_moving(queue: &RedisDlq, entries: &[String]) -> Result<Infallible, Fault> {
    loop {
        for some in entries.chunks(7) {
            let claims: Vec<_> = queue.claim(some, Duration::ZERO).await?.into_iter().flatten().collect();
            queue.give_back(&claims[..claims.len() / 2]).await?;
        }
        queue.give_back_overdue().await?;
    }
}

#[tokio::test]
async fn claims_settlements_and_what_went_back_outlive_redis() {
    let Some(mut place) = Place::own(&[]) else { return };
    let queue = place.queue();
    let dead_letters = dead_letters(4);
    let entries: Vec<_> = dead_letters.iter().map(|dead_letter| dead_letter.json.clone()).collect();
    queue.push(&dead_letters).await.unwrap();
    let live = claim(&queue, &entries[..2], LEASE).await;
    let overdue = claim(&queue, &entries[2..3], Duration::ZERO).await;
    crash(&mut place, &queue).await;
    assert_eq!(queue.depth().await, Ok(1), "claimed, not listed");
    assert_eq!(queue.give_back_overdue().await, Ok(1));
    assert_eq!(queue.settle(&live[..1]).await, Ok(1));
    crash(&mut place, &queue).await;
    assert_eq!(queue.page(End::Oldest, 0, 10).await.unwrap(), entries[2..]);
    assert_eq!(queue.settle(&live).await, Ok(1), "the first was settled before");
    assert_eq!(queue.settle(&overdue).await, Ok(1), "it had gone back");
    queue.restore(&entries[..1]).await.unwrap();
    crash(&mut place, &queue).await;
    assert_eq!(queue.page(End::Oldest, 0, 10).await.unwrap(), [&entries[3..], &entries[..1]].concat());
}

#[tokio::test]
async fn redis_that_is_killed_while_entries_move_loses_none() {
    let Some(mut place) = Place::own(&[]) else { return };
    let queue = place.queue();
    let dead_letters = dead_letters(2000);
    let mut entries: Vec<_> = dead_letters.iter().map(|dead_letter| dead_letter.json.clone()).collect();
    queue.push(&dead_letters).await.unwrap();
    for _ in 0..4 {
        let moving = tokio::spawn({
            let (queue, entries) = (queue.clone(), entries.clone());
            async move { keep_moving(&queue, &entries).await }
        });
        testkit::eventually(SOON, "entries move", async || queue.depth().await.is_ok_and(|depth| depth < 2000)).await;
        place.server().kill();
        assert!(moving.await.unwrap().is_err(), "it was in the middle");
        place.server().restart();
        testkit::eventually(SOON, "Redis is back", async || queue.ping().await.is_ok()).await;
        // As the guide tells operators: a cut transaction would take effect in part when the file is read a second time.
        rewrite(&place).await;
        queue.give_back_overdue().await.unwrap();
        let mut listed = place.listed().await;
        listed.sort_unstable();
        entries.sort_unstable();
        assert!(listed == entries, "each is there once: {} of {}", listed.len(), entries.len());
    }
}

/// A dead letter goes back, Redis is killed within the write of that, and killed once more after others came. Redis leaves the beginning
/// of the cut transaction in its file, so that the second start runs what the first one had dropped (seen on 7.0.15, mended in Valkey 9.1.2).
async fn after_two_crashes(rewritten: bool) -> Option<(Vec<String>, Vec<String>)> {
    let mut place = Place::own(&[])?;
    let queue = place.queue();
    let letters = dead_letters(3);
    let entries: Vec<_> = letters.iter().map(|letter| letter.json.clone()).collect();
    queue.push(&letters[..1]).await.unwrap();
    assert_eq!(queue.give_back(&claim(&queue, &entries[..1], Duration::ZERO).await).await, Ok(1));
    // `EXEC` has 14 bytes: 20 reach into the command before it, which takes the entry out of the claims.
    place.server().kill();
    place.server().cut(20);
    place.server().restart();
    testkit::eventually(SOON, "Redis is back", async || queue.ping().await.is_ok()).await;
    assert_eq!(place.listed().await, [""; 0], "it is claimed, as before the transaction");
    if rewritten {
        rewrite(&place).await;
    }
    queue.push(&letters[1..]).await.unwrap();
    crash(&mut place, &queue).await;
    queue.give_back_overdue().await.unwrap();
    Some((place.listed().await, entries))
}

#[tokio::test]
async fn a_transaction_cut_in_the_file_of_redis_loses_no_dead_letter() {
    let Some((listed, entries)) = after_two_crashes(false).await else { return };
    assert!(entries.iter().all(|entry| listed.contains(entry)), "{listed:?}");
}

#[tokio::test]
async fn a_file_written_anew_after_a_cut_lists_each_dead_letter_once() {
    let Some((mut listed, mut entries)) = after_two_crashes(true).await else { return };
    listed.sort_unstable();
    entries.sort_unstable();
    assert_eq!(listed, entries);
}

/// A queue of three claimed dead letters behind a network, on a connection that is open.
async fn behind_proxy(place: &Place) -> (Proxy, RedisDlq, Vec<Claim>) {
    let proxy = Proxy::before(place.config.port).await;
    let queue = RedisDlq::new(&RedisConfig { port: proxy.port, timeout: Duration::from_secs(2), ..place.config.clone() }).unwrap();
    let dead_letters = dead_letters(3);
    queue.push(&dead_letters).await.unwrap();
    let entries: Vec<_> = dead_letters.into_iter().map(|dead_letter| dead_letter.json).collect();
    // Loads both scripts: the reply that is lost later must not be the one which says that they are missing.
    queue.settle(&claim(&queue, &entries[..1], LEASE).await).await.unwrap();
    queue.restore(&entries[..1]).await.unwrap();
    let claims = claim(&queue, &entries, LEASE).await;
    (proxy, queue, claims)
}

#[tokio::test]
async fn a_claim_whose_reply_was_lost_comes_back_when_its_lease_ends() {
    let Some(place) = Place::own(&[]) else { return };
    let (proxy, queue, claims) = behind_proxy(&place).await;
    assert_eq!(queue.give_back(&claims[..1]).await, Ok(1));
    proxy.set(Network::BreaksReplies);
    assert!(queue.claim(&[claims[0].entry.clone()], Duration::ZERO).await.is_err());
    assert_eq!(place.listed().await, [""; 0], "it had its effect");
    proxy.set(Network::Works);
    assert_eq!(queue.give_back_overdue().await, Ok(1));
    assert_eq!(place.listed().await, [claims[0].entry.clone()]);
}

#[tokio::test]
async fn a_settlement_whose_reply_was_lost_changes_nothing_when_it_is_made_again() {
    let Some(place) = Place::own(&[]) else { return };
    let (proxy, queue, claims) = behind_proxy(&place).await;
    proxy.set(Network::BreaksReplies);
    assert!(queue.settle(&claims[..1]).await.is_err());
    proxy.set(Network::Works);
    assert_eq!(queue.settle(&claims[..1]).await, Ok(0), "it had its effect");
    assert_eq!(queue.settle(&claims).await, Ok(2));
}

#[tokio::test]
async fn giving_back_whose_reply_was_lost_lists_an_entry_once() {
    let Some(place) = Place::own(&[]) else { return };
    let (proxy, queue, claims) = behind_proxy(&place).await;
    // Loads the script.
    queue.give_back(&claims[2..]).await.unwrap();
    proxy.set(Network::BreaksReplies);
    assert!(queue.give_back(&claims[..1]).await.is_err());
    proxy.set(Network::Works);
    assert_eq!(queue.give_back(&claims[..1]).await, Ok(0), "it had its effect");
    assert_eq!(place.listed().await, [claims[2].entry.clone(), claims[0].entry.clone()]);
}
