//! What operators have changed last, by the audit log.

use std::collections::HashSet;

use events::Timestamp;
use pipeline::audit::{AuditEntry, AuditRecord};
use pipeline::fault::Fault;
use pipeline::ports::{AuditLog, AuditPage};
use serde::Serialize;

/// Operations that are told.
const TOLD: usize = 5;
/// Entries that are looked at: an operation has one for each letter, between that of its beginning and that of its end.
const LOOKED_AT: usize = 500;

/// An operation, by its newest entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// From where.
    pub origin: String,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// What came of it; `begun` where nothing has yet.
    pub outcome: String,
}

impl From<AuditEntry> for Change {
    fn from(AuditEntry { record, .. }: AuditEntry) -> Self {
        let AuditRecord { at, actor, origin, action, subject, outcome, .. } = record;
        Self { at, actor, origin, action, subject, outcome }
    }
}

/// The last operations, the newest first.
pub(super) async fn changes(log: &impl AuditLog) -> Result<Vec<Change>, Fault> {
    let entries = log.audit_page(AuditPage::Before(i64::MAX), LOOKED_AT).await?;
    let mut operations = HashSet::new();
    let newest = entries.into_iter().filter(|entry| operations.insert(entry.record.operation));
    Ok(newest.take(TOLD).map(Change::from).collect())
}

#[cfg(test)]
mod tests {
    use pipeline::audit::AuditAction;

    use super::*;
    use crate::audit::{Audit, Subject, Who};

    #[tokio::test]
    async fn each_operation_is_told_once_by_what_came_of_it() {
        let log = sqlite::Sqlite::temporary().unwrap();
        for number in 0..7 {
            let begun = Audit(&log).begin(Who::console("ada"), AuditAction::Purge, Subject::new(format!("dead letter {number}"))).await;
            begun.unwrap().end("1 removed").await;
        }
        drop(Audit(&log).begin(Who::console("bob"), AuditAction::Redrive, Subject::new("all dead letters")).await.unwrap());
        let told = changes(&log).await.unwrap();
        let shown: Vec<_> = told.iter().map(|change| format!("{} {}: {}", change.actor, change.subject, change.outcome)).collect();
        assert_eq!(shown[..2], ["bob all dead letters: begun", "ada dead letter 6: 1 removed"]);
        assert_eq!(told.len(), TOLD);
    }
}
