//! A client that asks from outside of the group. It is no member and fetches nothing: on a consuming client questions would wait behind its
//! fetches.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use pipeline::Fault;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaResult;

use crate::config::KafkaConfig;
use crate::context::Context;
use crate::embedded::EmbeddedBroker;
use crate::health::Health;
use crate::{blocking, client, faults};

/// How long a client is listened to after each question. Enough for what it has to tell since the last, be that ten minutes ago.
const QUIET: Duration = Duration::from_millis(5);

/// The client, and what it is asked about.
pub(crate) struct Observer {
    pub(crate) consumer: BaseConsumer<Context>,
    pub(crate) topic: String,
    health: Arc<Health>,
    /// Whether the brokers tell topic ids, once that is known.
    pub(crate) tells_ids: OnceLock<bool>,
    /// After the client: the broker outlives it.
    broker: Option<EmbeddedBroker>,
}

impl Observer {
    /// A client of these brokers. Returns at once, whether they can be reached or not.
    pub(crate) fn open(config: &KafkaConfig) -> Result<Arc<Self>, Fault> {
        let health = Health::quiet();
        let context = Context::of(config, Arc::clone(&health));
        let consumer = client::observer(config).create_with_context(context);
        let consumer = consumer.map_err(|error| faults::from_error(&error, "open"))?;
        Ok(Arc::new(Self {
            consumer,
            topic: config.topic.clone(),
            health,
            tells_ids: OnceLock::new(),
            broker: config.embedded_broker().cloned(),
        }))
    }

    /// The broker inside this process, where it looks at that one.
    pub(crate) const fn broker(&self) -> Option<&EmbeddedBroker> {
        self.broker.as_ref()
    }

    /// Asks something that must be answered by the instant that the question is given.
    pub(crate) async fn look<T: Send + 'static>(
        self: &Arc<Self>,
        operation: &'static str,
        bound: Duration,
        look: impl FnOnce(&Self, Instant) -> KafkaResult<T> + Send + 'static,
    ) -> Result<T, Fault> {
        let observer = Arc::clone(self);
        let answer = blocking::call(operation, bound + Duration::from_secs(1), move || {
            if observer.consumer.context().takes_tokens() {
                observer.listen();
            }
            let answer = look(&observer, Instant::now() + bound);
            observer.listen();
            answer
        });
        let answer = answer.await.map_err(|fault| self.health.explain(fault));
        self.consumer.context().restore(self.consumer.client());
        if answer.is_ok() {
            self.health.working();
        }
        answer
    }

    /// Lets the client go, off the worker threads, and waits for that up to `bound`; it goes on in the background.
    pub(crate) async fn close(self: Arc<Self>, bound: Duration) -> Result<(), Fault> {
        blocking::call("close", bound, move || {
            drop(self);
            Ok(())
        })
        .await
    }

    /// Takes what librdkafka has to tell. Nothing else polls this client: its log lines would pile up, and why it got no answer would stay
    /// unknown.
    fn listen(&self) {
        while self.consumer.poll(QUIET).is_some() {}
    }
}
