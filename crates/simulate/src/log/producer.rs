//! `Publisher` over the simulated log: how an operator sends dead letters back.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use pipeline::ports::{Delivered, Message};
use pipeline::{Fault, Publisher};

use super::away;
use super::topic::Sent;
use crate::mishap::Kind;
use crate::world::{State, World};

/// Sends to the log.
#[derive(Clone)]
pub struct SimProducer {
    world: World,
    name: String,
}

impl SimProducer {
    /// Somebody who sends.
    pub fn new(world: &World, name: &str) -> Self {
        Self { world: world.clone(), name: name.to_owned() }
    }
}

impl Publisher for SimProducer {
    async fn publish(&self, _topic: &str, message: Message) -> Result<Delivered, Fault> {
        self.world.pause(&self.name, 100).await;
        let delivered = self.world.step(|state| {
            if state.strikes(&self.name, Kind::TakeFails) {
                return Err(away("publish"));
            }
            let mut sent = Sent::new(state.elapsed(), state.now().unix_millis(), message.key.unwrap_or_default(), message.value);
            sent.headers = message.headers;
            Ok(send(state, &self.name, sent, None))
        })?;
        self.world.announce();
        self.world.pause(&self.name, 100).await;
        if self.world.strikes(&self.name, Kind::CommitLate) {
            return Err(away("publish"));
        }
        Ok(delivered)
    }
}

/// Appends a record to the partition of its key.
pub fn send(state: &mut State, who: &str, sent: Sent, transaction: Option<u64>) -> Delivered {
    let mut hash = DefaultHasher::new();
    sent.key.hash(&mut hash);
    let partition = (hash.finish() % state.topic.partitions.len() as u64) as usize;
    let what = describe(&sent);
    let (partition, offset) = state.topic.append(partition, transaction, sent);
    state.tell(who, "sends", || format!("{partition}:{offset} {what}"));
    Delivered { partition, offset }
}

/// A record in a few words.
pub fn describe(sent: &Sent) -> String {
    match (&sent.event, &sent.value) {
        (_, None) => "a tombstone".to_owned(),
        (None, Some(_)) => "a broken record".to_owned(),
        (Some(event), _) => crate::store::describe(event),
    }
}
