//! Whether what Redis acknowledged outlives Redis.

use redis::aio::ConnectionLike;
use redis::{FromRedisValue, RedisResult, Value, cmd};

/// What Redis says about its own durability; `None` is what this user may not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Persistence {
    /// Whether every write goes to the append-only file (`appendonly yes`).
    pub append_only: Option<bool>,
    /// When that file is written to the disk (`appendfsync`).
    pub fsync: Option<Fsync>,
    /// Whether keys are thrown away when memory is short (`maxmemory-policy` other than `noeviction`).
    pub evicts: Option<bool>,
}

/// When the append-only file is written to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fsync {
    /// Before a write is acknowledged: a dead letter is as durable as a committed offset.
    Always,
    /// Once a second: a power failure can take the last second's dead letters.
    EverySecond,
    /// When the operating system likes.
    Never,
}

/// Asks for it.
pub(crate) async fn ask(mut redis: impl ConnectionLike) -> RedisResult<Persistence> {
    let info: Option<String> = permitted(cmd("INFO").query_async(&mut redis).await)?;
    let config: Option<Vec<String>> = permitted(cmd("CONFIG").arg("GET").arg("appendfsync").query_async(&mut redis).await)?;
    let field = |name| info.as_deref().and_then(|info| field(info, name));
    Ok(Persistence {
        append_only: field("aof_enabled").map(|value| value == "1"),
        fsync: config.and_then(|pair| fsync(pair.get(1)?)),
        evicts: field("maxmemory_policy").map(|value| value != "noeviction"),
    })
}

/// A refusal is no answer, not an error: hosted Redis often hides `CONFIG`, and a user of the queue needs no right to ask.
fn permitted<T: FromRedisValue>(answer: RedisResult<Value>) -> RedisResult<Option<T>> {
    match answer {
        Ok(value) => Ok(T::from_redis_value(value).ok()),
        Err(error) if matches!(error.code(), Some("NOPERM" | "ERR")) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A field of the text that `INFO` returns.
fn field<'i>(info: &'i str, name: &str) -> Option<&'i str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

fn fsync(word: &str) -> Option<Fsync> {
    match word {
        "always" => Some(Fsync::Always),
        "everysec" => Some(Fsync::EverySecond),
        "no" => Some(Fsync::Never),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let info = "# Persistence\r\naof_enabled_since:9\r\naof_enabled:1\r\n";
        assert_eq!(field(info, "aof_enabled"), Some("1"));
        assert_eq!(field(info, "aof"), None);
    }
}
