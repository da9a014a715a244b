//! Giving a client that has lost its brokers the configured ones again.
//!
//! librdkafka forgets every broker that the cluster's last answer did not name, and starts over from the configured ones when all are down.
//! For a moment a cluster may name none at all, as when its controller has fenced its only broker. On such an answer librdkafka 2.12 and 2.13
//! may cancel their own new start ([issue 5301](https://github.com/confluentinc/librdkafka/issues/5301)), and take it for one that is under way
//! from then on: the client stays without brokers for good, while Kafka is there. Its statistics show it, and adding the brokers once more
//! ends it.

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
        if self.lost.load(Ordering::Relaxed) && self.lost.swap(false, Ordering::Relaxed) && add(client, &self.servers) > 0 {
            // No warning: that Kafka cannot be used is told by whoever finds it so.
            tracing::info!("the Kafka client had lost all its brokers; it starts again from the configured ones");
        }
    }
}

/// Returns how many there are now of these.
#[expect(unsafe_code, reason = "rdkafka wraps every other call that we need, but not this one")]
fn add<C: ClientContext>(client: &Client<C>, servers: &CString) -> i32 {
    // SAFETY: the client is borrowed, so its handle is alive, and librdkafka allows the call from any thread. It copies the list, which ends
    // with a zero.
    unsafe { rd_kafka_brokers_add(client.native_ptr(), servers.as_ptr()) }
}

#[cfg(test)]
mod tests {
    use rdkafka::statistics::Broker;

    use super::*;

    #[test]
    fn a_client_is_lost_that_has_neither_a_configured_nor_a_learned_broker() {
        let bootstrap = Bootstrap::from("h:1");
        let lost = |sources: &[&str]| {
            let broker = |source: &&str| Broker { source: (*source).into(), ..Broker::default() };
            let brokers = (0..).map(|number: i32| number.to_string()).zip(sources.iter().map(broker)).collect();
            bootstrap.note(&Statistics { brokers, ..Statistics::default() });
            bootstrap.lost.load(Ordering::Relaxed)
        };
        assert!(!lost(&["configured"]));
        assert!(!lost(&["logical", "learned"]));
        assert!(lost(&["logical", "internal"]));
        assert!(lost(&[]));
    }
}
