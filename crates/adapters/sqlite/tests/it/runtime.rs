//! Runtimes of one thread and of several, and callers that meet.

use pipeline::Outcome;
use readmodel::ReadStore;
use rusqlite::Connection;
use sqlite::Sqlite;
use testkit::builders::{adjustment, id, order, unique, user};
use testkit::delivery::{Delivery, apply};

fn is_send<T: Send>(future: T) -> T {
    future
}

#[tokio::test(flavor = "current_thread")]
async fn a_runtime_of_one_thread_is_enough() {
    let store = Sqlite::temporary().unwrap();
    let (user_id, order_id) = (id(), id());
    let mut delivery = Delivery::new(&store);
    delivery.deliver(&[order(order_id, user_id), user(user_id)]).await;
    assert!(store.order(order_id).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_take_turns() {
    let store = Sqlite::temporary().unwrap();
    let sku = unique("sku");
    let callers: Vec<_> = (0..16)
        .map(|_| {
            let (store, sku) = (store.clone(), sku.clone());
            tokio::spawn(is_send(async move {
                for _ in 0..20 {
                    assert_eq!(apply(&store, &[adjustment(&sku, 1)]).await, [Outcome::Applied]);
                    assert!(store.inventory(&sku).await.unwrap().is_some());
                }
            }))
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(store.inventory(&sku).await.unwrap().unwrap().quantity, 16 * 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_go_on_while_a_batch_is_written() {
    let store = Sqlite::temporary().unwrap();
    let user_id = id();
    apply(&store, &[user(user_id)]).await;
    let writer = Connection::open(store.path()).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; UPDATE users SET first_name = 'unseen'").unwrap();
    assert_eq!(store.user(user_id).await.unwrap().unwrap().user.first_name, "Ada");
    writer.execute_batch("ROLLBACK").unwrap();
}
