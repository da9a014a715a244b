//! librdkafka's blocking calls, off the worker threads and with a bound.
//!
//! They run on plain threads, not in the runtime's blocking pool: a runtime that ends waits for its pool, and such a call may last as long
//! as a session timeout while Kafka is away. What is abandoned at its bound, or because its future was dropped, ends by itself.

use std::thread;
use std::time::Duration;

use pipeline::Fault;
use rdkafka::error::KafkaResult;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::faults;

/// Runs a call; on an error, or after `bound`, says so as a fault of `operation`.
pub(crate) async fn call<T: Send + 'static>(
    operation: &'static str,
    bound: Duration,
    in_flight: impl FnOnce() -> KafkaResult<T> + Send + 'static,
) -> Result<T, Fault> {
    let (answer, answered) = oneshot::channel();
    // Nobody listening any more means that the call was abandoned.
    thread::Builder::new().name(operation.to_owned()).spawn(move || answer.send(in_flight()).ok()).map_err(|_| faults::away(operation))?;
    match timeout(bound, answered).await {
        Ok(Ok(result)) => result.map_err(|error| faults::from_error(&error, operation)),
        Ok(Err(_)) => Err(faults::away(operation)),
        Err(_) => Err(faults::timed_out(operation)),
    }
}
