//! The life of the consuming client.
//!
//! Closing it means leaving the group, which waits for the broker: up to a session timeout while Kafka is away. So nobody who lets go of
//! it may be the one who closes it: a thread of its own does, as soon as the source is gone.

use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError, Weak};
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

/// The use of the client; its end closes the client, in the background.
pub(crate) struct Lease {
    client: Arc<Client>,
    /// Let go after `client`: then the thread that waits for this holds the last reference.
    _released: mpsc::Sender<()>,
}

/// The end of the client.
pub(crate) struct Closed(oneshot::Receiver<()>);

/// Takes charge of a client.
pub(crate) fn lease(consumer: StreamConsumer<Rebalancing>, broker: Option<EmbeddedBroker>) -> Result<(Lease, Closed), Fault> {
    let (on_closed, closed) = oneshot::channel();
    let (released, on_released) = mpsc::channel::<()>();
    let client = Arc::new(Client { consumer, _broker: broker, _closed: on_closed });
    let last = Arc::clone(&client);
    let keep = move || {
        // Nothing is ever sent: this returns when the lease is dropped.
        on_released.recv().ok();
        drop(last);
    };
    thread::Builder::new().name("kafka-leave".to_owned()).spawn(keep).map_err(|_| faults::away("open"))?;
    Ok((Lease { client, _released: released }, Closed(closed)))
}

impl Lease {
    /// The client, for calls on the thread that polls.
    pub(crate) fn consumer(&self) -> &StreamConsumer<Rebalancing> {
        &self.client.consumer
    }

    /// A reference for short calls on other threads, which wait for the broker.
    pub(crate) fn share(&self) -> Arc<Client> {
        Arc::clone(&self.client)
    }
}

/// The client that is the member now, for those who only use it while it is open.
#[derive(Clone, Default)]
pub(crate) struct CurrentClient(Arc<Mutex<Weak<Client>>>);

impl CurrentClient {
    /// Another client is the member from now on.
    pub(crate) fn set(&self, lease: &Lease) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&lease.client);
    }

    /// The client, unless it is closed.
    pub(crate) fn get(&self) -> Option<Arc<Client>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).upgrade()
    }
}

impl Closed {
    /// Waits up to `bound` until the client has left the group; afterwards it goes on in the background.
    pub(crate) async fn within(self, bound: Duration) -> Result<(), Fault> {
        // An error means that the sender was dropped: the client is closed.
        timeout(bound, self.0).await.map(drop).map_err(|_| faults::timed_out("leave_group"))
    }
}
