//! Taking entries out of the list until their lease ends.

use std::time::Duration;

use pipeline::Fault;
use pipeline::ports::{Claim, ClaimQueue};
use redis::Script;
use uuid::Uuid;

use crate::chunks::fitting;
use crate::connection::Redis;
use crate::keys::Keys;
use crate::queue::{Inner, RedisDlq};

/// Claims given back in one call when their lease has ended.
const CHUNK_OVERDUE: usize = 100;

impl ClaimQueue for RedisDlq {
    /// An entry that is looked for from the new end of a long list costs a look at the whole list: claim from the old end, where one can.
    async fn claim(&self, entries: &[String], lease: Duration) -> Result<Vec<Option<Claim>>, Fault> {
        // Tokens that sort by time: claims go back in the order in which they were made.
        let claims: Vec<_> = entries.iter().map(|entry| Claim { token: Uuid::now_v7(), entry: entry.clone() }).collect();
        let Inner { scripts, .. } = &*self.inner;
        let call =
            Call { operation: "claim", script: &scripts.claim, keys: |keys| [&keys.list, &keys.claims, &keys.moves], lease: Some(lease) };
        let claimed = self.of_each(&call, &claims.iter().map(member).collect::<Vec<_>>()).await?;
        Ok(claims.into_iter().zip(claimed).map(|(claim, claimed)| claimed.then_some(claim)).collect())
    }

    /// Where entries look alike, one that went back may not be the one that is removed: they hold the same.
    async fn settle(&self, claims: &[Claim]) -> Result<usize, Fault> {
        let Inner { scripts, .. } = &*self.inner;
        let call = Call { operation: "settle", script: &scripts.settle, keys: |keys| [&keys.claims, &keys.list, &keys.moves], lease: None };
        let settled = self.of_each(&call, &claims.iter().map(member).collect::<Vec<_>>()).await?;
        Ok(count(&settled))
    }

    /// The first of these claims becomes the oldest entry.
    async fn give_back(&self, claims: &[Claim]) -> Result<usize, Fault> {
        let Inner { scripts, .. } = &*self.inner;
        let call =
            Call { operation: "give_back", script: &scripts.give_back, keys: |keys| [&keys.claims, &keys.list, &keys.moves], lease: None };
        let returned = self.of_each(&call, &claims.iter().rev().map(member).collect::<Vec<_>>()).await?;
        Ok(count(&returned))
    }

    /// The first that was claimed becomes the oldest entry.
    async fn give_back_overdue(&self) -> Result<usize, Fault> {
        let Inner { connection, scripts, .. } = &*self.inner;
        let mut all = 0;
        loop {
            let work = |mut redis: Redis| async move {
                let mut call = scripts.give_back_overdue.key(&redis.keys.claims);
                call.key(&redis.keys.list).key(&redis.keys.moves).arg(CHUNK_OVERDUE);
                call.invoke_async(&mut redis.connection).await
            };
            let moved: usize = connection.call("give_back_overdue", work).await?;
            all += moved;
            if moved < CHUNK_OVERDUE {
                return Ok(all);
            }
        }
    }
}

/// A script that does something with each member of the claims.
struct Call<'c> {
    operation: &'static str,
    script: &'c Script,
    keys: fn(&Keys) -> [&str; 3],
    lease: Option<Duration>,
}

impl RedisDlq {
    /// Calls a script for all of these, as many at once as fit, and gives what it says of each. A script that leaves out the last ones is
    /// called again for them.
    async fn of_each(&self, call: &Call<'_>, members: &[String]) -> Result<Vec<bool>, Fault> {
        let mut answers = Vec::with_capacity(members.len());
        while let Some(rest) = members.get(answers.len()..).filter(|rest| !rest.is_empty()) {
            let chunk = &rest[..fitting(rest, String::len)];
            let work = |mut redis: Redis| async move {
                let [first, second, third] = (call.keys)(&redis.keys);
                let mut invocation = call.script.key(first);
                invocation.key(second).key(third);
                if let Some(lease) = call.lease {
                    invocation.arg(lease.as_secs_f64());
                }
                invocation.arg(chunk);
                invocation.invoke_async(&mut redis.connection).await
            };
            let some: Vec<bool> = self.inner.connection.call(call.operation, work).await?;
            answers.extend(some);
        }
        Ok(answers)
    }
}

/// How a claim stands in the sorted set. The scripts know how long a token is.
fn member(claim: &Claim) -> String {
    format!("{}:{}", claim.token.hyphenated(), claim.entry)
}

fn count(answers: &[bool]) -> usize {
    answers.iter().filter(|answer| **answer).count()
}
