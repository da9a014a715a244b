//! The group as its brokers describe it: by which protocol it shares, who is in it, and which partitions each member has been given.
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

/// A group of consumers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Group {
    /// Whether its members share by the classic protocol: then the brokers have let none of `group.protocol=consumer` in.
    pub(crate) is_classic: bool,
    /// How they share, as the protocol names it; empty while they are about to settle that.
    pub(crate) strategy: String,
    pub(crate) members: Vec<GroupMember>,
}

/// Asks for the group. One that is not there has nobody in it. Blocks up to `bound`.
#[expect(unsafe_code, reason = "rdkafka does not wrap DescribeConsumerGroups")]
pub(crate) fn describe<C: ClientContext>(client: &Client<C>, group: &str, topic: &str, bound: Duration) -> KafkaResult<Group> {
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
unsafe fn described(event: *mut native::rd_kafka_event_t, topic: &str) -> KafkaResult<Group> {
    let mut found = Group::default();
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
            let kind = native::rd_kafka_ConsumerGroupDescription_type(group);
            found.is_classic = kind == native::rd_kafka_consumer_group_type_t::RD_KAFKA_CONSUMER_GROUP_TYPE_CLASSIC;
            found.strategy = text(native::rd_kafka_ConsumerGroupDescription_partition_assignor(group));
            for member in 0..native::rd_kafka_ConsumerGroupDescription_member_count(group) {
                found.members.push(member_of(native::rd_kafka_ConsumerGroupDescription_member(group, member), topic));
            }
        }
    }
    Ok(found)
}

/// # Safety
/// The description is one that an event of librdkafka holds, which lives until this returns.
#[expect(unsafe_code, reason = "rdkafka does not wrap DescribeConsumerGroups")]
unsafe fn member_of(member: *const native::rd_kafka_MemberDescription_t, topic: &str) -> GroupMember {
    // SAFETY: all pointers belong to the description, which lives. Texts end with a zero byte; the list is as long as it says.
    unsafe {
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

/// A text of librdkafka's, empty where there is none.
///
/// # Safety
/// The pointer is null, or that of a text which ends with a zero byte and lives until this returns.
#[expect(unsafe_code, reason = "rdkafka does not wrap DescribeConsumerGroups")]
unsafe fn text(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: the caller has said so.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}
