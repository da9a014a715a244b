//! Why a member has no partitions, where the brokers share them: then librdkafka says neither that there is no topic nor that the brokers
//! refuse the member, so it has to ask.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use crate::admin;
use crate::config::GroupProtocol;
use crate::consumer::Shared;
use crate::member::{Client, Lease};
use crate::members::{Group, describe};

/// How often a member without partitions asks, and how long each of its questions may take.
const PAUSE: Duration = Duration::from_secs(5);
const BOUND: Duration = Duration::from_secs(2);
/// The group is classic for a moment while the first member of the newer protocol joins it: this answer and no earlier one counts.
const SURE: u32 = 2;
/// After how many answers it is said again: each minute.
const AGAIN: u32 = 12;

/// What a member without partitions has asked.
pub(crate) struct Idle {
    /// Whether nobody has to ask: librdkafka tells it of the classic protocol, and the embedded broker lets everybody in.
    is_told: bool,
    ask_at: Instant,
    /// How often in a row the answer was that the brokers do not let this member in.
    refused: u32,
    answered: UnboundedSender<Group>,
    answers: UnboundedReceiver<Group>,
}

impl Idle {
    pub(crate) fn of(Shared { config, .. }: &Shared) -> Self {
        let is_told = config.protocol == GroupProtocol::Classic || config.embedded_broker().is_some();
        let (answered, answers) = unbounded_channel();
        Self { is_told, ask_at: Instant::now(), refused: 0, answered, answers }
    }

    /// Asks, now and then, and tells what came of the last question. Waits for nothing.
    pub(crate) fn look(&mut self, lease: &Lease, shared: &Shared) {
        if self.is_told {
            return;
        }
        let is_idle = shared.membership.assigned().is_empty();
        while let Ok(group) = self.answers.try_recv() {
            // An answer from before the partitions came is outdated.
            self.note(shared, &group, is_idle);
        }
        if is_idle && Instant::now() >= self.ask_at {
            self.ask_at = Instant::now() + PAUSE;
            self.ask(lease.share(), shared);
        }
    }

    /// Nobody waits for this thread, and it may be the last that holds the client.
    fn ask(&self, client: Arc<Client>, shared: &Shared) {
        let (topic, name, health) = (Arc::clone(&shared.topic), shared.config.group.clone(), Arc::clone(&shared.health));
        let answered = self.answered.clone();
        let ask = move || {
            let handle = client.consumer.client();
            let missing = admin::partitions(handle, &topic, BOUND).err().as_ref().and_then(KafkaError::rdkafka_error_code);
            if let Some(code) = missing.filter(|code| matches!(code, Code::UnknownTopicOrPartition | Code::UnknownTopic)) {
                // A trouble of the client's like any other.
                health.report(code, None);
            } else if let Ok(group) = describe(handle, &name, &topic, BOUND) {
                // Fails where the source is gone.
                answered.send(group).ok();
            }
        };
        thread::Builder::new().name("kafka-idle".to_owned()).spawn(ask).ok();
    }

    fn note(&mut self, shared: &Shared, group: &Group, is_idle: bool) {
        let refusal = Refusal::of(group).filter(|_| is_idle);
        self.refused = if refusal.is_some() { self.refused + 1 } else { 0 };
        match refusal {
            // This member is not held: the others have the partitions, and where a supervisor replaces members one by one, it has to count as ready
            // before the next one goes.
            Some(Refusal::Classic) if self.refused % AGAIN == SURE => tracing::warn!(
                group = shared.config.group,
                members = group.members.len(),
                strategy = group.strategy,
                "no partitions: the brokers let no member of KAFKA_GROUP_PROTOCOL=consumer in beside those of the classic protocol; restart them \
                 with it as well, the partitions come when the last of them has left"
            ),
            // Nobody has the partitions. The client goes on asking without a word.
            Some(Refusal::NotThere) if self.refused >= SURE => shared.health.report(Code::GroupIdNotFound, None),
            Some(_) => {}
            // The others have all the partitions, and the brokers let members in.
            None => shared.health.is_over(Code::GroupIdNotFound),
        }
    }
}

/// Why the brokers do not let a member of their own protocol in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// The group is still one of the classic protocol.
    Classic,
    /// It is no group of consumers.
    NotThere,
}

impl Refusal {
    /// What the group says to a member that has asked to be let in: it would be in it, and the group one of the brokers' own protocol.
    fn of(group: &Group) -> Option<Self> {
        match group {
            Group { members, .. } if members.is_empty() => Some(Self::NotThere),
            Group { is_classic: true, .. } => Some(Self::Classic),
            Group { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use pipeline::GroupMember;

    use super::*;

    #[test]
    fn whoever_is_let_in_is_in_a_group_of_the_brokers_own_protocol() {
        let member = || GroupMember { id: "m".to_owned(), host: "10.0.0.7".to_owned(), partitions: [0].into() };
        let group = |is_classic, members| Group { is_classic, strategy: String::new(), members };
        assert_eq!(Refusal::of(&group(false, vec![member()])), None);
        assert_eq!(Refusal::of(&group(true, vec![member()])), Some(Refusal::Classic));
        for is_classic in [false, true] {
            assert_eq!(Refusal::of(&group(is_classic, Vec::new())), Some(Refusal::NotThere));
        }
    }
}
