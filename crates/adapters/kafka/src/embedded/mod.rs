//! A broker inside the process: librdkafka's mock cluster, which speaks Kafka's protocol over TCP on a port of its own.
//!
//! Nothing in it is durable, and it keeps 5 MiB of each partition and drops what is older without a word. Two things answer that:
//! publishers of this process wait while a partition holds too much that is not consumed yet (`backlog`), and the consumer looks for
//! gaps in the offsets and reports each one as an error. Only librdkafka's clients can talk to it.

pub(crate) mod backlog;
pub(crate) mod settings;
mod trouble;

use std::fmt;
use std::sync::Arc;

use pipeline::{Fault, LogId};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::Producer as _;
use uuid::Uuid;

use crate::delivery::{Deliveries, Producer};
use crate::faults;
use backlog::Backlog;

pub use trouble::{Failure, Request};

/// A running broker with one topic. Clones are handles to the same one; it stops when the last is gone. Each client of
/// [`crate::KafkaConfig::embedded`] holds one, so that the broker outlives them: a client whose broker went first waits for it in vain.
#[derive(Clone)]
pub struct EmbeddedBroker {
    inner: Arc<Inner>,
}

struct Inner {
    /// The client that owns the cluster.
    owner: Producer,
    bootstrap_servers: String,
    topic: String,
    log: LogId,
    partitions: i32,
    backlog: Backlog,
}

impl EmbeddedBroker {
    /// Starts a broker on a free port of the loopback address, with one topic.
    ///
    /// # Errors
    /// The machine has no port, thread or memory left, or the topic cannot be made (no partitions, an impossible name).
    pub fn start(topic: &str, partitions: u16) -> Result<Self, Fault> {
        const START: &str = "start_embedded_broker";
        if partitions == 0 {
            return Err(faults::bug("start_embedded_broker: a topic needs a partition"));
        }
        let mut client = ClientConfig::new();
        settings::broker(&mut client);
        let failed = |error: KafkaError| faults::from_error(&error, START);
        let owner: Producer = client.create_with_context(Deliveries::of_nobody()).map_err(failed)?;
        let bootstrap_servers = {
            let cluster = owner.client().mock_cluster().ok_or_else(|| faults::bug(START))?;
            cluster.create_topic(topic, i32::from(partitions), 1).map_err(failed)?;
            cluster.bootstrap_servers()
        };
        let (topic, partitions, backlog) = (topic.to_owned(), i32::from(partitions), Backlog::default());
        let log = LogId(Uuid::new_v4());
        Ok(Self { inner: Arc::new(Inner { owner, bootstrap_servers, topic, log, partitions, backlog }) })
    }

    /// Its address, `host:port`.
    pub fn bootstrap_servers(&self) -> &str {
        &self.inner.bootstrap_servers
    }

    /// Its topic.
    pub fn topic(&self) -> &str {
        &self.inner.topic
    }

    /// Which log it is. The broker does not answer the question for a topic's id, and its log ends with the process.
    pub(crate) fn log(&self) -> LogId {
        self.inner.log
    }

    /// How many partitions the topic has.
    pub fn partitions(&self) -> i32 {
        self.inner.partitions
    }

    /// The ledger of what is still to be consumed.
    pub(crate) fn backlog(&self) -> &Backlog {
        &self.inner.backlog
    }
}

impl fmt::Debug for EmbeddedBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedBroker")
            .field("bootstrap_servers", &self.inner.bootstrap_servers)
            .field("topic", &self.inner.topic)
            .finish_non_exhaustive()
    }
}
