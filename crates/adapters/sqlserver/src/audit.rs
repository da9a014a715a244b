//! What operators have changed.

use pipeline::audit::{AuditEntry, AuditRecord, AuditTail, Sha256Digest, chain};
use pipeline::fault::RACE_TRIES;
use pipeline::ports::{AUDIT_LOOKED_THROUGH, AuditLog, AuditPage};
use pipeline::{Fault, FaultClass};

use crate::faults;
use crate::json::{JsonParameter, JsonRows};
use crate::row::{Columns, columns_of};
use crate::statement::{APPEND_AUDIT, AUDIT_ABOUT, AUDIT_AFTER, AUDIT_BEFORE, AUDIT_OF};
use crate::store::SqlServer;

impl AuditLog for SqlServer {
    /// One round trip, where no other process has added something since this one did. An end that is no longer the end costs one more.
    async fn append_audit(&self, records: &[AuditRecord]) -> Result<AuditTail, Fault> {
        // Held meanwhile: callers of one process take turns, rather than refuse each other.
        let mut known = self.audit_tail.lock().await;
        let mut conflict = faults::fault(FaultClass::UniqueViolation, APPEND_AUDIT.name);
        for _ in 0..RACE_TRIES {
            let entries = chain(*known, records);
            let (appended, tail) = match self.append(*known, &entries).await {
                Ok(answer) => answer,
                // Another process was quicker, or both met at a lock. Whoever asks again learns where the log ends.
                Err(fault) if matches!(fault.class, FaultClass::UniqueViolation | FaultClass::LockConflict) => {
                    conflict = fault;
                    continue;
                }
                Err(fault) => return Err(fault),
            };
            let end = entries.last().map_or(tail, |last| AuditTail { number: last.number, hash: last.hash });
            if appended == entries.len() {
                *known = end;
                return Ok(end);
            }
            if appended > 0 {
                return Err(faults::bug(APPEND_AUDIT.name));
            }
            *known = tail;
        }
        Err(conflict)
    }

    async fn audit_page(&self, page: AuditPage, limit: usize) -> Result<Vec<AuditEntry>, Fault> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let (statement, sets) = match page {
            AuditPage::After(number) => (&AUDIT_AFTER, self.pool.ask(&AUDIT_AFTER, &[&limit, &number]).await?),
            AuditPage::Before(number) => (&AUDIT_BEFORE, self.pool.ask(&AUDIT_BEFORE, &[&limit, &number]).await?),
            AuditPage::Of { operation, after } => (&AUDIT_OF, self.pool.ask(&AUDIT_OF, &[&limit, &after, &operation]).await?),
            AuditPage::About(subject) => {
                let newest = i64::from(AUDIT_LOOKED_THROUGH);
                (&AUDIT_ABOUT, self.pool.ask(&AUDIT_ABOUT, &[&limit, &subject, &newest]).await?)
            }
        };
        columns_of(&sets.accept(), statement)?.map(entry).collect()
    }
}

impl SqlServer {
    /// How many of these entries were added, all or none, and where the log ends.
    async fn append(&self, tail: AuditTail, entries: &[AuditEntry]) -> Result<(usize, AuditTail), Fault> {
        let sets = self.pool.ask(&APPEND_AUDIT, &[&tail.number, &tail.hash.to_string(), &rows(entries).text]).await?.accept();
        // A log that is still empty has no last entry.
        let Some(columns) = columns_of(&sets, &APPEND_AUDIT)?.next() else { return Ok((0, AuditTail::EMPTY)) };
        let appended = columns.natural::<i32, _>("appended")?;
        let end = AuditTail { number: columns.get("number")?, hash: digest(columns, "hash")?.ok_or(faults::bug(APPEND_AUDIT.name))? };
        Ok((appended, end))
    }
}

fn rows(entries: &[AuditEntry]) -> JsonParameter {
    let mut rows = JsonRows::new();
    for AuditEntry { number, record, previous_hash, hash } in entries {
        let AuditRecord { at, actor, origin, action, operation, subject, before, after, outcome } = record;
        let mut row = rows.row();
        row.number("n", *number).time("w", *at).text("a", actor).text("o", origin).text("c", action).uuid("i", *operation);
        row.text("s", subject).text("r", outcome).text("p", &previous_hash.to_string()).text("h", &hash.to_string());
        for (name, digest) in [("b", before), ("d", after)] {
            if let Some(digest) = digest {
                row.text(name, &digest.to_string());
            }
        }
    }
    rows.finish()
}

fn entry(columns: Columns<'_>) -> Result<AuditEntry, Fault> {
    let hash = |name| digest(columns, name)?.ok_or(faults::bug(APPEND_AUDIT.name));
    Ok(AuditEntry {
        number: columns.get("number")?,
        record: AuditRecord {
            at: columns.time("at")?,
            actor: columns.text("actor")?,
            origin: columns.text("origin")?,
            action: columns.text("action")?,
            operation: columns.get("operation")?,
            subject: columns.text("subject")?,
            before: digest(columns, "before_digest")?,
            after: digest(columns, "after_digest")?,
            outcome: columns.text("outcome")?,
        },
        previous_hash: hash("previous_hash")?,
        hash: hash("hash")?,
    })
}

fn digest(columns: Columns<'_>, name: &'static str) -> Result<Option<Sha256Digest>, Fault> {
    let Some(bytes) = columns.optional::<&[u8]>(name)? else { return Ok(None) };
    bytes.try_into().map(|bytes| Some(Sha256Digest(bytes))).map_err(|_| faults::bug(APPEND_AUDIT.name))
}

#[cfg(test)]
mod tests {
    use events::Timestamp;
    use tiberius::time::{Date, DateTime2, Time};
    use tiberius::{ColumnData, ColumnType, Row};
    use uuid::Uuid;

    use super::*;

    fn row(before: Option<Vec<u8>>) -> Row {
        let text = |text: &'static str| ColumnData::String(Some(text.into()));
        let digest = |byte: u8| ColumnData::Binary(Some(vec![byte; 32].into()));
        let values = [
            ("number", ColumnData::I64(Some(7))),
            ("at", ColumnData::DateTime2(Some(DateTime2::new(Date::new(719_162), Time::new(1, 6))))),
            ("actor", text("ada")),
            ("origin", text("http")),
            ("action", text("edit")),
            ("operation", ColumnData::Guid(Some(Uuid::from_u128(9)))),
            ("subject", text("dead letter 0a")),
            ("before_digest", ColumnData::Binary(before.map(Into::into))),
            ("after_digest", digest(2)),
            ("outcome", text("sent")),
            ("previous_hash", digest(3)),
            ("hash", digest(4)),
        ];
        values.into_iter().fold(Row::builder(), |row, (name, value)| row.column(name, ColumnType::Null, value)).build()
    }

    #[test]
    fn an_entry_is_read_from_its_row_and_a_digest_has_32_bytes() {
        let read = |before| entry(Columns::of(&row(before), AUDIT_AFTER.name));
        let expected = AuditEntry {
            number: 7,
            record: AuditRecord {
                at: Timestamp::UNIX_EPOCH.plus_micros(1),
                actor: "ada".to_owned(),
                origin: "http".to_owned(),
                action: "edit".to_owned(),
                operation: Uuid::from_u128(9),
                subject: "dead letter 0a".to_owned(),
                before: None,
                after: Some(Sha256Digest([2; 32])),
                outcome: "sent".to_owned(),
            },
            previous_hash: Sha256Digest([3; 32]),
            hash: Sha256Digest([4; 32]),
        };
        assert_eq!(read(None), Ok(expected));
        assert_eq!(read(Some(vec![1; 31])).unwrap_err().class, FaultClass::Bug);
    }
}
