//! The id that Kafka gave a topic when it was created: what tells a topic from its namesake that was created later.
//!
//! rdkafka wraps neither the request nor its answer, so both are here, with all the unsafe code that they need.

use std::ffi::{CStr, CString};
use std::os::raw::c_char;
use std::ptr;

use std::time::Duration;

use pipeline::LogId;
use rdkafka::ClientContext;
use rdkafka::bindings as native;
use rdkafka::client::Client;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use uuid::Uuid;

/// Asks for the id of a topic; [`LogId::UNKNOWN`] where the brokers know no topic ids. Blocks up to `bound`.
#[expect(unsafe_code, reason = "rdkafka does not wrap DescribeTopics")]
pub(crate) fn topic_id<C: ClientContext>(client: &Client<C>, topic: &str, bound: Duration) -> KafkaResult<LogId> {
    let failed = |code: RDKafkaErrorCode| KafkaError::MetadataFetch(code);
    let name = CString::new(topic).map_err(|_| failed(RDKafkaErrorCode::InvalidTopic))?;
    let millis = i32::try_from(bound.as_millis()).unwrap_or(i32::MAX);
    let mut names = [name.as_ptr()];
    let mut text: [c_char; 256] = [0; 256];
    // SAFETY: the client is borrowed, so its handle outlives every object that is made from it here. The collection copies the names. Each
    // object is destroyed once, after the last use of what it owns: the event after the description that is read from it. librdkafka allows
    // these calls from any thread, and `text` is as long as it is told.
    unsafe {
        let handle = client.native_ptr();
        let topics = native::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len());
        let options = native::rd_kafka_AdminOptions_new(handle, native::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
        let queue = native::rd_kafka_queue_new(handle);
        native::rd_kafka_AdminOptions_set_request_timeout(options, millis, text.as_mut_ptr(), text.len());
        native::rd_kafka_DescribeTopics(handle, topics, options, queue);
        let event = native::rd_kafka_queue_poll(queue, millis);
        let answer = if event.is_null() { Err(failed(RDKafkaErrorCode::OperationTimedOut)) } else { described(event, &name) };
        if !event.is_null() {
            native::rd_kafka_event_destroy(event);
        }
        native::rd_kafka_queue_destroy(queue);
        native::rd_kafka_AdminOptions_destroy(options);
        native::rd_kafka_TopicCollection_destroy(topics);
        answer
    }
}

/// Reads the answer.
///
/// # Safety
/// The event is one that librdkafka has returned and that lives until this returns.
#[expect(unsafe_code, reason = "rdkafka does not wrap DescribeTopics")]
unsafe fn described(event: *mut native::rd_kafka_event_t, name: &CStr) -> KafkaResult<LogId> {
    // SAFETY: all pointers belong to the event, which lives. Arrays are as long as librdkafka says.
    unsafe {
        let error = native::rd_kafka_event_error(event);
        if error != native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(KafkaError::MetadataFetch(error.into()));
        }
        let result = native::rd_kafka_event_DescribeTopics_result(event);
        let mut count = 0;
        let topics = if result.is_null() { ptr::null_mut() } else { native::rd_kafka_DescribeTopics_result_topics(result, &raw mut count) };
        for index in 0..if topics.is_null() { 0 } else { count } {
            let topic = *topics.add(index);
            if CStr::from_ptr(native::rd_kafka_TopicDescription_name(topic)) != name {
                continue;
            }
            let error = native::rd_kafka_TopicDescription_error(topic);
            if !error.is_null() && native::rd_kafka_error_code(error) != native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                return Err(KafkaError::MetadataFetch(native::rd_kafka_error_code(error).into()));
            }
            let id = native::rd_kafka_TopicDescription_topic_id(topic);
            let bits = |half: i64| u64::from_ne_bytes(half.to_ne_bytes());
            return Ok(LogId(Uuid::from_u64_pair(
                bits(native::rd_kafka_Uuid_most_significant_bits(id)),
                bits(native::rd_kafka_Uuid_least_significant_bits(id)),
            )));
        }
        Err(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition))
    }
}
