//! `FloodPermits`: what an operator permits of a flood of unwritable records.

use pipeline::ports::{FloodPermits, Permit};
use pipeline::{Dependency, Fault};

use crate::database::Sqlite;
use crate::values::limit;

const PART: Dependency = Dependency::DeadLetterQueue;

/// Stands for all records.
const EVERYTHING: i64 = -1;

impl FloodPermits for Sqlite {
    async fn spend(&self, records: u64) -> Result<u64, Fault> {
        self.write(PART, "spend", |transaction| {
            let left: i64 = transaction.prepare_cached("SELECT records FROM flood_permit")?.query_row([], |row| row.get(0))?;
            if left < 0 {
                return Ok(records);
            }
            let granted = left.min(limit(records));
            transaction.prepare_cached("UPDATE flood_permit SET records = records - ?1")?.execute([granted])?;
            Ok(granted.unsigned_abs())
        })
        .await
    }

    async fn permit(&self, permit: Permit) -> Result<(), Fault> {
        let records = match permit {
            Permit::Nothing => 0,
            Permit::Records(records) => limit(records),
            Permit::Everything => EVERYTHING,
        };
        let sql = "UPDATE flood_permit SET records = ?1";
        self.write(PART, "permit", |transaction| Ok(transaction.prepare_cached(sql)?.execute([records]).map(drop)?)).await
    }
}
