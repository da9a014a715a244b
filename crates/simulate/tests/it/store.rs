//! What every database does with a batch, on the simulated one.

use simulate::Terms;
use simulate::store::SimStore;
use simulate::world::World;

async fn store() -> Option<SimStore> {
    Some(SimStore::new(&World::calm(&Terms::default()), "case"))
}

testkit::store_contract!(store);
