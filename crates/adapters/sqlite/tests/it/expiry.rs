//! Rows of newer programs beside ours.

use pipeline::ParkedEvent;
use rusqlite::{Connection, params};
use sqlite::Sqlite;

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_something_unknown_is_left_alone() {
    let store = Sqlite::temporary().unwrap();
    let make_unknown = async |event: &ParkedEvent, expired: bool| {
        let file = Connection::open(store.path()).unwrap();
        let sql = "UPDATE parked_events SET waits_for_type = 200, expired = ?2 WHERE event_id = ?1";
        assert_eq!(file.execute(sql, params![event.event_id.as_bytes(), expired]).unwrap(), 1);
    };
    testkit::store_contract::expiry::what_waits_for_something_unknown_is_left_alone(&store, make_unknown).await;
}
