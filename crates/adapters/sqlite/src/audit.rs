//! `AuditLog`: what operators have changed.

use pipeline::audit::{AuditEntry, AuditRecord, AuditTail, Sha256Digest, chain};
use pipeline::ports::{AUDIT_LOOKED_THROUGH, AuditLog, AuditPage};
use pipeline::{Dependency, Fault};
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};

use crate::database::Sqlite;
use crate::faults::Failure;
use crate::values::{Id, Micros, id, limit as to_limit, time};

const PART: Dependency = Dependency::Database;

impl AuditLog for Sqlite {
    async fn append_audit(&self, records: &[AuditRecord]) -> std::result::Result<AuditTail, Fault> {
        self.write(PART, "append_audit", |transaction| append(transaction, records)).await
    }

    async fn audit_page(&self, page: AuditPage, limit: usize) -> std::result::Result<Vec<AuditEntry>, Fault> {
        let limit = to_limit(limit);
        let read = self.read(|file| {
            let columns = "SELECT number, at, actor, origin, action, operation, subject, before_digest, after_digest, outcome, previous_hash, hash \
                           FROM audit_log";
            let entries = match page {
                AuditPage::After(number) => file
                    .prepare_cached(&format!("{columns} WHERE number > ?1 ORDER BY number LIMIT ?2"))?
                    .query_map(params![number, limit], entry)?
                    .collect::<Result<_>>()?,
                AuditPage::Before(number) => file
                    .prepare_cached(&format!("{columns} WHERE number < ?1 ORDER BY number DESC LIMIT ?2"))?
                    .query_map(params![number, limit], entry)?
                    .collect::<Result<_>>()?,
                AuditPage::Of { operation, after } => file
                    .prepare_cached(&format!("{columns} WHERE operation = ?1 AND number > ?2 ORDER BY number LIMIT ?3"))?
                    .query_map(params![Id(&operation), after, limit], entry)?
                    .collect::<Result<_>>()?,
                AuditPage::About(subject) => {
                    let newest = "number > (SELECT max(number) FROM audit_log) - ?3";
                    let about = "(subject = ?1 OR substr(subject, 1, length(?1) + 1) = ?1 || ',')";
                    file.prepare_cached(&format!("{columns} WHERE {newest} AND {about} ORDER BY number DESC LIMIT ?2"))?
                        .query_map(params![subject, limit, AUDIT_LOOKED_THROUGH], entry)?
                        .collect::<Result<_>>()?
                }
            };
            Ok(entries)
        });
        read.await.map_err(|failure| failure.into_fault(PART, "audit_page"))
    }
}

/// The transaction is immediate: whoever else writes this file waits until this one has ended, and finds the new end of the log.
fn append(transaction: &Connection, records: &[AuditRecord]) -> std::result::Result<AuditTail, Failure> {
    let mut last = transaction.prepare_cached("SELECT number, hash FROM audit_log ORDER BY number DESC LIMIT 1")?;
    let last = last.query_row([], |row| Ok(AuditTail { number: row.get(0)?, hash: Sha256Digest(row.get(1)?) })).optional()?;
    let mut tail = last.unwrap_or(AuditTail::EMPTY);
    let mut insert = transaction.prepare_cached(
        "INSERT INTO audit_log (number, at, actor, origin, action, operation, subject, before_digest, after_digest, outcome, previous_hash, hash) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    for AuditEntry { number, record, previous_hash, hash } in chain(tail, records) {
        let AuditRecord { at, actor, origin, action, operation, subject, before, after, outcome } = record;
        let (before, after) = (before.map(|digest| digest.0), after.map(|digest| digest.0));
        insert.execute(params![
            number,
            Micros(at),
            actor,
            origin,
            action,
            Id(&operation),
            subject,
            before,
            after,
            outcome,
            previous_hash.0,
            hash.0
        ])?;
        tail = AuditTail { number, hash };
    }
    Ok(tail)
}

fn entry(row: &Row<'_>) -> Result<AuditEntry> {
    let digest = |column: usize| row.get::<_, Option<[u8; 32]>>(column).map(|bytes| bytes.map(Sha256Digest));
    Ok(AuditEntry {
        number: row.get(0)?,
        record: AuditRecord {
            at: time(row, 1)?,
            actor: row.get(2)?,
            origin: row.get(3)?,
            action: row.get(4)?,
            operation: id(row, 5)?,
            subject: row.get(6)?,
            before: digest(7)?,
            after: digest(8)?,
            outcome: row.get(9)?,
        },
        previous_hash: Sha256Digest(row.get(10)?),
        hash: Sha256Digest(row.get(11)?),
    })
}
