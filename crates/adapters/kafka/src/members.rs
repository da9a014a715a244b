//! Who is in the group, and which partitions each member has been given.
//!
//! rdkafka wraps neither the request nor its answer, so both are here, with all the unsafe code that they need. Its own `fetch_group_list` asks in an
//! older way, which tells nothing of a group of the newer protocol
//! ([KIP-848](https://cwiki.apache.org/confluence/display/KAFKA/KIP-848%3A+The+Next+Generation+of+the+Consumer+Rebalance+Protocol)).

use std::collections::BTreeSet;
use std::ffi::{CStr, CString};
use std::os::raw::c_char;
use std::time::Duration;

use pipeline::GroupMember;
use rdkafka::ClientContext;
use rdkafka::bindings as native;
use rdkafka::client::Client;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};

/// Asks who is in the group. Of a group that is not there, nobody. Blocks up to `bound`.
#[expect(unsafe_code, reason = "rdkafka does not wrap DescribeConsumerGroups")]
pub(crate) fn members<C: ClientContext>(client: &Client<C>, group: &str, topic: &str, bound: Duration) -> KafkaResult<Vec<GroupMember>> {
    let failed = |code: RDKafkaErrorCode| KafkaError::GroupListFetch(code);
    let name = CString::new(group).map_err(|_| failed(RDKafkaErrorCode::InvalidGroupId))?;
    let millis = i32::try_from(bound.as_millis()).unwrap_or(i32::MAX);
    let mut names = [name.as_ptr()];
    let mut text: [c_char; 256] = [0; 256];
    // SAFETY: the client is borrowed, so its handle outlives every object that is made from it here. The request copies the names. Each object is
    // destroyed once, after the last use of what it owns: the event after the description that is read from it. librdkafka allows these calls from
    // any thread, and `text` is as long as it is told.
    unsafe {
        let handle = client.native_ptr();
        let options = native::rd_kafka_AdminOptions_new(handle, native::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
        let queue = native::rd_kafka_queue_new(handle);
        native::rd_kafka_AdminOptions_set_request_timeout(options, millis, text.as_mut_ptr(), text.len());
        native::rd_kafka_DescribeConsumerGroups(handle, names.as_mut_ptr(), names.len(), options, queue);
        let event = native::rd_kafka_queue_poll(queue, millis);
        let answer = if event.is_null() { Err(failed(RDKafkaErrorCode::OperationTimedOut)) } else { described(event, topic) };
        if !event.is_null() {
            native::rd_kafka_event_destroy(event);
        }
        native::rd_kafka_queue_destroy(queue);
        native::rd_kafka_AdminOptions_destroy(options);
        answer
    }
}

/// Reads the answer, which is about one group.
///
/// # Safety
/// The event is one that librdkafka has returned and that lives until this returns.
#[expect(unsafe_code, reason = "rdkafka does not wrap DescribeConsumerGroups")]
unsafe fn described(event: *mut native::rd_kafka_event_t, topic: &str) -> KafkaResult<Vec<GroupMember>> {
    let mut members = Vec::new();
    // SAFETY: all pointers belong to the event, which lives. Arrays are as long as librdkafka says.
    unsafe {
        let error = native::rd_kafka_event_error(event);
        if error != native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(KafkaError::GroupListFetch(error.into()));
        }
        let result = native::rd_kafka_event_DescribeConsumerGroups_result(event);
        if result.is_null() {
            return Err(KafkaError::GroupListFetch(RDKafkaErrorCode::Fail));
        }
        let mut count = 0;
        let groups = native::rd_kafka_DescribeConsumerGroups_result_groups(result, &raw mut count);
        for index in 0..if groups.is_null() { 0 } else { count } {
            let group = *groups.add(index);
            let error = native::rd_kafka_ConsumerGroupDescription_error(group);
            if !error.is_null() {
                match native::rd_kafka_error_code(error).into() {
                    RDKafkaErrorCode::NoError => {}
                    // Nobody is in a group that is not there.
                    RDKafkaErrorCode::GroupIdNotFound => continue,
                    code => return Err(KafkaError::GroupListFetch(code)),
                }
            }
            for member in 0..native::rd_kafka_ConsumerGroupDescription_member_count(group) {
                members.push(member_of(native::rd_kafka_ConsumerGroupDescription_member(group, member), topic));
            }
        }
    }
    Ok(members)
}

/// # Safety
/// The description is one that an event of librdkafka holds, which lives until this returns.
#[expect(unsafe_code, reason = "rdkafka does not wrap DescribeConsumerGroups")]
unsafe fn member_of(member: *const native::rd_kafka_MemberDescription_t, topic: &str) -> GroupMember {
    // SAFETY: all pointers belong to the description, which lives. Texts end with a zero byte; the list is as long as it says.
    unsafe {
        let text = |pointer: *const c_char| {
            if pointer.is_null() { String::new() } else { CStr::from_ptr(pointer).to_string_lossy().into_owned() }
        };
        let mut partitions = BTreeSet::new();
        let assignment = native::rd_kafka_MemberDescription_assignment(member);
        let list = if assignment.is_null() { std::ptr::null() } else { native::rd_kafka_MemberAssignment_partitions(assignment) };
        if !list.is_null() {
            for index in 0..usize::try_from((*list).cnt).unwrap_or_default() {
                let element = (*list).elems.add(index);
                if text((*element).topic) == topic {
                    partitions.insert((*element).partition);
                }
            }
        }
        // Kafka writes addresses as Java does: with a slash before them.
        let host = text(native::rd_kafka_MemberDescription_host(member)).trim_start_matches('/').to_owned();
        GroupMember { id: text(native::rd_kafka_MemberDescription_consumer_id(member)), host, partitions }
    }
}
