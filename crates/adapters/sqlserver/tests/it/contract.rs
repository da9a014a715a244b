//! The contract of every store, on a real server.

use sqlserver::{SqlServer, SqlServerConfig, migrate};
use tokio::sync::OnceCell;

/// One database for all cases of a run; each case connects by itself, because each has a runtime of its own.
static DATABASE: OnceCell<Option<SqlServerConfig>> = OnceCell::const_new();

async fn store() -> Option<SqlServer> {
    let config = DATABASE.get_or_init(|| async {
        let config = crate::real::server()?;
        migrate(&config).await.unwrap();
        Some(config)
    });
    config.await.clone().map(SqlServer::new)
}

testkit::store_contract!(store);
