//! What an operator permits of a flood of unwritable records.

use pipeline::Fault;
use pipeline::ports::{FloodPermits, Permit};
use redis::cmd;

use crate::connection::Redis;
use crate::queue::{Inner, RedisDlq};

/// Stands for all records.
const EVERYTHING: i64 = -1;

impl FloodPermits for RedisDlq {
    async fn spend(&self, records: u64) -> Result<u64, Fault> {
        let Inner { connection, scripts, .. } = &*self.inner;
        let spend = |mut redis: Redis| async move {
            let mut call = scripts.spend.key(&redis.keys.permit);
            call.arg(records);
            call.invoke_async(&mut redis.connection).await
        };
        connection.call("spend", spend).await
    }

    async fn permit(&self, permit: Permit) -> Result<(), Fault> {
        let records = match permit {
            Permit::Nothing => 0,
            Permit::Records(records) => i64::try_from(records).unwrap_or(i64::MAX),
            Permit::Everything => EVERYTHING,
        };
        let set = |mut redis: Redis| async move { cmd("SET").arg(&redis.keys.permit).arg(records).exec_async(&mut redis.connection).await };
        self.inner.connection.call("permit", set).await
    }
}
