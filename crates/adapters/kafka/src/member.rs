//! The life of the consuming client.
//!
//! Closing it means leaving the group, which waits for the broker: up to a session timeout while Kafka is away. So nobody who lets go of
//! it may be the one who closes it: a thread of its own does, as soon as the source is gone.

use std::sync::mpsc;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use pipeline::Fault;
use rdkafka::consumer::StreamConsumer;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::embedded::EmbeddedBroker;
use crate::faults;
use crate::rebalance::Rebalancing;

/// The client, and what must outlive it. Fields are dropped in this order.
pub(crate) struct Client {
    pub(crate) consumer: StreamConsumer<Rebalancing>,
    _broker: Option<EmbeddedBroker>,
    /// Its end is the sign that the client is closed.
    _closed: oneshot::Sender<()>,
}

/// A use of the client; its end closes the client, in the background.
pub(crate) struct Member {
    client: Arc<Client>,
    /// Let go after `client`: then the thread that waits for this holds the last reference.
    _released: mpsc::Sender<()>,
    closed: oneshot::Receiver<()>,
}

impl Member {
    /// Takes charge of a client.
    pub(crate) fn new(consumer: StreamConsumer<Rebalancing>, broker: Option<EmbeddedBroker>) -> Result<Self, Fault> {
        let (on_closed, closed) = oneshot::channel();
        let (released, on_released) = mpsc::channel::<()>();
        let client = Arc::new(Client { consumer, _broker: broker, _closed: on_closed });
        let last = Arc::clone(&client);
        let keep = move || {
            // Nothing is ever sent: this returns when the member is dropped.
            on_released.recv().ok();
            drop(last);
        };
        thread::Builder::new().name("kafka-leave".to_owned()).spawn(keep).map_err(|_| faults::away("open"))?;
        Ok(Self { client, _released: released, closed })
    }

    /// The client, for calls on the thread that polls.
    pub(crate) fn consumer(&self) -> &StreamConsumer<Rebalancing> {
        &self.client.consumer
    }

    /// A reference that does not keep the client open.
    pub(crate) fn downgrade(&self) -> Weak<Client> {
        Arc::downgrade(&self.client)
    }

    /// Leaves the group, and waits for that up to `bound`; afterwards it goes on in the background.
    pub(crate) async fn close(self, bound: Duration) -> Result<(), Fault> {
        let Self { client, _released: released, closed } = self;
        drop(client);
        drop(released);
        // An error means that the sender was dropped: the client is closed.
        timeout(bound, closed).await.map(drop).map_err(|_| faults::timed_out("leave_group"))
    }
}
