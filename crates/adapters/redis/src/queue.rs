//! [`RedisDlq`]: pushing dead letters; the other ports stand beside it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pipeline::{DeadLetter, DeadLetterQueue, Fault};
use redis::{Script, cmd};

use crate::chunks::chunks;
use crate::config::RedisConfig;
use crate::connection::{Connection, Failure, Redis};
use crate::persistence::{self, Persistence};
use crate::replicas::Replicas;

/// The dead letter queue on Redis. A clone is the same queue on the same connection.
#[derive(Clone)]
pub struct RedisDlq {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) connection: Connection,
    pub(crate) list: String,
    seen_retention: Duration,
    pub(crate) replicas: Replicas,
    pub(crate) scripts: Scripts,
}

/// What must happen together.
pub(crate) struct Scripts {
    push: Script,
    known: Script,
    pub(crate) page: Script,
    pub(crate) reasons: Script,
    pub(crate) list_state: Script,
    pub(crate) claim: Script,
    pub(crate) settle: Script,
    pub(crate) give_back: Script,
    pub(crate) give_back_overdue: Script,
    pub(crate) spend: Script,
}

impl Scripts {
    fn new() -> Self {
        Self {
            push: Script::new(include_str!("scripts/push.lua")),
            known: Script::new(include_str!("scripts/known.lua")),
            page: Script::new(include_str!("scripts/page.lua")),
            reasons: Script::new(include_str!("scripts/reasons.lua")),
            list_state: Script::new(include_str!("scripts/list_state.lua")),
            claim: Script::new(include_str!("scripts/claim.lua")),
            settle: Script::new(include_str!("scripts/settle.lua")),
            give_back: Script::new(include_str!("scripts/give_back.lua")),
            give_back_overdue: Script::new(include_str!("scripts/give_back_overdue.lua")),
            spend: Script::new(include_str!("scripts/spend.lua")),
        }
    }
}

impl fmt::Debug for RedisDlq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisDlq").field("list", &self.inner.list).finish_non_exhaustive()
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
            list: config.list.clone(),
            seen_retention: config.seen_retention,
            replicas: Replicas::new(config.wait_replicas, config.timeout),
            scripts: Scripts::new(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Asks whether Redis answers.
    ///
    /// # Errors
    /// See [`pipeline::FaultClass`].
    pub async fn ping(&self) -> Result<(), Fault> {
        self.inner.connection.call("ping", |mut redis| async move { cmd("PING").exec_async(&mut redis.connection).await }).await
    }

    /// How each server failed where the queue was last looked for among several and not found: `10.0.0.4:26379: connection refused…`.
    pub fn tried_servers(&self) -> Option<String> {
        self.inner.connection.tried.told()
    }

    /// Asks whether what Redis acknowledges outlives Redis. What this user may not know is `None`.
    ///
    /// # Errors
    /// Redis is away.
    pub async fn persistence(&self) -> Result<Persistence, Fault> {
        self.inner.connection.call("persistence", |redis| persistence::ask(redis.connection)).await
    }

    /// Pushes dead letters that fit into one call, and waits for the replicas that have to have them.
    async fn push_chunk(&self, dead_letters: &[DeadLetter]) -> Result<usize, Fault> {
        let Inner { connection, seen_retention, replicas, scripts, .. } = &*self.inner;
        let push = |mut redis: Redis| async move {
            let mut call = scripts.push.key(&redis.keys.list);
            call.key(&redis.keys.seen).arg(seen_retention.as_secs());
            for dead_letter in dead_letters {
                call.arg(&dead_letter.identity).arg(&dead_letter.json);
            }
            let new: usize = call.invoke_async(&mut redis.connection).await?;
            if new == 0 {
                // They were written before, perhaps by a call that did not see them acknowledged.
                replicas.write(&mut redis).await?;
            }
            // On the same connection: it waits for what this connection has written, and so for all that was written before.
            replicas.suffice(replicas.wait(&mut redis.connection).await?)?;
            Ok::<_, Failure>(new)
        };
        connection.call("push", push).await
    }
}

impl DeadLetterQueue for RedisDlq {
    /// One script call for up to 500 dead letters or 1 MiB; an error or a dropped future may leave dead letters pushed.
    async fn push(&self, dead_letters: &[DeadLetter]) -> Result<usize, Fault> {
        let mut new = 0;
        for chunk in chunks(dead_letters, |dead_letter| dead_letter.identity.len() + dead_letter.json.len()) {
            new += self.push_chunk(chunk).await?;
        }
        Ok(new)
    }

    /// One script call for up to 500 dead letters or 1 MiB.
    async fn known(&self, dead_letters: &[DeadLetter]) -> Result<Vec<bool>, Fault> {
        let Inner { connection, scripts, .. } = &*self.inner;
        let mut known = Vec::with_capacity(dead_letters.len());
        for chunk in chunks(dead_letters, |dead_letter| dead_letter.identity.len()) {
            let ask = |mut redis: Redis| async move {
                let mut call = scripts.known.key(&redis.keys.seen);
                for dead_letter in chunk {
                    call.arg(&dead_letter.identity);
                }
                call.invoke_async(&mut redis.connection).await
            };
            let answers: Vec<bool> = connection.call("known", ask).await?;
            known.extend(answers);
        }
        Ok(known)
    }
}
