//! Putting entries into the list again.

use pipeline::Fault;
use pipeline::ports::DeadLetterArchive;
use redis::cmd;

use crate::chunks::chunks;
use crate::queue::{Inner, RedisDlq};

impl DeadLetterArchive for RedisDlq {
    /// One call for up to 500 entries or 1 MiB; an error or a dropped future may leave the first entries in the list.
    async fn restore(&self, entries: &[String]) -> Result<(), Fault> {
        let Inner { connection, list, .. } = &*self.inner;
        for chunk in chunks(entries, String::len) {
            let mut command = cmd("LPUSH");
            command.arg(list).arg(chunk);
            connection
                .call("restore", |mut redis| {
                    let command = &command;
                    async move { command.exec_async(&mut redis.connection).await }
                })
                .await?;
        }
        Ok(())
    }
}
