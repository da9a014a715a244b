//! A share group (KIP-932) that somebody has left: librdkafka has none, so its one request is written here.

use kafka::KafkaConfig;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::lab::{BOUND, TURN, within};

/// [ShareGroupHeartbeat](https://kafka.apache.org/protocol.html#The_Messages_ShareGroupHeartbeat).
const HEARTBEAT: (i16, i16) = (76, 1);
const JOIN: i32 = 0;
const LEAVE: i32 = -1;

/// Makes a share group of this name, without members. The broker has to be its coordinator: it is the only one.
pub async fn leave_behind(config: &KafkaConfig, group: &str) {
    let member = Uuid::new_v4().to_string();
    let deadline = Instant::now() + BOUND;
    for epoch in [JOIN, LEAVE] {
        // Until the coordinator is there, which a new broker makes at the first question of a client.
        while let error @ 1.. = within(heartbeat(config, group, &member, epoch)).await {
            assert!(Instant::now() < deadline, "the broker refuses with {error}");
            sleep(TURN).await;
        }
    }
}

/// Deletes a group without members, of whichever kind.
pub async fn delete(config: &KafkaConfig, group: &str) {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new().set("bootstrap.servers", &config.brokers).create().unwrap();
    let deleted = within(admin.delete_groups(&[group], &AdminOptions::new())).await.unwrap();
    assert_eq!(deleted, [Ok(group.to_owned())]);
}

/// The error of the answer; 0 is none.
async fn heartbeat(config: &KafkaConfig, group: &str, member: &str, epoch: i32) -> i16 {
    let (key, version) = HEARTBEAT;
    let mut request = [key.to_be_bytes(), version.to_be_bytes()].concat();
    // Correlation, a client without a name, and no tagged fields.
    request.extend([0, 0, 0, 1, 0xff, 0xff, 0]);
    let text = |text: &str| [&[u8::try_from(text.len() + 1).unwrap()], text.as_bytes()].concat();
    request.extend([text(group), text(member), epoch.to_be_bytes().to_vec()].concat());
    // No rack, the one topic, no tagged fields.
    request.extend([&[0, 2][..], &text(&config.topic), &[0]].concat());
    let mut stream = TcpStream::connect(&config.brokers).await.unwrap();
    stream.write_all(&[&u32::try_from(request.len()).unwrap().to_be_bytes()[..], &request].concat()).await.unwrap();
    let length = stream.read_u32().await.unwrap();
    let mut answer = vec![0; length.try_into().unwrap()];
    stream.read_exact(&mut answer).await.unwrap();
    // After the correlation, a byte of tagged fields and the throttle time.
    i16::from_be_bytes([answer[9], answer[10]])
}
