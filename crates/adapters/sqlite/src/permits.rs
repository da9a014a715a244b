//! `FloodPermits`: what an operator permits of a flood of unwritable records.

use pipeline::ports::{FloodPermits, Permit};
use pipeline::{Dependency, Fault};

use crate::database::Sqlite;
use crate::values::limit;

const PART: Dependency = Dependency::DeadLetterQueue;

/// Stands for all records.
const EVERYTHING: i64 = -1;

impl FloodPermits for Sqlite {
    async fn spend(&self, records: u64) -> Result<bool, Fault> {
        let sql = "UPDATE flood_permit SET records = CASE WHEN records < 0 THEN records ELSE max(records - ?1, 0) END WHERE records <> 0";
        self.write(PART, "spend", |transaction| Ok(transaction.prepare_cached(sql)?.execute([limit(records)])? == 1)).await
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
