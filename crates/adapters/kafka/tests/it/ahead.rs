//! Receiving while a large poll is worked on: partitions do not move meanwhile.

use std::time::Duration;

use pipeline::{Record, RecordSource as _};

use crate::lab::{Consumer, Lab, PLENTY, TURN, assert_in_order, numbers};

/// In turns, longer than the broker takes to move partitions to a member that joins: it tells the others with their heartbeats.
const MOVES_WITHIN: u32 = 160;

/// A member with a poll at hand that is large enough to receive more meanwhile, and another one that has joined and got nothing.
async fn at_work(lab: &Lab) -> (Consumer, Vec<Record>, Consumer) {
    lab.publish_numbers(0, 2_000).await;
    let mut first = lab.consumer();
    let at_hand = first.take(PLENTY).await;
    assert!(at_hand.len() >= 500, "{} records are not a large poll", at_hand.len());
    let mut second = lab.consumer();
    for _ in 0..MOVES_WITHIN {
        assert!(second.turn().await.is_empty());
    }
    assert_eq!((first.source.assigned().len(), second.source.assigned().len()), (4, 0), "partitions moved under unfinished work");
    (first, at_hand, second)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_at_hand_is_finished_and_committed_before_its_partition_moves() {
    let lab = Lab::embedded(4);
    let (mut first, at_hand, mut second) = at_work(&lab).await;
    first.commit(&at_hand).await;
    let mut records = at_hand;
    let mut others = Vec::new();
    while records.len() + others.len() < 2_000 || second.source.assigned().len() != 2 {
        let taken = first.turn().await;
        first.commit(&taken).await;
        records.extend(taken);
        let taken = second.turn().await;
        second.commit(&taken).await;
        others.extend(taken);
    }
    assert_in_order(&records);
    records.extend(others);
    assert_eq!(numbers(&records), (0..2_000).collect(), "the next owner begins after what was committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_move_while_the_work_waits_for_a_dependency() {
    let lab = Lab::embedded(4);
    let (mut first, at_hand, mut second) = at_work(&lab).await;
    while second.source.assigned().len() != 2 {
        first.source.pause(TURN).await;
        second.turn().await;
    }
    let moved = second.source.assigned();
    first.commit(&at_hand).await;
    assert!(lab.committed().await.iter().all(|(partition, next)| moved.contains(partition) == (*next == 0)), "only what is owned");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_closed_or_dropped_at_work_leaves_the_group() {
    for close in [true, false] {
        let lab = Lab::embedded(4);
        let (first, _, mut second) = at_work(&lab).await;
        if close {
            // A busy machine takes its time; what counts is that it ends.
            first.source.close(Duration::from_secs(60)).await.unwrap();
        } else {
            drop(first);
        }
        second.join(4).await;
    }
}
