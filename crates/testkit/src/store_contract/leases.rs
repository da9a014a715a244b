//! Who of several processes does what one is to do.

use std::time::Duration;

use uuid::Uuid;

use super::Database;
use crate::builders::{id, unique};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(86_400);

async fn take<S: Database>(store: &S, name: &str, holder: Uuid, duration: Duration) -> bool {
    store.take_lease(name, holder, duration).await.expect("the store knows leases")
}

pub async fn one_holder_at_a_time_has_a_lease<S: Database>(store: &S) {
    let (name, other, first, second) = (unique("lease"), unique("lease"), id(), id());
    assert!(take(store, &name, first, LONG).await);
    assert!(!take(store, &name, second, LONG).await);
    assert!(take(store, &name, first, LONG).await, "its holder prolongs it");
    assert!(take(store, &other, second, LONG).await, "another lease");
}

pub async fn a_lease_that_has_ended_is_anybodys<S: Database>(store: &S) {
    let (name, first, second) = (unique("lease"), id(), id());
    assert!(take(store, &name, first, Duration::ZERO).await);
    assert!(take(store, &name, second, LONG).await);
    assert!(!take(store, &name, first, LONG).await);
}

pub async fn a_lease_that_is_given_back_is_anybodys_and_only_its_holder_gives_it_back<S: Database>(store: &S) {
    let (name, first, second) = (unique("lease"), id(), id());
    assert!(take(store, &name, first, LONG).await);
    store.release_lease(&name, second).await.expect("the store knows leases");
    assert!(!take(store, &name, second, LONG).await);
    store.release_lease(&name, first).await.expect("the store knows leases");
    assert!(take(store, &name, second, LONG).await);
}
