//! The primary is lost, and a replica takes its place.

use std::time::Duration;

use pipeline::ports::{DeadLetterQueue as _, DeadLetterReader as _};
use pipeline::{DeadLetter, FaultClass};
use redis_dlq::{RedisConfig, RedisDlq};
use testkit::proxy::{Network, Proxy};

use crate::place::{Place, SOON, dead_letters};

const AWAY: FaultClass = FaultClass::Unavailable { timed_out: false };

/// A primary and its replica, with a network between them.
struct Pair {
    primary: Place,
    replica: Place,
    between: Proxy,
}

impl Pair {
    /// Starts both; the replica follows. The primary takes writes only while it hears of a replica.
    async fn start() -> Option<Self> {
        let primary = Place::own(&["--repl-diskless-sync-delay", "0", "--min-replicas-to-write", "1"])?;
        let between = Proxy::before(primary.config.port).await;
        let mut replica = Place::own(&["--replicaof", "127.0.0.1", &between.port.to_string()])?;
        // What it holds is looked for under the same name.
        replica.config.list.clone_from(&primary.config.list);
        let pair = Self { primary, replica, between };
        testkit::eventually(SOON, "the primary knows that the replica follows", async || {
            pair.primary.run::<String>("INFO replication").await.contains("min_slaves_good_slaves:1")
        })
        .await;
        Some(pair)
    }

    /// The queue on the primary, which waits for so many replicas.
    fn queue(&self, wait_replicas: u8) -> RedisDlq {
        RedisDlq::new(&RedisConfig { wait_replicas, timeout: Duration::from_secs(2), ..self.primary.config.clone() }).unwrap()
    }

    /// Loses the primary and has the replica take its place; the queue there.
    async fn fail_over(&mut self) -> RedisDlq {
        self.primary.server().kill();
        let _: () = self.replica.run("REPLICAOF NO ONE").await;
        self.replica.queue()
    }

    /// Which of these the replica lists.
    async fn survivors<'l>(&self, of: &'l [DeadLetter]) -> Vec<&'l DeadLetter> {
        let listed = self.replica.listed().await;
        of.iter().filter(|dead_letter| listed.contains(&dead_letter.json)).collect()
    }
}

#[tokio::test]
async fn without_waiting_a_lost_primary_takes_what_it_acknowledged_with_it() {
    let Some(mut pair) = Pair::start().await else { return };
    let dead_letters = dead_letters(20);
    // Not lost for want of a replica: `min-replicas-to-write` is content for ten seconds more.
    pair.between.set(Network::Holds);
    assert_eq!(pair.queue(0).push(&dead_letters).await, Ok(20));
    pair.fail_over().await;
    assert_eq!(pair.survivors(&dead_letters).await, [] as [&DeadLetter; 0], "this is why REDIS_WAIT_REPLICAS is there");
}

#[tokio::test]
async fn with_waiting_what_was_acknowledged_outlives_the_primary() {
    let Some(mut pair) = Pair::start().await else { return };
    let (queue, dead_letters) = (pair.queue(1), dead_letters(3000));
    let mut acknowledged = 0;
    for (number, some) in dead_letters.chunks(100).enumerate() {
        if number == 20 {
            pair.between.set(Network::Holds);
        }
        match queue.push(some).await {
            Ok(new) => acknowledged += new,
            Err(fault) => {
                assert_eq!((fault.class, acknowledged), (AWAY, 2000));
                assert!(fault.subject.starts_with("no replica ") && fault.subject.contains("REDIS_WAIT_REPLICAS"), "{fault}");
                break;
            }
        }
    }
    assert_eq!(pair.primary.listed().await.len(), 2100, "the primary has what was not acknowledged");
    let promoted = pair.fail_over().await;
    assert_eq!(pair.survivors(&dead_letters[..2000]).await.len(), 2000);
    // As the consumer goes on: what was not acknowledged is pushed again, and all of it a second time after a restart.
    assert_eq!(promoted.push(&dead_letters[1900..]).await, Ok(1000));
    assert_eq!(promoted.push(&dead_letters).await, Ok(0));
    assert_eq!(promoted.depth().await, Ok(3000));
}

/// It finds the dead letters there, writes nothing, and waits on another connection than the one that wrote.
#[tokio::test]
async fn a_push_that_is_made_again_waits_for_what_the_first_one_wrote() {
    let Some(pair) = Pair::start().await else { return };
    let dead_letters = dead_letters(2);
    pair.between.set(Network::Holds);
    let fault = pair.queue(1).push(&dead_letters).await.unwrap_err();
    for again in [pair.queue(1), pair.queue(1)] {
        assert_eq!(again.push(&dead_letters).await, Err(fault.clone()));
    }
    pair.between.set(Network::Works);
    assert_eq!(pair.queue(1).push(&dead_letters).await, Ok(0));
    assert_eq!(pair.replica.listed().await.len(), 2);
}

#[tokio::test]
async fn the_replicas_that_acknowledge_are_counted_without_a_trace() {
    let Some(pair) = Pair::start().await else { return };
    assert_eq!(pair.queue(0).replicas().await, Ok(None), "nobody asks for them");
    let queue = pair.queue(2);
    assert_eq!(queue.replicas().await, Ok(Some(1)));
    pair.between.set(Network::Holds);
    assert_eq!(queue.replicas().await, Ok(Some(0)));
    assert_eq!(pair.primary.run::<i64>("DBSIZE").await, 0);
}
