//! The answers of a broker that say where brokers are, in the versions that librdkafka asks for: <https://kafka.apache.org/protocol>.

use std::ops::RangeInclusive;

/// Topics that an answer without brokers names besides those asked for. Reading them takes a client so long that what it begins when it reads
/// of no brokers is under way before it is done.
const MORE_TOPICS: u32 = 20_000;

/// What was asked.
#[derive(Clone, Copy)]
pub enum Kind {
    Metadata,
    Coordinator,
}

/// What a request asks, where its answer says where brokers are.
pub fn kind(request: &[u8]) -> Option<Kind> {
    const METADATA: (i16, RangeInclusive<i16>) = (3, 10..=12);
    const FIND_COORDINATOR: (i16, RangeInclusive<i16>) = (10, 1..=2);
    let mut request = Fields(request);
    let (key, version) = (request.short(), request.short());
    let (kind, understood) = match key {
        key if key == METADATA.0 => (Kind::Metadata, METADATA.1),
        key if key == FIND_COORDINATOR.0 => (Kind::Coordinator, FIND_COORDINATOR.1),
        _ => return None,
    };
    assert!(understood.contains(&version), "request {key} in version {version}");
    Some(kind)
}

/// What ties an answer to its request.
pub fn correlation(bytes: &[u8]) -> i32 {
    Fields(bytes).number()
}

/// Its last field is the port.
pub fn with_coordinator_at(port: u16, mut answer: Vec<u8>) -> Vec<u8> {
    answer.truncate(answer.len() - size_of::<i32>());
    answer.extend(i32::from(port).to_be_bytes());
    answer
}

/// An answer about brokers and topics.
pub struct Metadata<'b> {
    /// Correlation, tags, time of throttling.
    head: &'b [u8],
    brokers: Vec<i32>,
    cluster: &'b [u8],
    controller: i32,
    /// How many topics it names.
    pub topics: u32,
    rest: &'b [u8],
}

impl<'b> Metadata<'b> {
    pub fn read(answer: &'b [u8]) -> Self {
        let mut rest = Fields(answer);
        let head = rest.take(9);
        let brokers = (0..rest.count()).map(|_| rest.broker()).collect();
        let (cluster, controller) = (rest.string(), rest.number());
        Self { head, brokers, cluster, controller, topics: rest.count(), rest: rest.0 }
    }

    pub fn with_controller(self, id: i32) -> Self {
        Self { controller: id, ..self }
    }

    pub fn with_brokers_at(&self, port: u16) -> Vec<u8> {
        let mut answer = self.head.to_vec();
        put_count(&mut answer, u32::try_from(self.brokers.len()).unwrap());
        self.brokers.iter().for_each(|id| put_broker(&mut answer, *id, port));
        answer.extend(self.cluster);
        answer.extend(self.controller.to_be_bytes());
        put_count(&mut answer, self.topics);
        answer.extend(self.rest);
        answer
    }

    pub fn without_brokers(&self) -> Vec<u8> {
        let mut answer = self.head.to_vec();
        put_count(&mut answer, 0);
        answer.extend(self.cluster);
        answer.extend(self.controller.to_be_bytes());
        put_count(&mut answer, self.topics + MORE_TOPICS);
        (0..MORE_TOPICS).for_each(|number| put_topic(&mut answer, number));
        answer.extend(self.rest);
        answer
    }
}

/// What is left of a message.
struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    fn take(&mut self, length: usize) -> &'b [u8] {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    fn short(&mut self) -> i16 {
        i16::from_be_bytes(self.take(2).try_into().unwrap())
    }

    fn number(&mut self) -> i32 {
        i32::from_be_bytes(self.take(4).try_into().unwrap())
    }

    /// The elements of an array or the bytes of a string; 0 also where there is none. Written with one more, seven bits to a byte.
    fn count(&mut self) -> u32 {
        let mut count = 0;
        for shift in (0..).step_by(7) {
            let byte = u32::from(self.take(1)[0]);
            count |= (byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        count.saturating_sub(1)
    }

    /// With its length.
    fn string(&mut self) -> &'b [u8] {
        let before = self.0;
        let length = self.count();
        self.take(usize::try_from(length).unwrap());
        &before[..before.len() - self.0.len()]
    }

    /// Its number.
    fn broker(&mut self) -> i32 {
        let id = self.number();
        self.string();
        self.number();
        self.string();
        assert_eq!(self.take(1), [0], "tags");
        id
    }
}

fn put_count(bytes: &mut Vec<u8>, count: u32) {
    let mut rest = count + 1;
    while rest >= 0x80 {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

fn put_string(bytes: &mut Vec<u8>, text: &str) {
    put_count(bytes, u32::try_from(text.len()).unwrap());
    bytes.extend(text.as_bytes());
}

fn put_broker(bytes: &mut Vec<u8>, id: i32, port: u16) {
    bytes.extend(id.to_be_bytes());
    put_string(bytes, "127.0.0.1");
    bytes.extend(i32::from(port).to_be_bytes());
    // No rack, no tags.
    bytes.extend([0, 0]);
}

/// A topic without partitions, as one that is being made.
fn put_topic(bytes: &mut Vec<u8>, number: u32) {
    const LEADER_NOT_AVAILABLE: i16 = 5;
    bytes.extend(LEADER_NOT_AVAILABLE.to_be_bytes());
    put_string(bytes, &format!("other-{number}"));
    // No identifier.
    bytes.extend([0; 16]);
    // Not internal, no partitions, no rights, no tags.
    bytes.extend([0, 1, 0, 0, 0, 0, 0]);
}
