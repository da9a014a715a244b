//! Looking at the list.

use std::collections::BTreeMap;

use pipeline::Fault;
use pipeline::ports::{DeadLetterReader, End, ListState};
use redis::cmd;

use crate::queue::{Inner, RedisDlq};

/// Redis numbers entries in 64 bits with a sign.
const LAST: u64 = i64::MAX as u64;

impl DeadLetterReader for RedisDlq {
    /// One script call. What another program takes out of the list, or puts at its old end, is not told.
    async fn list_state(&self) -> Result<ListState, Fault> {
        let Inner { connection, keys, scripts, .. } = &*self.inner;
        let mut call = scripts.list_state.key(&keys.list);
        call.key(&keys.moves);
        let (depth, moves) = connection.call("list_state", |mut redis| async move { call.invoke_async(&mut redis).await }).await?;
        Ok(ListState { depth, moves })
    }

    async fn depth(&self) -> Result<u64, Fault> {
        let Inner { connection, keys, .. } = &*self.inner;
        connection.call("depth", |mut redis| async move { cmd("LLEN").arg(&keys.list).query_async(&mut redis).await }).await
    }

    async fn claimed(&self) -> Result<u64, Fault> {
        let Inner { connection, keys, .. } = &*self.inner;
        connection.call("claimed", |mut redis| async move { cmd("ZCARD").arg(&keys.claims).query_async(&mut redis).await }).await
    }

    /// One script call for about a thousand entries. An entry of others that is not JSON tells no reason.
    async fn reasons(&self) -> Result<BTreeMap<String, u64>, Fault> {
        let Inner { connection, keys, scripts, .. } = &*self.inner;
        let mut all = BTreeMap::new();
        let mut start = 0;
        loop {
            let mut call = scripts.reasons.key(&keys.list);
            // From the old end, where dead letters that are pushed meanwhile shift nothing.
            call.arg(start);
            let (seen, counts): (u64, Vec<(Vec<u8>, u64)>) =
                connection.call("reasons", |mut redis| async move { call.invoke_async(&mut redis).await }).await?;
            for (reason, count) in counts {
                *all.entry(text(reason)).or_default() += count;
            }
            if seen == 0 {
                return Ok(all);
            }
            start += seen;
        }
    }

    /// Bytes that are not UTF-8, which others may have pushed, are shown as U+FFFD; such an entry cannot be claimed.
    async fn page(&self, end: End, start: u64, limit: u64) -> Result<Vec<String>, Fault> {
        let Inner { connection, keys, .. } = &*self.inner;
        let Some((first, last)) = range(end, start, limit) else { return Ok(Vec::new()) };
        let mut command = cmd("LRANGE");
        command.arg(&keys.list).arg(first).arg(last);
        let mut entries: Vec<Vec<u8>> = connection.call("page", |mut redis| async move { command.query_async(&mut redis).await }).await?;
        if end == End::Oldest {
            entries.reverse();
        }
        Ok(entries.into_iter().map(text).collect())
    }
}

/// What LRANGE calls the first and the last entry of this page: it counts from the newest, and below zero from the oldest.
fn range(end: End, start: u64, limit: u64) -> Option<(i64, i64)> {
    let (first, after) = (start.min(LAST).cast_signed(), start.saturating_add(limit).min(LAST).cast_signed());
    let range = match end {
        End::Newest => (first, after - 1),
        End::Oldest => (-after, -first - 1),
    };
    (first < after).then_some(range)
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

    #[test]
    fn a_page_is_named_from_its_end() {
        assert_eq!(range(End::Newest, 0, 2), Some((0, 1)));
        assert_eq!(range(End::Newest, 3, 1), Some((3, 3)));
        assert_eq!(range(End::Oldest, 0, 2), Some((-2, -1)));
        assert_eq!(range(End::Oldest, 3, 1), Some((-4, -4)));
        assert_eq!(range(End::Oldest, 1, u64::MAX), Some((-i64::MAX, -2)));
        assert_eq!(range(End::Oldest, u64::MAX, u64::MAX), None);
        assert_eq!(range(End::Newest, 7, 0), None);
    }
}
