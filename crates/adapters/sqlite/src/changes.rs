//! `RowChanges`: which rows have been written since they were compared, noted by triggers.

use pipeline::ports::{ChangeMark, RowChanges};
use pipeline::rows::Table;
use pipeline::{Dependency, Fault};
use rusqlite::Connection;
use uuid::Uuid;

use crate::database::Sqlite;
use crate::faults::Failure;
use crate::values::{id, limit};

const PART: Dependency = Dependency::Database;
/// Creates the triggers, where they are not there yet.
const NOTE: &str = include_str!("../sql/note_changes.sql");

impl RowChanges for Sqlite {
    async fn note_changes(&self) -> Result<ChangeMark, Fault> {
        let noted = self.write(PART, "note_changes", |transaction| {
            transaction.execute_batch(NOTE)?;
            Ok(transaction.query_row("SELECT coalesce(max(seq), 0) FROM changed_rows", [], |row| row.get(0))?)
        });
        noted.await.map(ChangeMark)
    }

    async fn changed(&self, mark: ChangeMark, most: usize) -> Result<Option<Vec<(Table, Uuid)>>, Fault> {
        let changed = self.read(|connection| changed(connection, mark, most)).await;
        changed.map_err(|failure| failure.into_fault(PART, "changed"))
    }

    async fn compared(&self, mark: ChangeMark, equal: bool) -> Result<(), Fault> {
        let compared = self.write(PART, "compared", |transaction| {
            let flag = if equal { "INSERT OR IGNORE INTO rows_compared (one) VALUES (1)" } else { "DELETE FROM rows_compared" };
            transaction.execute(flag, [])?;
            Ok(transaction.execute("DELETE FROM changed_rows WHERE seq <= ?1", [mark.0])?)
        });
        compared.await.map(drop)
    }
}

fn changed(connection: &Connection, ChangeMark(mark): ChangeMark, most: usize) -> Result<Option<Vec<(Table, Uuid)>>, Failure> {
    // Both in one moment.
    let moment = connection.unchecked_transaction()?;
    if !moment.query_row("SELECT EXISTS (SELECT 1 FROM rows_compared)", [], |row| row.get(0))? {
        return Ok(None);
    }
    let mut statement = moment.prepare_cached("SELECT DISTINCT kind, id FROM changed_rows WHERE seq <= ?1 ORDER BY kind, id LIMIT ?2")?;
    let rows = statement.query_map((mark, limit(most.saturating_add(1))), |row| {
        let kind = row.get::<_, u8>(0)?;
        let table = Table::ALL.get(usize::from(kind)).copied();
        Ok((table.ok_or_else(|| rusqlite::Error::IntegralValueOutOfRange(0, kind.into()))?, id(row, 1)?))
    })?;
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    Ok((rows.len() <= most).then_some(rows))
}
