//! Everything that is different about the embedded broker and its clients.

use std::time::Duration;

use rdkafka::ClientConfig;

/// What may wait in one partition to be consumed, in bytes. The broker keeps 5 MiB of each partition, compressed, and drops the oldest
/// without a word; the distance is for what compression does not gain and for what other processes send.
pub(crate) const BACKLOG_BYTES: u64 = 3 << 20;

/// What a record takes beside its key, value and headers, at most: when it travels in a batch of its own.
pub(crate) const RECORD_OVERHEAD: u64 = 100;

/// After this time of waiting for room a producer says so in the log.
pub(crate) const BACKLOG_NOTICE: Duration = Duration::from_secs(2);

/// For whoever is in the group or looks at it.
pub(crate) fn consumer(client: &mut ClientConfig) {
    client
        // The broker's side of the older protocol waits three seconds before it starts a group.
        .set("group.protocol", "consumer")
        // This broker never answers a fetch early: the default of 500 ms would be half a second of latency. Half of this, on average, is part
        // of the time from sending an event to seeing it; shorter waits cost an idle process more of the processor.
        .set("fetch.wait.max.ms", "5");
}

/// For the client that owns the broker.
pub(crate) fn broker(client: &mut ClientConfig) {
    client.set("test.mock.num.brokers", "1");
}
