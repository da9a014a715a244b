//! One record on its way to the broker.

use std::time::Duration;

use pipeline::ports::Delivered;
use pipeline::{Fault, FaultClass, Publisher};
use tokio::time::Instant;

use super::records::{Content, Record};

/// How a record ended.
pub(super) struct Landing {
    pub(super) content: Content,
    pub(super) result: Result<Delivered, Fault>,
    pub(super) took: Duration,
}

impl Landing {
    /// Whether the next record would fail for the same reason.
    pub(super) fn is_hopeless(&self) -> bool {
        self.result.as_ref().is_err_and(|fault| fault.class != FaultClass::Poison)
    }
}

/// Sends a record and waits for its acknowledgement.
pub(super) async fn fly<P: Publisher>(publisher: &P, topic: &str, (content, message): Record) -> Landing {
    let start = Instant::now();
    let result = publisher.publish(topic, message).await;
    Landing { content, result, took: start.elapsed() }
}
