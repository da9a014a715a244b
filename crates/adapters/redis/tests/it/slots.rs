//! The queue on a Redis Cluster while the slot of its list moves from one node to another.

use std::time::Duration;

use pipeline::FaultClass;
use pipeline::ports::{
    ClaimQueue as _, DeadLetterArchive as _, DeadLetterQueue as _, DeadLetterReader as _, End, FloodPermits as _, Permit,
};

use crate::clusters::{AGREED, Cluster, assert_each_once, push};
use crate::place::{Place, dead_letters, word};

const LIST: &str = "dlq:events";
const AWAY: FaultClass = FaultClass::Unavailable { timed_out: false };
const LEASE: Duration = Duration::from_secs(3600);

/// The move of the list's slot to the node after its owner, step by step, as `redis-cli --cluster reshard` does it.
struct Move<'c> {
    slot: u16,
    from: &'c Place,
    to: &'c Place,
}

impl<'c> Move<'c> {
    /// Nothing is moved yet: both know that it will be.
    async fn begin(cluster: &'c Cluster) -> Self {
        let owner = cluster.owner(LIST).await;
        let target = (owner + 1) % 3;
        let slot = cluster.nodes[0].run(&format!("CLUSTER KEYSLOT {LIST}")).await;
        let this = Self { slot, from: &cluster.nodes[owner], to: &cluster.nodes[target] };
        let _: () = this.to.run(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", cluster.id(owner).await)).await;
        let _: () = this.from.run(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", cluster.id(target).await)).await;
        this
    }

    /// What the first node still has of the slot.
    async fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.from.run(&format!("CLUSTER GETKEYSINSLOT {} 10", self.slot)).await;
        // The list first.
        keys.sort_unstable();
        keys
    }

    /// By itself, as a tool does it that does not know what belongs together.
    async fn key(&self, key: &str) {
        let moved: String = self.from.run(&format!("MIGRATE 127.0.0.1 {} {key} 0 5000", self.to.config.port)).await;
        assert_eq!(moved, "OK");
    }

    async fn end(self) {
        let id: String = self.to.run("CLUSTER MYID").await;
        for node in [self.to, self.from] {
            let _: () = node.run(&format!("CLUSTER SETSLOT {} NODE {id}", self.slot)).await;
        }
    }
}

#[tokio::test]
async fn what_lies_in_one_place_is_reached_and_what_is_divided_waits() {
    let Some(cluster) = Cluster::start(LIST, &[]).await else { return };
    // Told of the third node, which has nothing to do with the move.
    let queue = cluster.queue((cluster.owner(LIST).await + 2) % 3, LIST, 0);
    let dead_letters = dead_letters(6);
    let (mut pushed, mut claimed) = (2, Vec::new());
    assert_eq!(queue.push(&dead_letters[..2]).await, Ok(2));
    // So that each key is there.
    claimed.extend(queue.claim(&queue.page(End::Oldest, 0, 1).await.unwrap(), LEASE).await.unwrap());
    queue.permit(Permit::Records(9)).await.unwrap();

    let slot = Move::begin(&cluster).await;
    let keys = slot.keys().await;
    assert_eq!(keys, ["dlq:events", "{dlq:events}:claims", "{dlq:events}:moves", "{dlq:events}:permit", "{dlq:events}:seen"]);
    for (moved, key) in keys.iter().map(Some).chain([None]).enumerate() {
        // A listing and a permit need one key, wherever it is.
        let depth = (pushed - claimed.len()) as u64;
        assert_eq!(queue.depth().await, Ok(depth), "{moved} keys are moved");
        assert_eq!(queue.page(End::Oldest, 0, 10).await.unwrap().len() as u64, depth, "{moved} keys are moved");
        assert_eq!(queue.spend(1).await, Ok(1), "{moved} keys are moved");
        // A push needs the list and the identities, a claim all but the identities.
        let (push_divided, claim_divided) = ((1..5).contains(&moved), (1..3).contains(&moved));
        match queue.push(&dead_letters[..=pushed]).await {
            Ok(new) => {
                assert!(!push_divided && new == 1, "{moved} keys are moved: {new}");
                pushed += 1;
            }
            Err(fault) => assert!(push_divided && fault.class == AWAY && word(&fault) == "TRYAGAIN", "{moved} keys are moved: {fault}"),
        }
        let oldest = queue.page(End::Oldest, 0, 1).await.unwrap();
        match queue.claim(&oldest, LEASE).await {
            Ok(claims) => {
                assert!(!claim_divided && claims.iter().all(Option::is_some), "{moved} keys are moved: {claims:?}");
                // It goes back, so that there is something to claim the next time.
                assert_eq!(queue.give_back(&claims.into_iter().flatten().collect::<Vec<_>>()).await, Ok(1));
            }
            Err(fault) => assert!(claim_divided && fault.class == AWAY && word(&fault) == "TRYAGAIN", "{moved} keys are moved: {fault}"),
        }
        match key {
            Some(key) => slot.key(key).await,
            None => assert_eq!(pushed, 4, "before the first key was moved, and after the last"),
        }
    }
    slot.end().await;

    assert_eq!(queue.push(&dead_letters).await, Ok(2), "what was there is not there twice");
    assert_eq!(queue.give_back(&claimed.into_iter().flatten().collect::<Vec<_>>()).await, Ok(1));
    assert_each_once(&queue, &dead_letters).await;
}

/// A move that was left half done lasts until somebody ends it.
#[tokio::test]
async fn an_empty_queue_is_known_to_be_empty_while_its_slot_moves() {
    let Some(cluster) = Cluster::start(LIST, &[]).await else { return };
    let queue = cluster.queue(0, LIST, 0);
    let slot = Move::begin(&cluster).await;
    assert_eq!((queue.depth().await, queue.claimed().await, queue.spend(1).await), (Ok(0), Ok(0), Ok(0)));
    assert_eq!(queue.inspect().await.unwrap().list_type, "none");
    // Neither place has the keys, so neither takes two of them at once.
    let dead_letters = dead_letters(2);
    let fault = queue.push(&dead_letters).await.unwrap_err();
    assert_eq!((fault.class, word(&fault)), (AWAY, "TRYAGAIN"));
    // One at once is taken where the slot will be.
    queue.restore(&[dead_letters[0].json.clone()]).await.unwrap();
    assert_eq!((queue.depth().await, slot.keys().await.len()), (Ok(1), 0));
    slot.end().await;
    push(&queue, &dead_letters[1..]).await;
    assert_each_once(&queue, &dead_letters).await;
}

#[tokio::test]
async fn a_flood_follows_a_slot_that_moves_and_loses_and_doubles_nothing() {
    let Some(cluster) = Cluster::start(LIST, &[]).await else { return };
    let queue = cluster.queue((cluster.owner(LIST).await + 2) % 3, LIST, 0);
    let dead_letters = dead_letters(3000);
    let flood = async {
        for some in dead_letters.chunks(10) {
            push(&queue, some).await;
        }
    };
    let migration = async {
        testkit::eventually(AGREED, "the flood has begun", async || queue.depth().await.is_ok_and(|depth| depth >= 300)).await;
        let slot = Move::begin(&cluster).await;
        let keys = slot.keys().await;
        assert_eq!(keys.len(), 2);
        slot.key(&keys[0]).await;
        let fault = cluster.queue(0, LIST, 0).push(&dead_letters[..1]).await.unwrap_err();
        assert_eq!(fault.class, AWAY, "{fault}");
        slot.key(&keys[1]).await;
        let depth = queue.depth().await.unwrap();
        testkit::eventually(AGREED, "the flood goes on before the move has ended", async || {
            queue.depth().await.is_ok_and(|now| now > depth || now == 3000)
        })
        .await;
        let to = slot.to;
        slot.end().await;
        to
    };
    let ((), to) = tokio::join!(flood, migration);
    assert_each_once(&queue, &dead_letters).await;
    assert_eq!(to.run::<u64>(&format!("LLEN {LIST}")).await, 3000);
}
