//! Three brokers that hold copies of each other's records, for cases that take some of them away.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::metadata::{Metadata, MetadataPartition};
use tempfile::TempDir;
use testkit::eventually;
use tokio::task::block_in_place;

use super::broker::{java, script};

/// How many copies of a record there are: one on each broker.
pub const COPIES: u16 = 3;
/// The brokers' ids, which are the names of their folders.
pub const NODES: [i32; COPIES as usize] = [1, 2, 3];
/// Where groups keep their offsets, in so many partitions.
const OFFSETS: (&str, i32) = ("__consumer_offsets", 5);
/// How long a broker that was killed may hold its port.
const END: Duration = Duration::from_secs(20);
/// How long a broker that is back may take to get what it lacks, and to lead again.
const CATCH_UP: Duration = Duration::from_secs(120);
/// How long one look at the cluster may take.
const LOOK: Duration = Duration::from_secs(5);

static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());

/// Shared by all cases that are running or wait for their turn: starting it takes long. Ends with the last of them.
pub struct Cluster {
    folder: TempDir,
    started: OnceLock<(String, BaseConsumer)>,
}

impl Cluster {
    /// Takes a share in it before the case's turn, so that it does not end in between; without Java it says that the case did not run.
    pub fn share() -> Option<Arc<Self>> {
        if !java() {
            return None;
        }
        let mut shared = SHARED.lock().unwrap();
        Some(shared.upgrade().unwrap_or_else(|| {
            let cluster = Arc::new(Self { folder: tempfile::tempdir().unwrap(), started: OnceLock::new() });
            *shared = Arc::downgrade(&cluster);
            cluster
        }))
    }

    /// Their addresses, once all run and have all records. A case that failed may have left some of them away.
    pub async fn up(&self) -> &str {
        if !NODES.iter().all(|node| self.listens(*node)) {
            script("stop-cluster", self.folder.path().to_owned()).await;
            let brokers = script("start-cluster", self.folder.path().to_owned()).await;
            self.started.get_or_init(|| {
                let observer = ClientConfig::new().set("bootstrap.servers", &brokers).create().unwrap();
                (brokers, observer)
            });
        }
        self.until_in_sync().await;
        &self.started().0
    }

    /// SIGTERM, and waits for its end: it hands its partitions over first.
    pub async fn stop(&self, node: i32) {
        script("stop", self.home(node)).await;
    }

    /// SIGKILL, and waits until nobody listens any more.
    pub async fn kill(&self, node: i32) {
        let id = std::fs::read_to_string(self.home(node).join("pid")).unwrap();
        assert!(Command::new("kill").args(["-s", "KILL", id.trim()]).status().unwrap().success(), "it runs");
        eventually(END, "nobody listens on the broker's port", async || !self.listens(node)).await;
    }

    /// Throws away all that a broker has which does not run.
    pub fn empty(&self, node: i32) {
        std::fs::remove_dir_all(self.home(node).join("data")).unwrap();
    }

    /// Starts these again, side by side: each waits for a majority.
    pub async fn start_again(&self, nodes: &[i32]) {
        let starts: Vec<_> = nodes.iter().map(|node| tokio::spawn(script("start", self.home(*node)))).collect();
        for start in starts {
            start.await.unwrap();
        }
    }

    /// Waits until every broker has every record.
    pub async fn until_in_sync(&self) {
        let in_sync = |partition: &MetadataPartition| partition.leader() > 0 && partition.isr().len() == partition.replicas().len();
        self.until(in_sync, "every broker has every record").await;
    }

    /// Waits until each partition is led by the broker that was chosen for it, the first of its replicas.
    pub async fn until_balanced(&self) {
        self.until(|partition| partition.replicas().first() == Some(&partition.leader()), "each broker leads its partitions").await;
    }

    /// Who leads a partition.
    pub fn leader(&self, topic: &str, partition: i32) -> i32 {
        let metadata = self.look(Some(topic)).expect("a broker answers");
        let partitions = metadata.topics().first().expect("the topic is there").partitions();
        partitions.iter().find(|found| found.id() == partition).expect("the partition is there").leader()
    }

    /// Who keeps a group: the leader of the partition that its offsets are in.
    pub fn coordinator(&self, group: &str) -> i32 {
        // Java's hash of a text.
        let hash = group.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()));
        self.leader(OFFSETS.0, (hash & i32::MAX) % OFFSETS.1)
    }

    async fn until(&self, holds: impl Fn(&MetadataPartition) -> bool, what: &str) {
        eventually(CATCH_UP, what, async || {
            let Some(metadata) = self.look(None) else { return false };
            let mut partitions = metadata.topics().iter().flat_map(rdkafka::metadata::MetadataTopic::partitions);
            metadata.brokers().len() == NODES.len() && partitions.all(&holds)
        })
        .await;
    }

    /// `None` where nobody answers.
    fn look(&self, topic: Option<&str>) -> Option<Metadata> {
        block_in_place(|| self.started().1.fetch_metadata(topic, LOOK).ok())
    }

    fn started(&self) -> &(String, BaseConsumer) {
        self.started.get().expect("it was started")
    }

    fn listens(&self, node: i32) -> bool {
        let address = self.started.get().and_then(|(brokers, _)| brokers.split(',').nth(usize::try_from(node).unwrap() - 1));
        address.is_some_and(|address| TcpStream::connect(address).is_ok())
    }

    fn home(&self, node: i32) -> PathBuf {
        self.folder.path().join(node.to_string())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in NODES {
            // One may be away.
            if let Ok(id) = std::fs::read_to_string(self.home(node).join("pid")) {
                drop(Command::new("kill").args(["-s", "KILL", id.trim()]).stderr(std::process::Stdio::null()).status());
            }
        }
    }
}
