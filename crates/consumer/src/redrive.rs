//! Sending a dead letter back to its topic without losing it in a crash.

use pipeline::dead_letter::Entry;
use pipeline::fault::Fault;
use pipeline::ports::{Delivered, Message, Publisher, RedriveQueue};
use pipeline::record::RETRY_COUNT_HEADER;

/// How a redrive ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redriven {
    /// The broker has it; it left the queue.
    Sent(Delivered),
    /// It is not in the queue any more: someone else was faster.
    Gone,
    /// It cannot be read as a dead letter; it stays where it was.
    Unreadable,
}

/// Redrives one entry: claims it, publishes its bytes under their key with a raised retry count, and settles it after the
/// acknowledgement. A crash in between leaves a claimed entry, which [`RedriveQueue::give_back`] returns; sent twice, it is applied once.
///
/// # Errors
/// The queue or the broker is away. The entry is not lost: it is in the list, or claimed.
pub async fn redrive(queue: &impl RedriveQueue, publisher: &impl Publisher, entry: &str, default_topic: &str) -> Result<Redriven, Fault> {
    let Some((parsed, value)) = Entry::parse(entry).ok().and_then(|parsed| parsed.value().map(|value| (parsed, value))) else {
        return Ok(Redriven::Unreadable);
    };
    if !queue.claim(entry).await? {
        return Ok(Redriven::Gone);
    }
    let retries = parsed.retry_count.saturating_add(1);
    let message =
        Message { key: parsed.key(), value: Some(value), headers: vec![(RETRY_COUNT_HEADER.to_owned(), retries.to_string().into_bytes())] };
    let delivered = publisher.publish(parsed.topic.as_deref().unwrap_or(default_topic), message).await?;
    queue.settle(entry).await?;
    Ok(Redriven::Sent(delivered))
}
