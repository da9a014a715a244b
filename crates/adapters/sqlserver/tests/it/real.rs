//! The real server that the environment names.

use std::io::Write as _;
use std::sync::Once;

use settings::Reader;
use sqlserver::SqlServerConfig;
use uuid::Uuid;

/// The server, with a database name that nobody else has; `None`, once with a word on stderr, where none is configured.
pub fn server() -> Option<SqlServerConfig> {
    let mut env = Reader::from_environment().unwrap();
    if !env.is_set("MSSQL_SERVER") {
        static TOLD: Once = Once::new();
        // Past the test harness, which keeps what a passing test prints.
        TOLD.call_once(|| {
            let word = b"sqlserver: the tests on a real server did not run; MSSQL_SERVER switches them on
";
            std::io::stderr().write_all(word).unwrap();
        });
        return None;
    }
    let config = SqlServerConfig::read(&mut env);
    env.finish().unwrap();
    Some(SqlServerConfig { database: format!("event_pipeline_test_{}", Uuid::new_v4().simple()), ..config })
}
