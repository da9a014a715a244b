//! Looking at the list.

use std::collections::BTreeMap;

use pipeline::Fault;
use pipeline::ports::{DeadLetterReader, End, ListState};
use redis::cmd;

use crate::connection::Redis;
use crate::queue::{Inner, RedisDlq};

/// No list of Redis is longer; Lua counts as far without rounding.
const MOST: u64 = 1 << 32;

impl DeadLetterReader for RedisDlq {
    /// One script call. What another program takes out of the list, or puts at its old end, is not told.
    async fn list_state(&self) -> Result<ListState, Fault> {
        let Inner { connection, scripts, .. } = &*self.inner;
        let ask = |mut redis: Redis| async move {
            let mut call = scripts.list_state.key(&redis.keys.list);
            call.key(&redis.keys.moves);
            call.invoke_async(&mut redis.connection).await
        };
        let (depth, moves) = connection.call("list_state", ask).await?;
        Ok(ListState { depth, moves })
    }

    async fn depth(&self) -> Result<u64, Fault> {
        let ask = |mut redis: Redis| async move { cmd("LLEN").arg(&redis.keys.list).query_async(&mut redis.connection).await };
        self.inner.connection.call("depth", ask).await
    }

    async fn claimed(&self) -> Result<u64, Fault> {
        let ask = |mut redis: Redis| async move { cmd("ZCARD").arg(&redis.keys.claims).query_async(&mut redis.connection).await };
        self.inner.connection.call("claimed", ask).await
    }

    /// One script call for about a thousand entries. An entry of others that is not JSON tells no reason.
    async fn reasons(&self) -> Result<BTreeMap<String, u64>, Fault> {
        let Inner { connection, scripts, .. } = &*self.inner;
        let mut all = BTreeMap::new();
        let mut start = 0;
        loop {
            let ask = |mut redis: Redis| async move {
                let mut call = scripts.reasons.key(&redis.keys.list);
                // From the old end, where dead letters that are pushed meanwhile shift nothing.
                call.arg(start);
                call.invoke_async(&mut redis.connection).await
            };
            let (seen, counts): (u64, Vec<(Vec<u8>, u64)>) = connection.call("reasons", ask).await?;
            for (reason, count) in counts {
                *all.entry(text(reason)).or_default() += count;
            }
            if seen == 0 {
                return Ok(all);
            }
            start += seen;
        }
    }

    /// One script call, for about a mebibyte at most or one larger entry. Bytes that are not UTF-8, which others may have pushed, are shown as
    /// U+FFFD; such an entry cannot be claimed.
    async fn page(&self, end: End, start: u64, limit: u64) -> Result<Vec<String>, Fault> {
        let Inner { connection, scripts, .. } = &*self.inner;
        let end = match end {
            End::Newest => "newest",
            End::Oldest => "oldest",
        };
        let ask = |mut redis: Redis| async move {
            let mut call = scripts.page.key(&redis.keys.list);
            call.arg(end).arg(start.min(MOST)).arg(limit.min(MOST));
            call.invoke_async(&mut redis.connection).await
        };
        let entries: Vec<Vec<u8>> = connection.call("page", ask).await?;
        Ok(entries.into_iter().map(text).collect())
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_utf8_do_not_hide_the_others() {
        assert_eq!(text(b"{}".to_vec()), "{}");
        assert_eq!(text(b"\xff{}".to_vec()), "\u{FFFD}{}");
    }
}
