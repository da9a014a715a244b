//! The group's offsets are moved back, so that records are consumed again.

use std::collections::BTreeMap;

use consumer::replay::{Group, Refusal, ReplayArgs, Report, StartAt, replay};
use pipeline::audit::AuditEntry;
use pipeline::fault::Fault;
use pipeline::ports::{AuditLog as _, AuditPage, GroupOffsets, GroupProgress, LogPositions as _};
use pipeline::{GroupMember, LogPosition, LogState};
use sqlite::Sqlite;

use crate::fake_log::{LOG, Topic};

/// A topic and who is in its group.
#[derive(Default)]
struct Kafka {
    topic: Topic,
    members: Vec<GroupMember>,
}

impl GroupProgress for Kafka {
    async fn log(&self) -> Result<LogState, Fault> {
        self.topic.log().await
    }

    async fn members(&self) -> Result<Option<Vec<GroupMember>>, Fault> {
        Ok(Some(self.members.clone()))
    }
}

impl GroupOffsets for Kafka {
    /// The records of each second, one after the other.
    async fn offsets_at(&self, at_ms: i64) -> Result<BTreeMap<i32, i64>, Fault> {
        Ok(self.topic.ends().into_iter().map(|(partition, end)| (partition, end.min(at_ms / 1000))).collect())
    }

    async fn reset(&self, offsets: &BTreeMap<i32, i64>) -> Result<(), Fault> {
        offsets.iter().for_each(|(partition, offset)| self.topic.commit(*partition, *offset));
        Ok(())
    }
}

/// Two partitions of five records each, the first consumed to its end, the second to the third record.
async fn consumed() -> (Kafka, Sqlite) {
    let (kafka, tables) = (Kafka::default(), Sqlite::temporary().unwrap());
    for partition in [0, 1] {
        (0..5).for_each(|_| kafka.topic.append_bytes(partition, b"x".to_vec()));
    }
    let position = |partition, next_offset| LogPosition { log: LOG, topic: "events".into(), partition, next_offset };
    tables.advance(&[position(0, 5), position(1, 3)]).await.unwrap();
    kafka.topic.commit(0, 5);
    kafka.topic.commit(1, 3);
    (kafka, tables)
}

async fn ask(kafka: &Kafka, tables: &Sqlite, from: StartAt, partition: Option<i32>, execute: bool) -> Result<Report, Refusal> {
    let group = Group { name: "shop".into(), topic: "events".into(), retention: None };
    replay(kafka, tables, group, &ReplayArgs { from, partition, execute, json: false }).await
}

async fn committed(kafka: &Kafka) -> Vec<Option<i64>> {
    kafka.log().await.unwrap().partitions.values().map(|state| state.committed).collect()
}

async fn noted(tables: &Sqlite) -> Vec<AuditEntry> {
    tables.audit_page(AuditPage::After(0), 100).await.unwrap()
}

#[tokio::test]
async fn nothing_is_moved_until_it_is_executed_and_then_the_audit_log_says_who_did() {
    let (kafka, tables) = consumed().await;
    let shown = ask(&kafka, &tables, StartAt::Earliest, None, false).await.unwrap();
    assert!(!shown.executed && shown.to_string().contains("8 offsets would come again"), "{shown}");
    assert_eq!((committed(&kafka).await, noted(&tables).await.len()), (vec![Some(5), Some(3)], 0));

    let done = ask(&kafka, &tables, StartAt::Offset(4), None, true).await.unwrap();
    assert!(done.executed && done.to_string().ends_with("moved: 1 offset comes again, once consumers are started\n"), "{done}");
    assert_eq!(committed(&kafka).await, [Some(4), Some(3)], "nothing is skipped in the partition that has not come so far");
    let told: Vec<_> =
        noted(&tables).await.into_iter().map(|entry| (entry.record.action, entry.record.subject, entry.record.outcome)).collect();
    let subject = "offsets of group shop in topic events, back to offset 4; 0: 5 to 4";
    let entry = |outcome: &str| ("replay".to_owned(), subject.to_owned(), outcome.to_owned());
    assert_eq!(told, [entry("begun"), entry("moved")]);
}

#[tokio::test]
async fn a_time_is_looked_up_in_each_partition_and_one_partition_may_be_named() {
    let (kafka, tables) = consumed().await;
    let from = StartAt::Time(events::Timestamp::from_unix_millis(2_500).unwrap());
    let done = ask(&kafka, &tables, from, Some(1), true).await.unwrap();
    assert_eq!((done.partitions.len(), committed(&kafka).await), (1, vec![Some(5), Some(2)]));
    let refused = ask(&kafka, &tables, from, Some(7), true).await.unwrap_err();
    assert_eq!(refused, Refusal::NoPartition { partition: 7, known: 2 });
}

#[tokio::test]
async fn while_somebody_is_in_the_group_it_is_refused_and_the_member_named() {
    let (mut kafka, tables) = consumed().await;
    kafka.members.push(GroupMember { id: "rdkafka-1".into(), host: "10.0.0.7".into(), partitions: [0].into() });
    let shown = ask(&kafka, &tables, StartAt::Earliest, None, false).await.unwrap();
    assert!(shown.to_string().contains("members, to be stopped before: rdkafka-1 at 10.0.0.7"), "{shown}");
    let refused = ask(&kafka, &tables, StartAt::Earliest, None, true).await.unwrap_err();
    assert!(refused.to_string().starts_with("the group has members, so nothing was moved: rdkafka-1 at 10.0.0.7."), "{refused}");
    assert_eq!((committed(&kafka).await, noted(&tables).await.len()), (vec![Some(5), Some(3)], 0));
}
