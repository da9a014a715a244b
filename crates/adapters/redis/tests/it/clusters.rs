//! The queue on a Redis Cluster of real nodes.

use std::sync::{Arc, Weak};
use std::time::Duration;

use pipeline::ports::{ClaimQueue as _, DeadLetterQueue as _, DeadLetterReader as _, End, FloodPermits as _, Permit};
use pipeline::{DeadLetter, FaultClass};
use redis_dlq::{RedisConfig, RedisDlq};
use testkit::builders::unique;
use tokio::sync::Mutex;

use crate::contract::Placed;
use crate::place::{Place, dead_letters, word};
use crate::server::free_port;

/// A bound for what the nodes agree upon. It takes seconds; but two replicas may split the votes, and try again after four times their timeout.
pub const AGREED: Duration = Duration::from_secs(240);
const SLOTS: usize = 16_384;

/// Three masters that share the slots, and replicas of the one that owns a list.
pub struct Cluster {
    pub nodes: Vec<Place>,
}

impl Cluster {
    /// Starts it with replicas of these nodes, counted from the one that owns this list.
    pub async fn start(list: &str, replicas: &[usize]) -> Option<Self> {
        let mut buses = Vec::new();
        let nodes = (0..3 + replicas.len()).map(|_| {
            let bus = free_port().to_string();
            let node = Place::own(
                &[
                    &["--cluster-enabled", "yes", "--cluster-port", &bus][..],
                    // Longer than a busy machine lets a process wait: what it takes for dead would be replaced while it writes.
                    &["--cluster-node-timeout", "3000", "--repl-diskless-sync-delay", "0"],
                    // Two replicas whose votes were split a few times would both count as too old then, and nobody ever takes over.
                    &["--cluster-replica-validity-factor", "0"],
                ]
                .concat(),
            );
            buses.push(bus);
            node
        });
        let cluster = Self { nodes: nodes.collect::<Option<_>>()? };
        let [first, others @ ..] = cluster.nodes.as_slice() else { unreachable!() };
        for (number, node) in cluster.nodes.iter().enumerate().take(3) {
            let (from, to) = (number * SLOTS / 3, (number + 1) * SLOTS / 3 - 1);
            let _: () = node.run(&format!("CLUSTER ADDSLOTSRANGE {from} {to}")).await;
            // Each its own, or they would have to find out who is right.
            let _: () = node.run(&format!("CLUSTER SET-CONFIG-EPOCH {}", number + 1)).await;
        }
        for (node, bus) in others.iter().zip(&buses[1..]) {
            let _: () = first.run(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", node.config.port)).await;
        }
        cluster.agrees().await;
        let owner = cluster.owner(list).await;
        for (replica, of) in cluster.nodes[3..].iter().zip(replicas) {
            let master = cluster.id((owner + of) % 3).await;
            let _: () = replica.run(&format!("CLUSTER REPLICATE {master}")).await;
            testkit::eventually(AGREED, "the replica follows", async || {
                replica.run::<String>("INFO replication").await.contains("master_link_status:up")
            })
            .await;
        }
        Some(cluster)
    }

    async fn agrees(&self) {
        let known = format!("cluster_known_nodes:{}\r", self.nodes.len());
        testkit::eventually(AGREED, "the nodes agree", async || {
            for node in &self.nodes {
                let info: String = node.run("CLUSTER INFO").await;
                if !info.contains("cluster_state:ok") || !info.contains(&known) {
                    return false;
                }
            }
            true
        })
        .await;
    }

    /// Which of the first three owned this list when the cluster was made.
    pub async fn owner(&self, list: &str) -> usize {
        let slot: usize = self.nodes[0].run(&format!("CLUSTER KEYSLOT {list}")).await;
        (0..3).find(|number| slot < (number + 1) * SLOTS / 3).unwrap()
    }

    pub async fn id(&self, node: usize) -> String {
        self.nodes[node].run("CLUSTER MYID").await
    }

    /// The queue that is told of this node.
    pub fn queue(&self, node: usize, list: &str, wait_replicas: u8) -> RedisDlq {
        let timeout = Duration::from_secs(4);
        RedisDlq::new(&RedisConfig { list: list.to_owned(), wait_replicas, timeout, ..self.nodes[node].config.clone() }).unwrap()
    }
}

/// One for all cases of the contract that run at the same time.
static SHARED: Mutex<Weak<Cluster>> = Mutex::const_new(Weak::new());

async fn placed() -> Option<Placed> {
    let mut shared = SHARED.lock().await;
    let cluster = match shared.upgrade() {
        Some(cluster) => cluster,
        None => Arc::new(Cluster::start("any", &[]).await?),
    };
    *shared = Arc::downgrade(&cluster);
    // Most lists lie on another node than the one that is configured.
    Some(Placed::new(cluster.queue(0, &unique("dlq-test"), 0), cluster))
}

testkit::dlq_contract!(placed);

/// Pushes as the consumer does: the same again until it is acknowledged.
pub async fn push(queue: &RedisDlq, dead_letters: &[DeadLetter]) {
    testkit::eventually(AGREED, "acknowledged", async || match queue.push(dead_letters).await {
        Ok(_) => true,
        Err(fault) => {
            assert!(matches!(fault.class, FaultClass::Unavailable { .. }), "it comes back by itself: {fault}");
            false
        }
    })
    .await;
}

pub async fn assert_each_once(queue: &RedisDlq, dead_letters: &[DeadLetter]) {
    let mut listed = Vec::new();
    loop {
        let page = queue.page(End::Oldest, listed.len() as u64, 500).await.unwrap();
        if page.is_empty() {
            break;
        }
        listed.extend(page);
    }
    let mut pushed: Vec<_> = dead_letters.iter().map(|dead_letter| dead_letter.json.clone()).collect();
    listed.sort_unstable();
    pushed.sort_unstable();
    assert!(listed == pushed, "each is there once: {} of {}", listed.len(), pushed.len());
}

#[tokio::test]
async fn the_default_name_works_whichever_node_is_named_and_check_tries_what_a_push_uses() {
    let list = "dlq:events";
    let Some(cluster) = Cluster::start(list, &[]).await else { return };
    for node in 0..3 {
        let queue = cluster.queue(node, list, 0);
        assert_eq!(queue.writable().await, Ok(()));
        assert_eq!(queue.push(&dead_letters(1)).await, Ok(1));
        queue.permit(Permit::Records(1)).await.unwrap();
        let entries = queue.page(End::Oldest, 0, 1).await.unwrap();
        assert_eq!(queue.claim(&entries, Duration::ZERO).await.unwrap().len(), 1);
        assert_eq!(queue.give_back_overdue().await, Ok(1));
        assert_eq!((queue.depth().await, queue.spend(2).await), (Ok(node as u64 + 1), Ok(1)));
        assert_eq!(queue.inspect().await.unwrap().list_type, "list");
    }
    let owner = &cluster.nodes[cluster.owner(list).await];
    let mut keys: Vec<String> = owner.run("KEYS *").await;
    keys.sort_unstable();
    assert_eq!(keys, ["dlq:events", "{dlq:events}:moves", "{dlq:events}:permit", "{dlq:events}:seen"]);

    // The one kind of name that cannot be a tag.
    let queue = cluster.queue(0, "a}b", 0);
    for fault in [queue.writable().await.unwrap_err(), queue.push(&dead_letters(1)).await.unwrap_err()] {
        assert_eq!((fault.class, word(&fault)), (FaultClass::Operator, "CROSSSLOT"));
    }
}

#[tokio::test]
async fn a_flood_goes_on_while_nodes_are_lost_and_loses_and_doubles_nothing() {
    let list = "dlq:events";
    // Two replicas of the owner, since one must be there to acknowledge when the other has taken over; one of the node that is configured.
    let Some(mut cluster) = Cluster::start(list, &[0, 0, 1]).await else { return };
    let owner = cluster.owner(list).await;
    let configured = (owner + 1) % 3;
    let queue = cluster.queue(configured, list, 1);
    let dead_letters = dead_letters(3000);
    for (number, some) in dead_letters.chunks(100).enumerate() {
        match number {
            10 => {
                cluster.nodes[configured].server().kill();
                let replica = &cluster.nodes[5];
                testkit::eventually(AGREED, "its replica has taken over", async || {
                    let nodes: String = replica.run("CLUSTER NODES").await;
                    nodes.lines().any(|line| line.contains("myself,master"))
                        && replica.run::<String>("CLUSTER INFO").await.contains("state:ok")
                })
                .await;
            }
            // Neither it nor the one that is configured is there now.
            20 => {
                let both = cluster.queue(owner, list, 2);
                testkit::eventually(AGREED, "either replica may take over", async || both.replicas().await == Ok(Some(2))).await;
                cluster.nodes[owner].server().kill();
            }
            _ => {}
        }
        push(&queue, some).await;
    }
    assert_each_once(&queue, &dead_letters).await;
    // One that only knows a node that is gone does not find the others.
    let fault = cluster.queue(configured, list, 1).push(&dead_letters[..1]).await.unwrap_err();
    assert_eq!((fault.class, fault.subject), (FaultClass::Unavailable { timed_out: false }, pipeline::fault::REFUSED));
}
