//! Several members of one group.

use std::collections::BTreeSet;

use kafka::{AssignmentStrategy, GroupProtocol, KafkaConfig};
use pipeline::ports::GroupProgress as _;
use pipeline::{FaultClass, Record, RecordSource as _};
use tokio::time::Instant;

use crate::lab::{Consumer, Lab, Log, PLENTY, TURN, numbers};
use crate::share_group;

#[tokio::test(flavor = "multi_thread")]
async fn members_share_the_partitions_and_one_that_leaves_gives_its_own_up() {
    let lab = Lab::embedded(4);
    share_and_leave(&lab).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_share_the_partitions_of_a_real_broker_cooperatively() {
    if let Some(lab) = Lab::real(4).await {
        share_and_leave(&Lab::new(KafkaConfig { strategy: AssignmentStrategy::CooperativeSticky, ..lab.config })).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_share_the_partitions_of_a_real_broker_by_range() {
    if let Some(lab) = Lab::real(4).await {
        share_and_leave(&Lab::new(KafkaConfig { strategy: AssignmentStrategy::Range, ..lab.config })).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_share_the_partitions_of_a_real_broker_as_it_says() {
    if let Some(lab) = Lab::real(4).await {
        share_and_leave(&Lab::new(KafkaConfig { protocol: GroupProtocol::Consumer, ..lab.config })).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_for_a_partition_that_moved_is_not_made() {
    commit_after_a_move(&Lab::embedded(4)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_for_a_partition_that_moved_is_not_made_on_a_real_broker() {
    if let Some(lab) = Lab::real(4).await {
        commit_after_a_move(&lab).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_for_a_partition_that_a_real_broker_moved_is_not_made() {
    if let Some(lab) = Lab::real(4).await {
        commit_after_a_move(&Lab::new(KafkaConfig { protocol: GroupProtocol::Consumer, ..lab.config })).await;
    }
}

/// What librdkafka's members note for themselves with this strategy is in the way of the brokers' protocol, from the second time on that they
/// share the partitions.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_is_not_let_in_beside_cooperative_ones_says_so_and_gets_all_when_they_have_left() {
    let Some(lab) = Lab::real(4).await else { return };
    let cooperative = KafkaConfig { strategy: AssignmentStrategy::CooperativeSticky, ..lab.config };
    let newer = Lab::new(KafkaConfig { protocol: GroupProtocol::Consumer, ..cooperative.clone() });
    let lab = Lab::new(cooperative);
    let (mut first, mut second) = (lab.consumer(), lab.consumer());
    settle(&mut first, &mut second).await;
    second.close().await;
    first.join(4).await;
    let log = Log::start();
    let mut third = newer.consumer();
    while !log.text().contains("no partitions: ") {
        first.turn().await;
        third.turn().await;
    }
    assert!(log.text().contains("strategy=\"cooperative-sticky\""), "{}", log.text());
    assert_eq!((first.source.assigned().len(), third.source.assigned().len()), (4, 0));
    assert_eq!(third.source.poll_batch(PLENTY, TURN).await, Ok(Vec::new()), "it is not held, or nobody would go on to replace the others");
    first.close().await;
    third.join(4).await;
    third.close().await;
}

/// With the brokers' protocol librdkafka asks again and again, and tells nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_in_a_group_of_another_kind_says_so_and_goes_on_when_that_group_is_gone() {
    let Some(lab) = Lab::real(1).await else { return };
    for protocol in [GroupProtocol::Consumer, GroupProtocol::Classic] {
        let group = format!("{}-{protocol:?}", lab.config.group);
        // A group of the coordinator's, which has to be there before anybody of ours asks.
        share_group::leave_behind(&lab.config, &group).await;
        let lab = Lab::new(KafkaConfig { protocol, group: group.clone(), ..lab.config.clone() });
        let mut consumer = lab.consumer();
        let refused = loop {
            assert!(Instant::now() < consumer.deadline, "{protocol:?}: it is not told");
            match consumer.source.poll_batch(PLENTY, TURN).await {
                Ok(records) => assert_eq!(records, []),
                Err(fault) => break fault,
            }
        };
        assert_eq!(refused.class, FaultClass::Operator);
        assert!(refused.subject.contains("a share or streams group has the name in KAFKA_CONSUMER_GROUP"), "{refused}");
        share_group::delete(&lab.config, &group).await;
        consumer.join(1).await;
        consumer.close().await;
    }
}

/// Those that share by range may be replaced one by one.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_let_in_beside_those_that_share_by_range() {
    let Some(lab) = Lab::real(4).await else { return };
    let range = KafkaConfig { strategy: AssignmentStrategy::Range, ..lab.config };
    let newer = Lab::new(KafkaConfig { protocol: GroupProtocol::Consumer, ..range.clone() });
    let lab = Lab::new(range);
    let (mut first, mut second) = (lab.consumer(), lab.consumer());
    settle(&mut first, &mut second).await;
    second.close().await;
    first.join(4).await;
    let log = Log::start();
    let mut third = newer.consumer();
    settle(&mut first, &mut third).await;
    assert!(!log.text().contains("no partitions: "), "{}", log.text());
    first.close().await;
    third.join(4).await;
    third.close().await;
}

async fn share_and_leave(lab: &Lab) {
    let mut first = lab.consumer();
    first.join(4).await;
    let mut second = lab.consumer();
    let mut records = settle(&mut first, &mut second).await;
    let owned = second.source.assigned();
    assert!(first.source.assigned().is_disjoint(&owned));
    if let Some(members) = lab.progress.members().await.unwrap() {
        let mut shares: Vec<_> = members.iter().map(|member| member.partitions.clone()).collect();
        shares.sort();
        let mut expected = [first.source.assigned(), owned.clone()];
        expected.sort();
        assert_eq!(shares, expected, "the brokers tell who has what");
        assert!(members.iter().all(|member| member.host == "127.0.0.1" && !member.id.is_empty()), "{members:?}");
    }

    lab.publish_numbers(0, 200).await;
    while records.len() < 200 {
        records.extend(both(&mut first, &mut second).await);
    }
    assert_eq!(numbers(&records), (0..200).collect());
    second.close().await;
    first.join(4).await;
    lab.publish_numbers(200, 260).await;
    let after = first.take_exactly(60).await;
    assert_eq!(numbers(&after), (200..260).collect(), "what the other member had committed does not come again");
    assert!(after.iter().any(|record| owned.contains(&record.position.partition)));
    first.close().await;
    assert!(lab.progress.members().await.unwrap().is_none_or(|members| members.is_empty()), "nobody is left");
}

async fn commit_after_a_move(lab: &Lab) {
    lab.publish_numbers(0, 100).await;
    let mut first = lab.consumer();
    // Taken, and not finished when the second member comes.
    let unfinished = first.take_exactly(100).await;
    let mut second = lab.consumer();
    while (first.source.assigned().len(), second.source.assigned().len()) != (2, 2) {
        first.turn().await;
        take_and_commit(&mut second).await;
    }
    let moved = second.source.assigned();
    let ends = lab.progress.high_watermarks().await.unwrap();
    while !moved.iter().all(|partition| ends[partition] > 1) || !caught_up(lab, &moved).await {
        take_and_commit(&mut second).await;
    }
    let before = lab.committed().await;
    // The first record of what moved, and the last of what stayed.
    let old: Vec<_> =
        unfinished.iter().filter(|record| moved.contains(&record.position.partition) && record.position.offset == 0).cloned().collect();
    assert!(!old.is_empty());
    first.commit(&old).await;
    assert_eq!(lab.committed().await, before, "a committed offset went back");
    let fetch_buffer: Vec<_> = unfinished.into_iter().filter(|record| !moved.contains(&record.position.partition)).collect();
    first.commit(&fetch_buffer).await;
    assert_eq!(lab.committed().await, ends, "what stayed may be committed: its assignment lasts");
    first.close().await;
    second.close().await;
}

/// Turns until the two members share the four partitions.
async fn settle(first: &mut Consumer, second: &mut Consumer) -> Vec<Record> {
    let mut records = Vec::new();
    while (first.source.assigned().len(), second.source.assigned().len()) != (2, 2) {
        records.extend(both(first, second).await);
    }
    records
}

async fn both(first: &mut Consumer, second: &mut Consumer) -> Vec<Record> {
    let mut records = take_and_commit(first).await;
    records.extend(take_and_commit(second).await);
    records
}

async fn take_and_commit(consumer: &mut Consumer) -> Vec<Record> {
    let records = consumer.turn().await;
    consumer.commit(&records).await;
    records
}

async fn caught_up(lab: &Lab, partitions: &BTreeSet<i32>) -> bool {
    let (ends, committed) = (lab.progress.high_watermarks().await.unwrap(), lab.committed().await);
    partitions.iter().all(|partition| ends[partition] == committed[partition])
}
