//! Redis is there and refuses.

use pipeline::FaultClass;
use pipeline::ports::{DeadLetterQueue as _, DeadLetterReader as _};
use redis_dlq::{RedisConfig, RedisDlq};

use crate::place::{Place, as_user, dead_letters, word};

const AWAY: FaultClass = FaultClass::Unavailable { timed_out: false };

#[tokio::test]
async fn a_wrong_password_is_for_the_operator_and_works_once_it_is_right() {
    let Some(place) = Place::own(&[]) else { return };
    let queue = RedisDlq::new(&RedisConfig { password: Some("canary".into()), ..place.config.clone() }).unwrap();
    let fault = queue.push(&dead_letters(1)).await.unwrap_err();
    assert_eq!(fault.class, FaultClass::Operator);
    assert!(fault.subject.contains("REDIS_PASSWORD"), "{fault}");
    assert!(!format!("{fault:?} {fault} {queue:?}").contains("canary"));
    let _: () = place.run("CONFIG SET requirepass canary").await;
    assert_eq!(queue.push(&dead_letters(1)).await, Ok(1));
}

#[tokio::test]
async fn a_missing_password_is_for_the_operator() {
    let Some(place) = Place::own(&["--requirepass", "canary"]) else { return };
    let fault = place.queue().push(&dead_letters(1)).await.unwrap_err();
    assert_eq!(fault.class, FaultClass::Operator);
    assert!(fault.subject.contains("REDIS_PASSWORD"), "{fault}");
}

/// Redis before 7.2 has no code for it inside a script.
#[tokio::test]
async fn a_missing_right_is_for_the_operator_and_granting_it_is_enough() {
    let Some(place) = Place::own(&[]) else { return };
    let config = as_user(&place.config, "pipeline");
    let (queue, dead_letters) = (RedisDlq::new(&config).unwrap(), dead_letters(1));
    for (rights, right) in [("~* +@all -lpush", "+lpush"), ("~* +@all -evalsha", "+evalsha"), ("+@all ~other", "allkeys")] {
        let _: () = place.run(&format!("ACL SETUSER pipeline reset on >pipeline {rights}")).await;
        let fault = queue.push(&dead_letters).await.unwrap_err();
        assert_eq!(fault.class, FaultClass::Operator, "{rights}");
        assert!(fault.subject.starts_with("rights: ") && fault.subject.contains("REDIS_USERNAME"), "{fault}");
        let _: () = place.run(&format!("ACL SETUSER pipeline {right}")).await;
        assert_eq!(queue.push(&dead_letters).await, Ok(1), "{rights}");
        let _: () = place.run("FLUSHALL").await;
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_is_for_the_operator() {
    let Some(place) = Place::own(&["--databases", "2"]) else { return };
    let with = |database| RedisDlq::new(&RedisConfig { database, ..place.config.clone() }).unwrap();
    assert_eq!(with(1).ping().await, Ok(()));
    assert_eq!(with(2).ping().await.unwrap_err().class, FaultClass::Operator);
}

#[tokio::test]
async fn no_memory_is_for_the_operator_and_leaves_no_trace() {
    let Some(place) = Place::own(&[]) else { return };
    let (queue, dead_letters) = (place.queue(), dead_letters(2));
    let _: () = place.run("CONFIG SET maxmemory 1").await;
    let fault = queue.push(&dead_letters).await.unwrap_err();
    assert_eq!((fault.class, word(&fault)), (FaultClass::Operator, "OOM"));
    assert_eq!(queue.depth().await, Ok(0), "reading goes on");
    let _: () = place.run("CONFIG SET maxmemory 0").await;
    assert_eq!(queue.push(&dead_letters).await, Ok(2));
}

#[tokio::test]
async fn a_replica_is_an_outage_until_it_is_the_master() {
    let Some(place) = Place::own(&[]) else { return };
    let (queue, dead_letters) = (place.queue(), dead_letters(2));
    let _: () = place.run("REPLICAOF 127.0.0.1 1").await;
    let fault = queue.push(&dead_letters).await.unwrap_err();
    assert_eq!((fault.class, word(&fault)), (AWAY, "READONLY"));
    let _: () = place.run("REPLICAOF NO ONE").await;
    assert_eq!(queue.push(&dead_letters).await, Ok(2));
}

#[tokio::test]
async fn too_few_replicas_for_a_write_are_an_outage() {
    let Some(place) = Place::own(&["--min-replicas-to-write", "1"]) else { return };
    let fault = place.queue().push(&dead_letters(1)).await.unwrap_err();
    assert_eq!((fault.class, word(&fault)), (AWAY, "NOREPLICAS"));
}

#[tokio::test]
async fn a_cluster_whose_slots_nobody_serves_is_an_outage() {
    let Some(place) = Place::own(&["--cluster-enabled", "yes"]) else { return };
    let fault = place.queue().push(&dead_letters(1)).await.unwrap_err();
    assert_eq!((fault.class, word(&fault)), (AWAY, "CLUSTERDOWN"));
    let _: () = place.run("CLUSTER ADDSLOTSRANGE 0 16383").await;
    testkit::eventually(crate::place::SOON, "the cluster is up", async || place.queue().push(&dead_letters(1)).await.is_ok()).await;
}

#[tokio::test]
async fn a_database_that_redis_does_not_have_names_the_setting() {
    let Some(place) = Place::own(&["--databases", "2"]) else { return };
    let config = RedisConfig { database: 7, ..place.config.clone() };
    let fault = RedisDlq::new(&config).unwrap().depth().await.unwrap_err();
    assert_eq!(fault.class, FaultClass::Operator);
    assert!(fault.subject.starts_with("database: ") && fault.subject.contains("REDIS_DB"), "{fault}");
}
