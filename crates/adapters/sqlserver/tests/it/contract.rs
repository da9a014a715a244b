//! The contract of every store, on a real server.

use sqlserver::{SqlServer, SqlServerConfig, migrate};
use tokio::sync::OnceCell;

/// One database for all cases of a run; each case connects by itself, because each has a runtime of its own.
static DATABASE: OnceCell<Option<SqlServerConfig>> = OnceCell::const_new();

async fn database() -> Option<SqlServerConfig> {
    let config = DATABASE.get_or_init(|| async {
        let config = crate::real::server()?;
        migrate(&config).await.unwrap();
        Some(config)
    });
    config.await.clone()
}

async fn store() -> Option<SqlServer> {
    database().await.map(SqlServer::new)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_something_unknown_is_left_alone() {
    let _company = testkit::store_contract::alone().await;
    let Some(config) = database().await else { return };
    let store = SqlServer::new(config.clone());
    let make_unknown = async |event: &pipeline::ParkedEvent, expired: bool| {
        let sql = "UPDATE dbo.parked_events SET waits_for_type = 200, expired = @P2 WHERE event_id = @P1";
        crate::real::execute(&config, sql, &[&event.event_id, &expired]).await;
    };
    testkit::store_contract::expiry::what_waits_for_something_unknown_is_left_alone(&store, make_unknown).await;
}

testkit::store_contract!(store);
testkit::operations_contract!(store);
testkit::compaction_contract!(store);
