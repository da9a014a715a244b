//! What an operator permits of a flood of unwritable records.

use pipeline::Fault;
use pipeline::ports::{FloodPermits, Permit};
use redis::cmd;

use crate::queue::RedisDlq;

/// Stands for all records.
const EVERYTHING: i64 = -1;

impl FloodPermits for RedisDlq {
    async fn spend(&self, records: u64) -> Result<u64, Fault> {
        let mut call = self.inner.scripts.spend.key(&self.inner.keys.permit);
        call.arg(records);
        self.inner
            .connection
            .call("spend", |mut redis| {
                let call = &call;
                async move { call.invoke_async(&mut redis.connection).await }
            })
            .await
    }

    async fn permit(&self, permit: Permit) -> Result<(), Fault> {
        let records = match permit {
            Permit::Nothing => 0,
            Permit::Records(records) => i64::try_from(records).unwrap_or(i64::MAX),
            Permit::Everything => EVERYTHING,
        };
        let mut command = cmd("SET");
        command.arg(&self.inner.keys.permit).arg(records);
        self.inner
            .connection
            .call("permit", |mut redis| {
                let command = &command;
                async move { command.exec_async(&mut redis.connection).await }
            })
            .await
    }
}
