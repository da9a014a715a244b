//! What operators have done to events, by the audit log.

use std::collections::BTreeSet;

use pipeline::audit::AuditEntry;
use pipeline::fault::Fault;
use pipeline::ports::{AuditLog, AuditPage};

/// Entries that are read at once.
const PAGE: usize = 1000;
/// The newest entries of the log, which alone are looked at: no index holds what they are about.
const LOOKED_AT: u64 = 20_000;

/// Entries of the audit log about some events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The oldest first.
    pub found: Vec<AuditEntry>,
    /// How many were looked at, from the newest on.
    pub examined: u64,
    /// Whether those were all.
    pub complete: bool,
}

/// What was done to the events and dead letters of these ids.
///
/// # Errors
/// The log cannot be read.
pub async fn changes(log: &impl AuditLog, ids: &BTreeSet<String>) -> Result<Changes, Fault> {
    let mut changes = Changes { found: Vec::new(), examined: 0, complete: ids.is_empty() };
    let mut before = i64::MAX;
    while changes.examined < LOOKED_AT && !changes.complete {
        let page = log.audit_page(AuditPage::Before(before), PAGE).await?;
        changes.examined += page.len() as u64;
        changes.complete = page.len() < PAGE;
        before = page.last().map_or(before, |last| last.number);
        changes.found.extend(page.into_iter().filter(|entry| names(&entry.record.subject, ids)));
    }
    changes.found.reverse();
    Ok(changes)
}

/// Whether one of its words is one of these ids, as in `dead letter 0123456789ab, event 0190…`.
fn names(subject: &str, ids: &BTreeSet<String>) -> bool {
    subject.split([' ', ',', ':']).any(|word| ids.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_word_of_its_own() {
        let ids = BTreeSet::from(["0123456789ab".to_owned()]);
        assert!(names("dead letter 0123456789ab, event 2f1c7d5e-ffff-4000-8000-000000000001", &ids));
        assert!(names("dead letter 0123456789ab", &ids));
        assert!(!names("dead letter 0123456789abc", &ids));
        assert!(!names("all dead letters", &ids));
    }
}
