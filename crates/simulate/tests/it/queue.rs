//! What every dead letter queue does, on the simulated one.

use simulate::Terms;
use simulate::queue::SimQueue;
use simulate::world::World;

async fn queue() -> Option<SimQueue> {
    Some(SimQueue::new(&World::calm(&Terms::default()), "case"))
}

testkit::dlq_contract!(queue);
