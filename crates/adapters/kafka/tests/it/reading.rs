//! Reading the topic from outside of the group, up to given offsets.

use std::collections::BTreeMap;
use std::time::Duration;

use kafka::KafkaLogReader;
use pipeline::ports::LogReader as _;
use pipeline::{Record, RecordSource as _};
use tokio::time::Instant;

use crate::lab::{BOUND, Lab, PLENTY, TURN, assert_in_order, numbers, within};
use crate::new_logs::{TIMEOUT, begin, transactional};

/// Reads up to what the reader was told, from the beginning where a partition has not begun yet.
async fn read_all(reader: &mut KafkaLogReader) -> Vec<Record> {
    let (mut records, deadline) = (Vec::new(), Instant::now() + BOUND);
    for unstarted in reader.unstarted() {
        reader.start(unstarted, 0).await.unwrap();
    }
    while !reader.is_read() {
        assert!(Instant::now() < deadline, "the end did not come; {} records did", records.len());
        records.extend(within(reader.poll_batch(PLENTY, TURN)).await.unwrap());
    }
    records
}

async fn each_record_before_the_ends_comes_once_and_the_rest_when_the_ends_go_on(lab: &Lab) {
    lab.publish_numbers(0, 400).await;
    let ends = within(pipeline::ports::GroupProgress::high_watermarks(&lab.progress)).await.unwrap();
    let half: BTreeMap<i32, i64> = ends.iter().map(|(partition, end)| (*partition, end / 2)).collect();
    let mut reader = KafkaLogReader::open(&lab.config).unwrap();
    reader.read_to(&half);
    let mut records = read_all(&mut reader).await;
    assert_eq!(records.len() as i64, half.values().sum::<i64>());
    // What stands behind the ends was fetched already: it must come all the same.
    reader.poll_batch(PLENTY, Duration::from_millis(300)).await.unwrap();
    reader.read_to(&ends);
    records.extend(read_all(&mut reader).await);
    assert_in_order(&records);
    assert_eq!(numbers(&records), (0..400).collect());
    assert_eq!(lab.committed().await.values().sum::<i64>(), 0, "nothing is committed");
    let mut another = reader.another().unwrap();
    another.read_to(&ends);
    assert_eq!(numbers(&read_all(&mut another).await), (0..400).collect());
    another.close(BOUND).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_stops_at_its_ends_and_goes_on_with_them() {
    each_record_before_the_ends_comes_once_and_the_rest_when_the_ends_go_on(&Lab::embedded(4)).await;
    if let Some(lab) = Lab::real(4).await {
        each_record_before_the_ends_comes_once_and_the_rest_when_the_ends_go_on(&lab).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_passes_markers_and_aborted_records() {
    let Some(lab) = Lab::real(1).await else { return };
    let producer = transactional(&lab);
    begin(&producer, &lab, 0..5);
    rdkafka::producer::Producer::commit_transaction(&producer, TIMEOUT).unwrap();
    begin(&producer, &lab, 5..9);
    rdkafka::producer::Producer::abort_transaction(&producer, TIMEOUT).unwrap();
    let mut reader = KafkaLogReader::open(&lab.config).unwrap();
    reader.read_to(&[(0, 11)].into());
    assert_eq!(numbers(&read_all(&mut reader).await), (0..5).collect());
    assert_eq!(reader.passed().iter().map(|(_, _, next)| next.offset).collect::<Vec<_>>(), [11]);
}
