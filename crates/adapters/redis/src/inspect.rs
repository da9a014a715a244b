//! What an operator should know about Redis before dead letters depend on it.

use std::time::Duration;

use pipeline::Fault;
use redis::{RedisError, RedisResult, Script, cmd};

use crate::connection::Redis;
use crate::queue::{Inner, RedisDlq};

/// What is found at the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisFacts {
    /// The time of Redis, since 1970.
    pub time: Duration,
    /// Type of the value at the key of the list: `list`, or `none` where there is no dead letter yet. Anything else is in the way.
    pub list_type: String,
    /// Which server is the master, and who says so, where sentinels do.
    pub master: Option<String>,
}

/// Goes through all that a write has to pass (rights, scripts, memory, disk, the role of the server) and changes nothing: with `XX`, only
/// the score of a member that is there would change, and no identity is empty. Names every key of a push: a user may use one and not the other,
/// and a Redis Cluster may keep them on two nodes.
const HARMLESS_WRITE: &str = "return redis.call('ZADD', KEYS[1], 'XX', 0, '')";

impl RedisDlq {
    /// Looks at the keys and the clock, without writing.
    ///
    /// # Errors
    /// Redis is away, or refuses the login or the questions.
    pub async fn inspect(&self) -> Result<RedisFacts, Fault> {
        let ask = |mut redis: Redis| async move {
            let (seconds, micros): (u64, u32) = cmd("TIME").query_async(&mut redis.connection).await?;
            let list_type = cmd("TYPE").arg(&redis.keys.list).query_async(&mut redis.connection).await?;
            let master = redis.named.map(|named| format!("{}, says the sentinel {}", named.0, named.1));
            Ok::<_, RedisError>(RedisFacts { time: Duration::new(seconds, micros.saturating_mul(1000)), list_type, master })
        };
        self.inner.connection.call("inspect", ask).await
    }

    /// Whether a dead letter could be written now. Writes nothing.
    ///
    /// # Errors
    /// Why not.
    pub async fn writable(&self) -> Result<(), Fault> {
        let script = &Script::new(HARMLESS_WRITE);
        let write = |mut redis: Redis| async move {
            let written: RedisResult<i64> = script.key(&redis.keys.seen).key(&redis.keys.list).invoke_async(&mut redis.connection).await;
            written.map(drop)
        };
        self.inner.connection.call("writable", write).await
    }

    /// How many replicas acknowledge a write, up to those that `REDIS_WAIT_REPLICAS` asks for; `None` where it asks for none. Leaves no trace.
    ///
    /// # Errors
    /// See [`pipeline::FaultClass`].
    pub async fn replicas(&self) -> Result<Option<u64>, Fault> {
        let Inner { connection, replicas, .. } = &*self.inner;
        if !replicas.is_wanted() {
            return Ok(None);
        }
        let write = |mut redis: Redis| async move {
            replicas.write(&mut redis).await?;
            replicas.wait(&mut redis.connection).await
        };
        connection.call("replicas", write).await.map(Some)
    }
}
