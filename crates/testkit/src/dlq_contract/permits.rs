//! What is permitted of a flood.

use pipeline::ports::Permit;

use super::Queue;

pub async fn a_flood_passes_as_far_as_it_is_permitted<Q: Queue>(queue: &Q) {
    let spend = async |records| queue.spend(records).await.expect("the queue knows its permit");
    assert!(!spend(1).await, "nothing is permitted at first");
    queue.permit(Permit::Records(150)).await.unwrap();
    assert!(spend(100).await);
    assert!(spend(100).await, "the rest lets a whole batch through");
    assert!(!spend(1).await);
    queue.permit(Permit::Everything).await.unwrap();
    for _ in 0..3 {
        assert!(spend(1_000_000).await);
    }
    queue.permit(Permit::Nothing).await.unwrap();
    assert!(!spend(1).await);
}
