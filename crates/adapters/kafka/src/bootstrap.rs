//! Giving a client that has lost its brokers the configured ones again.
//!
//! librdkafka forgets every broker that the cluster's last answer did not name, and starts over from the configured ones when none is left.
//! For a moment, a cluster whose only broker was fenced by its controller names none at all. On such an answer librdkafka 2.12 may cancel
//! its own new start ([issue 5301](https://github.com/confluentinc/librdkafka/issues/5301)): the client then stays without brokers for good,
//! while Kafka is there. Its statistics show it, and adding the brokers once more ends it.

use std::ffi::CString;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::ClientContext;
use rdkafka::bindings::rd_kafka_brokers_add;
use rdkafka::client::Client;
use rdkafka::statistics::Statistics;

/// Where one client starts, and whether it has to start again.
pub(crate) struct Bootstrap {
    servers: CString,
    lost: AtomicBool,
}

impl Bootstrap {
    /// Of a client that starts from these brokers: `host:port`, separated by commas.
    pub(crate) fn from(brokers: &str) -> Self {
        // No client can be made from a list with a zero in it.
        Self { servers: CString::new(brokers).unwrap_or_default(), lost: AtomicBool::new(false) }
    }

    /// Notes whether the client still has a broker: one that it was given or one that it learned of, be it connected or not.
    pub(crate) fn note(&self, statistics: &Statistics) {
        let has_broker = statistics.brokers.values().any(|broker| matches!(broker.source.as_str(), "configured" | "learned"));
        self.lost.store(!has_broker, Ordering::Relaxed);
    }

    /// Lets the client start again, where it has to.
    pub(crate) fn restore<C: ClientContext>(&self, client: &Client<C>) {
        if self.lost.load(Ordering::Relaxed) {
            self.lost.store(false, Ordering::Relaxed);
            add(client, &self.servers);
            tracing::warn!("the Kafka client had lost all its brokers; it starts again from the configured ones");
        }
    }
}

#[expect(unsafe_code, reason = "rdkafka wraps every other call that we need, but not this one")]
fn add<C: ClientContext>(client: &Client<C>, servers: &CString) {
    // SAFETY: the client is borrowed, so its handle is alive, and librdkafka allows the call from any thread. It copies the list, which ends
    // with a zero.
    unsafe { rd_kafka_brokers_add(client.native_ptr(), servers.as_ptr()) };
}
