//! The tables, which version of them the file has, and what brings it to the newest.

use rusqlite::{Connection, TransactionBehavior};

use crate::faults::Failure;

/// For a file that does not note any more which rows change; see `note_changes.sql`.
const FORGET: &str = "DROP TABLE IF EXISTS rows_compared";

/// The newest tables, created in an empty file.
const SCHEMA: &str = include_str!("../sql/schema.sql");

/// The steps from one version to the next, by the version that each ends in. A step that was released is never changed.
const UPGRADES: [(i64, &str); 12] = [
    (3, include_str!("../sql/upgrade_3.sql")),
    (4, include_str!("../sql/upgrade_4.sql")),
    (5, include_str!("../sql/upgrade_5.sql")),
    (6, include_str!("../sql/upgrade_6.sql")),
    (7, include_str!("../sql/upgrade_7.sql")),
    (8, include_str!("../sql/upgrade_8.sql")),
    (9, include_str!("../sql/upgrade_9.sql")),
    (10, include_str!("../sql/upgrade_10.sql")),
    (11, include_str!("../sql/upgrade_11.sql")),
    (12, include_str!("../sql/upgrade_12.sql")),
    (13, include_str!("../sql/upgrade_13.sql")),
    (14, include_str!("../sql/upgrade_14.sql")),
];

/// The oldest version that the steps begin with.
const OLDEST: i64 = 2;

/// The version that this program writes, kept in the file's header (`PRAGMA user_version`).
pub(crate) const VERSION: i64 = 14;

/// Creates the tables in an empty file, brings those of an older version to the newest, and says which version the file has then. A file of
/// another version, 0 is one of someone else, is left alone.
pub(crate) fn prepare(connection: &mut Connection) -> Result<i64, Failure> {
    // Immediate: of two programs that open one file, the second waits and finds the tables. One that is ended meanwhile has done nothing.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let empty = !transaction.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get::<_, bool>(0))?;
    if version == 0 && empty {
        transaction.execute_batch(SCHEMA)?;
    } else if (OLDEST..VERSION).contains(&version) {
        for (_, step) in UPGRADES.iter().filter(|(after, _)| *after > version) {
            transaction.execute_batch(step)?;
        }
        // A table that a step makes anew has lost its triggers.
        transaction.execute_batch(FORGET)?;
    } else {
        return Ok(version);
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_lead_from_the_oldest_version_to_this_one_and_leave_none_out() {
        let ends: Vec<_> = UPGRADES.iter().map(|(version, _)| *version).collect();
        assert_eq!(ends, (OLDEST + 1..=VERSION).collect::<Vec<_>>());
    }
}
