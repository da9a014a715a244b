//! Adding to the audit log beside other writers, and that nothing else can be done with it.

use pipeline::FaultClass;
use pipeline::audit::{AuditAction, AuditRecord, AuditTail, Origin, Sha256Digest, chain};
use pipeline::ports::AuditLog as _;
use sqlserver::{SqlServer, migrate};
use testkit::builders::{id, second};

use crate::real;
use crate::scripted::{Column, Scripted, Step, Value, error, table};

fn record() -> AuditRecord {
    AuditRecord {
        at: second(0),
        actor: "ada".to_owned(),
        origin: Origin::CommandLine.label().to_owned(),
        action: AuditAction::Resume.label().to_owned(),
        operation: id(),
        subject: "1 record".to_owned(),
        before: None,
        after: Some(Sha256Digest::of(b"after")),
        outcome: "begun".to_owned(),
    }
}

/// So many entries were added, and this is the end of the log.
fn ends(appended: i32, tail: AuditTail) -> Step {
    let columns = [Column::Int("appended"), Column::Long("number"), Column::Digest("hash")];
    Step::Answer(table(&columns, &[vec![Value::Int(appended), Value::Long(tail.number), Value::Digest(tail.hash.0)]]))
}

#[tokio::test]
async fn who_finds_another_end_of_the_log_chains_to_that_one_and_knows_it_the_next_time() {
    let (records, other) = ([record(), record()], AuditTail { number: 41, hash: Sha256Digest::of(b"theirs") });
    let entries = chain(other, &records);
    let end = AuditTail { number: 43, hash: entries[1].hash };
    let more = chain(end, &[record()]);
    let race = error(2627, 14, "Violation of PRIMARY KEY constraint 'pk_audit_log'.");
    let server =
        Scripted::open(vec![vec![ends(0, other), Step::Answer(race), ends(2, end), ends(1, AuditTail { number: 44, hash: more[0].hash })]])
            .await;
    let store = SqlServer::new(server.config());
    assert_eq!(store.append_audit(&records).await, Ok(end));
    assert_eq!(server.heard("INSERT INTO dbo.audit_log").len(), 3);
    assert_eq!(server.heard(&entries[1].hash.to_string()).len(), 2, "the entries of the second and the third try");
    assert_eq!(store.append_audit(&[more[0].record.clone()]).await.map(|tail| tail.number), Ok(44));
    assert_eq!(server.heard(&more[0].hash.to_string()).len(), 1, "one round trip");
}

#[tokio::test]
async fn who_never_comes_to_write_gives_up_and_a_fault_is_told() {
    let race = || Step::Answer(error(1205, 13, "Deadlock."));
    let server = Scripted::open(vec![(0..30).map(|_| race()).collect()]).await;
    assert_eq!(SqlServer::new(server.config()).append_audit(&[record()]).await.unwrap_err().class, FaultClass::LockConflict);
    assert_eq!(server.heard("INSERT INTO dbo.audit_log").len(), 10);
    let server = Scripted::open(vec![vec![Step::Answer(error(229, 14, "INSERT denied."))]]).await;
    assert_eq!(SqlServer::new(server.config()).append_audit(&[record()]).await.unwrap_err().class, FaultClass::Operator);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_log_is_neither_changed_nor_removed() {
    let Some(config) = real::server() else { return };
    migrate(&config).await.unwrap();
    SqlServer::new(config.clone()).append_audit(&[record()]).await.unwrap();
    for sql in ["UPDATE dbo.audit_log SET actor = N'mallory' WHERE number = 1", "DELETE FROM dbo.audit_log WHERE number = 1"] {
        assert_eq!(real::refused(&config, sql).await, Some(50002), "{sql}");
    }
}
