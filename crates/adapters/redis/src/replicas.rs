//! Waiting until replicas have what was written.
//!
//! Redis acknowledges a write before it has sent it to any replica; `min-replicas-to-write` looks only at how long ago each replica was heard
//! of. A primary that is lost takes with it what it had not sent yet, although it had acknowledged it. [`WAIT`](https://redis.io/docs/latest/commands/wait/)
//! asks how many replicas have acknowledged all that came before it.

use std::time::Duration;

use pipeline::Fault;
use redis::aio::ConnectionLike;
use redis::{RedisResult, Script, cmd};

use crate::connection::Redis;
use crate::faults;

/// How many replicas must have a dead letter before it counts as pushed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Replicas {
    wanted: u8,
    patience: Duration,
}

impl Replicas {
    /// Whether any replica is waited for.
    pub(crate) const fn is_wanted(self) -> bool {
        self.wanted > 0
    }

    /// So many, in a call that may take so long. What waits comes after a write in the same call.
    pub(crate) fn new(wanted: u8, call: Duration) -> Self {
        Self { wanted, patience: call / 2 }
    }

    /// Writes something that replicas get to know, and takes it out again, for a call that has written nothing: Valkey waits up to the last write of
    /// the connection (Redis up to its last command), and not at all where there is none. Where no replica is wanted, nothing is written.
    pub(crate) async fn write(self, redis: &mut Redis) -> RedisResult<()> {
        if self.wanted == 0 {
            return Ok(());
        }
        Script::new(WRITE_WITHOUT_TRACE).key(&redis.keys.seen).invoke_async::<i64>(&mut redis.connection).await.map(drop)
    }

    /// Waits until they have all that was written on this server before the last write of this connection, by whatever connection; returns how many
    /// have. Where none is wanted, nothing is asked.
    pub(crate) async fn wait(self, redis: &mut impl ConnectionLike) -> RedisResult<u64> {
        if self.wanted == 0 {
            return Ok(0);
        }
        let millis = u64::try_from(self.patience.as_millis()).unwrap_or(u64::MAX).max(1); // 0 would wait for ever
        match cmd("WAIT").arg(self.wanted).arg(millis).query_async(redis).await {
            // It has just become a replica itself: whether what was written stays, nobody knows.
            Err(error) if matches!(error.code(), Some("ERR" | "UNBLOCKED")) => Ok(0),
            answer => answer,
        }
    }

    /// Whether that is enough.
    ///
    /// # Errors
    /// It is not: an outage, which ends when the replicas follow again, or another server has become the master. So the connection ends with it.
    pub(crate) fn suffice(self, acknowledged: u64) -> Result<(), Fault> {
        if acknowledged < u64::from(self.wanted) { Err(faults::too_few_replicas(acknowledged)) } else { Ok(()) }
    }
}

/// No time is so early. Needs the rights of a push.
const WRITE_WITHOUT_TRACE: &str = "redis.call('ZADD', KEYS[1], '-inf', '') return redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '-inf')";
