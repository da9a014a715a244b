//! What holds on every broker.

use std::time::Duration;

use pipeline::Header;
use pipeline::headers::RETRY_COUNT_HEADER;
use pipeline::ports::{GroupProgress as _, Message, PollLimits};
use pipeline::record::TimestampType;
use pipeline::{FaultClass, Publisher as _, RecordSource as _};

use crate::lab::{BOUND, Lab, PLENTY, TURN, assert_in_order, message, noise, number, numbers, within};

/// Each case once on the embedded broker and once on a real one.
macro_rules! on_both {
    ($($case:ident($partitions:literal)),+ $(,)?) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread")] async fn $case() { super::$case(&super::Lab::embedded($partitions)).await; })+
        }
        mod real {
            $(#[tokio::test(flavor = "multi_thread")] async fn $case() {
                if let Some(lab) = super::Lab::real($partitions).await { super::$case(&lab).await; }
            })+
        }
    };
}

on_both! {
    records_come_in_order_with_their_bytes_headers_and_timestamps(3),
    a_take_keeps_its_limits_and_loses_nothing(2),
    a_take_that_is_dropped_loses_nothing(4),
    a_take_waits_for_the_first_record_only(1),
    the_next_member_of_the_group_starts_after_the_commit(2),
    records_that_were_not_committed_come_again(2),
    progress_shows_the_ends_of_all_partitions_and_how_far_the_group_has_come(3),
    a_record_that_is_too_large_is_poison_and_the_next_one_is_delivered(1),
    records_larger_than_what_is_fetched_of_a_partition_at_once_come_all_the_same(4),
    thousands_of_records_can_be_under_way_at_once(4),
}

async fn records_come_in_order_with_their_bytes_headers_and_timestamps(lab: &Lab) {
    let before = now_ms();
    let bytes: Vec<u8> = (0..=255).collect();
    let header = |count: &str| {
        let bytes = Header { name: "trace".to_owned(), value: Some(vec![0, 255]) };
        vec![bytes, Header { name: "null".to_owned(), value: None }, Header::text("trace", ""), Header::text(RETRY_COUNT_HEADER, count)]
    };
    let sent = [
        Message { key: Some(b"k".to_vec()), value: Some(bytes), headers: header("3") },
        Message { key: Some(b"k".to_vec()), value: None, headers: header("many") },
        Message { key: Some(b"k".to_vec()), value: Some(Vec::new()), headers: Vec::new() },
        Message { key: None, value: Some(b"no key".to_vec()), headers: Vec::new() },
    ];
    let mut delivered = Vec::new();
    for message in &sent {
        delivered.push(lab.send(message.clone()).await);
    }
    let mut consumer = lab.consumer();
    let records = consumer.take_exactly(sent.len()).await;
    assert_in_order(&records);
    for (message, delivered) in sent.iter().zip(&delivered) {
        let is_it =
            |record: &&pipeline::Record| (record.position.partition, record.position.offset) == (delivered.partition, delivered.offset);
        let record = records.iter().find(is_it).unwrap();
        assert_eq!((&record.key, &record.value, &record.headers), (&message.key, &message.value, &message.headers));
        assert_eq!(&*record.position.topic, lab.config.topic);
        assert!((before..=now_ms()).contains(&record.timestamp_ms.unwrap()));
        assert_eq!(record.timestamp_type, Some(TimestampType::CreateTime), "a topic of nobody's choice");
    }
    let retries: Vec<_> = records.iter().filter(|record| record.key.is_some()).map(|record| record.redriven().retry_count).collect();
    assert_eq!(retries, [3, 0, 0], "a count that is no number counts as none");
    consumer.close().await;
}

async fn a_take_keeps_its_limits_and_loses_nothing(lab: &Lab) {
    lab.publish_numbers(100, 160).await;
    let mut consumer = lab.consumer();
    let (mut records, mut fullest) = (Vec::new(), 0);
    while records.len() < 60 {
        // A number of three digits as key and value: six bytes.
        let limits =
            if records.len() % 2 == 0 { PollLimits { records: 7, bytes: 1_000 } } else { PollLimits { records: 1_000, bytes: 20 } };
        let taken = consumer.take(limits).await;
        assert!(taken.len() <= limits.records && taken.iter().map(pipeline::Record::size).sum::<usize>() <= limits.bytes);
        fullest = fullest.max(taken.len());
        records.extend(taken);
    }
    assert_eq!(fullest, 7, "a take gives all that is there, up to its limits");
    let alone = within(consumer.source.poll_batch(PollLimits { records: 9, bytes: 1 }, TURN)).await.unwrap();
    assert!(alone.is_empty());
    assert_eq!(numbers(&records), (100..160).collect());
    assert_in_order(&records);
    consumer.close().await;
}

async fn a_take_that_is_dropped_loses_nothing(lab: &Lab) {
    let mut consumer = lab.consumer();
    consumer.join(4).await;
    let mut records = Vec::new();
    for round in 0..40 {
        lab.publish_numbers(round * 5, round * 5 + 5).await;
        // Dropped after so many polls of the future, wherever it stands then.
        let mut polls = 0;
        let take = consumer.source.poll_batch(PollLimits { records: 3, bytes: 1_000 }, BOUND);
        let mut take = std::pin::pin!(take);
        let taken = std::future::poll_fn(|context| {
            polls += 1;
            match take.as_mut().poll(context) {
                std::task::Poll::Ready(taken) => std::task::Poll::Ready(Some(taken)),
                std::task::Poll::Pending if polls > round % 4 => std::task::Poll::Ready(None),
                std::task::Poll::Pending => std::task::Poll::Pending,
            }
        })
        .await;
        records.extend(taken.into_iter().flat_map(Result::unwrap));
    }
    records.extend(consumer.take_exactly(200 - records.len()).await);
    assert_eq!(numbers(&records), (0..200).collect());
    assert_in_order(&records);
    consumer.close().await;
}

async fn a_take_waits_for_the_first_record_only(lab: &Lab) {
    let mut consumer = lab.consumer();
    consumer.join(1).await;
    assert!(consumer.source.poll_batch(PLENTY, TURN).await.unwrap().is_empty());
    let waiting = tokio::spawn(async move { (consumer.source.poll_batch(PLENTY, BOUND).await.unwrap(), consumer) });
    lab.publish_numbers(0, 1).await;
    let (records, consumer) = within(waiting).await.unwrap();
    assert_eq!(numbers(&records), [0].into());
    consumer.close().await;
}

async fn the_next_member_of_the_group_starts_after_the_commit(lab: &Lab) {
    lab.publish_numbers(0, 20).await;
    let mut first = lab.consumer();
    let records = first.take_exactly(20).await;
    first.commit(&records).await;
    first.close().await;
    lab.publish_numbers(20, 25).await;
    let mut second = lab.consumer();
    assert_eq!(numbers(&second.take_exactly(5).await), (20..25).collect());
    second.close().await;
}

async fn records_that_were_not_committed_come_again(lab: &Lab) {
    lab.publish_numbers(0, 20).await;
    let mut first = lab.consumer();
    let records = first.take_exactly(20).await;
    let half: Vec<_> = records.iter().filter(|record| record.position.partition == 0).cloned().collect();
    assert!(!half.is_empty() && half.len() < 20);
    first.commit(&half).await;
    first.close().await;
    let mut second = lab.consumer();
    let again = second.take_exactly(20 - half.len()).await;
    assert!(again.iter().all(|record| record.position.partition == 1));
    second.close().await;
}

async fn progress_shows_the_ends_of_all_partitions_and_how_far_the_group_has_come(lab: &Lab) {
    assert_eq!(lab.progress.high_watermarks().await.unwrap(), [(0, 0), (1, 0), (2, 0)].into());
    assert_eq!(lab.committed().await, [(0, 0), (1, 0), (2, 0)].into());
    let mut expected = std::collections::BTreeMap::from([(0, 0), (1, 0), (2, 0)]);
    for number in 0..12 {
        let delivered = lab.publish(&number.to_string(), &number.to_string()).await;
        expected.insert(delivered.partition, delivered.offset + 1);
    }
    assert_eq!(lab.progress.high_watermarks().await.unwrap(), expected);
    let mut consumer = lab.consumer();
    let records = consumer.take_exactly(12).await;
    assert_eq!(lab.committed().await, [(0, 0), (1, 0), (2, 0)].into(), "taken is not committed");
    consumer.commit(&records).await;
    assert_eq!(lab.committed().await, expected);
    consumer.close().await;
}

async fn records_larger_than_what_is_fetched_of_a_partition_at_once_come_all_the_same(lab: &Lab) {
    let values: Vec<_> = (0..12).map(|seed| noise(if seed % 3 == 0 { 10 } else { 300_000 }, seed)).collect();
    for (key, value) in values.iter().enumerate() {
        lab.send(message(&key.to_string(), value)).await;
    }
    let records = lab.consumer().take_exactly(values.len()).await;
    assert_in_order(&records);
    assert!(values.iter().all(|value| records.iter().any(|record| record.value.as_ref() == Some(value))));
}

async fn a_record_that_is_too_large_is_poison_and_the_next_one_is_delivered(lab: &Lab) {
    let large = message("k", &vec![b'x'; lab.config.max_message_bytes as usize + 1]);
    let fault = within(lab.publisher.publish(&lab.config.topic, large)).await.unwrap_err();
    assert_eq!((fault.class, fault.subject), (FaultClass::Poison, "message_too_large"));
    lab.publish_numbers(7, 8).await;
    let mut consumer = lab.consumer();
    assert_eq!(number(&consumer.take_exactly(1).await[0]), 7);
    consumer.close().await;
}

async fn thousands_of_records_can_be_under_way_at_once(lab: &Lab) {
    lab.publish_numbers(0, 5_000).await;
    let mut consumer = lab.consumer();
    let records = consumer.take_exactly(5_000).await;
    assert_eq!(numbers(&records), (0..5_000).collect());
    assert_in_order(&records);
    lab.publisher.clone().close(Duration::from_secs(5)).await.unwrap();
    consumer.close().await;
}

fn now_ms() -> i64 {
    i64::try_from(std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap()
}
