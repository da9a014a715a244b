//! The ports: push, read, redrive.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pipeline::ports::{DeadLetterQueue, DeadLetterReader, RedriveQueue};
use pipeline::{DeadLetter, Fault};
use redis::{Script, cmd};

use crate::config::RedisConfig;
use crate::connection::Connection;
use crate::keys::Keys;
use crate::persistence::{self, Persistence};

/// Letters in one call: Redis serves no one else while a script runs.
const CHUNK_LETTERS: usize = 500;
/// Bytes in one call. A larger letter goes alone.
const CHUNK_BYTES: usize = 1 << 20;
/// Redis numbers entries in 64 bits with a sign.
const LAST: u64 = i64::MAX as u64;
/// Entries given back in one call.
const CHUNK_CLAIMS: usize = 1000;

/// The dead letter queue on Redis. A clone is the same queue on the same connection.
#[derive(Clone)]
pub struct RedisDlq {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) connection: Connection,
    pub(crate) keys: Keys,
    seen_retention: Duration,
    push: Script,
    claim: Script,
    give_back: Script,
    pub(crate) spend: Script,
}

impl fmt::Debug for RedisDlq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisDlq").field("list", &self.inner.keys.list).finish_non_exhaustive()
    }
}

impl RedisDlq {
    /// The queue of this configuration. Connects with the first call, so that it can be built while Redis is away.
    ///
    /// # Errors
    /// `Operator` when what should hold certificates does not.
    pub fn new(config: &RedisConfig) -> Result<Self, Fault> {
        let inner = Inner {
            connection: Connection::new(config)?,
            keys: Keys::of(&config.list),
            seen_retention: config.seen_retention,
            push: Script::new(include_str!("scripts/push.lua")),
            claim: Script::new(include_str!("scripts/claim.lua")),
            give_back: Script::new(include_str!("scripts/give_back.lua")),
            spend: Script::new(include_str!("scripts/spend.lua")),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Asks whether Redis answers.
    ///
    /// # Errors
    /// See [`pipeline::FaultClass`].
    pub async fn ping(&self) -> Result<(), Fault> {
        self.inner.connection.call("ping", |mut redis| async move { cmd("PING").exec_async(&mut redis).await }).await
    }

    /// Asks whether what Redis acknowledges outlives Redis. What this user may not know is `None`.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn persistence(&self) -> Result<Persistence, Fault> {
        self.inner.connection.call("persistence", persistence::ask).await
    }

    /// Pushes letters that fit into one call.
    async fn push_chunk(&self, letters: &[DeadLetter]) -> Result<usize, Fault> {
        let Inner { connection, keys, seen_retention, push, .. } = &*self.inner;
        let mut call = push.key(&keys.list);
        call.key(&keys.seen).arg(seen_retention.as_secs());
        for letter in letters {
            call.arg(&letter.identity).arg(&letter.json);
        }
        connection.call("push", |mut redis| async move { call.invoke_async(&mut redis).await }).await
    }
}

impl DeadLetterQueue for RedisDlq {
    /// One script call for up to 500 letters or 1 MiB; an error or a dropped future may leave the first letters pushed.
    async fn push(&self, letters: &[DeadLetter]) -> Result<usize, Fault> {
        let mut new = 0;
        for chunk in chunks(letters) {
            new += self.push_chunk(chunk).await?;
        }
        Ok(new)
    }
}

impl DeadLetterReader for RedisDlq {
    async fn depth(&self) -> Result<u64, Fault> {
        let Inner { connection, keys, .. } = &*self.inner;
        connection.call("depth", |mut redis| async move { cmd("LLEN").arg(&keys.list).query_async(&mut redis).await }).await
    }

    /// Bytes that are not UTF-8, which others may have pushed, are shown as U+FFFD; such an entry cannot be claimed.
    async fn page(&self, start: u64, limit: u64) -> Result<Vec<String>, Fault> {
        let Inner { connection, keys, .. } = &*self.inner;
        // LRANGE counts in i64 and names the last entry, not the one after it.
        let (first, end) = (start.min(LAST), start.saturating_add(limit).min(LAST));
        if first == end {
            return Ok(Vec::new());
        }
        let mut command = cmd("LRANGE");
        command.arg(&keys.list).arg(first).arg(end - 1);
        let entries: Vec<Vec<u8>> = connection.call("page", |mut redis| async move { command.query_async(&mut redis).await }).await?;
        Ok(entries.into_iter().map(text).collect())
    }
}

impl RedriveQueue for RedisDlq {
    async fn claim(&self, entry: &str) -> Result<bool, Fault> {
        let Inner { connection, keys, claim, .. } = &*self.inner;
        let mut call = claim.key(&keys.list);
        call.key(&keys.processing).arg(entry);
        connection.call("claim", |mut redis| async move { call.invoke_async(&mut redis).await }).await
    }

    async fn settle(&self, entry: &str) -> Result<(), Fault> {
        let Inner { connection, keys, .. } = &*self.inner;
        connection
            .call("settle", |mut redis| async move { cmd("LREM").arg(&keys.processing).arg(1).arg(entry).exec_async(&mut redis).await })
            .await
    }

    async fn give_back(&self) -> Result<usize, Fault> {
        let Inner { connection, keys, give_back, .. } = &*self.inner;
        let mut all = 0;
        loop {
            let mut call = give_back.key(&keys.processing);
            call.key(&keys.list).arg(CHUNK_CLAIMS);
            let moved: usize = connection.call("give_back", |mut redis| async move { call.invoke_async(&mut redis).await }).await?;
            all += moved;
            if moved < CHUNK_CLAIMS {
                return Ok(all);
            }
        }
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The letters in order, in pieces that fit into one call.
fn chunks(letters: &[DeadLetter]) -> impl Iterator<Item = &[DeadLetter]> {
    let mut rest = letters;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = rest.iter().take(CHUNK_LETTERS).take_while(|letter| {
            bytes += letter.identity.len() + letter.json.len();
            bytes <= CHUNK_BYTES
        });
        let count = fits.count().max(1).min(rest.len());
        let (chunk, others) = rest.split_at(count);
        rest = others;
        (!chunk.is_empty()).then_some(chunk)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(sizes: &[usize]) -> Vec<DeadLetter> {
        let letter = |size: &usize| DeadLetter { identity: String::new(), reason: "not_json", json: "x".repeat(*size) };
        sizes.iter().map(letter).collect()
    }

    fn counts(sizes: &[usize]) -> Vec<usize> {
        chunks(&letters(sizes)).map(<[_]>::len).collect()
    }

    #[test]
    fn a_call_holds_500_letters_or_a_mebibyte_and_a_larger_letter_goes_alone() {
        assert_eq!(counts(&[]), [0; 0]);
        assert_eq!(counts(&[1; 1001]), [500, 500, 1]);
        assert_eq!(counts(&[CHUNK_BYTES / 2, CHUNK_BYTES / 2, 1]), [2, 1]);
        assert_eq!(counts(&[1, CHUNK_BYTES + 1, CHUNK_BYTES + 2, 1]), [1, 1, 1, 1]);
    }

    #[test]
    fn bytes_that_are_not_utf8_do_not_hide_the_others() {
        assert_eq!(text(b"{}".to_vec()), "{}");
        assert_eq!(text(b"\xff{}".to_vec()), "\u{FFFD}{}");
    }
}
