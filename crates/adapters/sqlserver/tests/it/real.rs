//! The real server that the environment names.

use std::io::Write as _;
use std::sync::Once;

use settings::{ExposeSecret as _, Reader};
use sqlserver::SqlServerConfig;
use tiberius::{AuthMethod, Client, Config, ToSql};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt as _};
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

/// Runs a statement as another program would.
pub async fn execute(config: &SqlServerConfig, sql: &str, parameters: &[&dyn ToSql]) {
    let changed = connect(config).await.execute(sql, parameters).await.unwrap().total();
    assert_eq!(changed, 1, "{sql}");
}

/// The number of the error with which the server refuses a statement.
pub async fn refused(config: &SqlServerConfig, sql: &str) -> Option<u32> {
    connect(config).await.execute(sql, &[]).await.err().and_then(|error| error.code())
}

async fn connect(config: &SqlServerConfig) -> Client<Compat<TcpStream>> {
    let mut driver = Config::new();
    driver.host(&config.server);
    driver.port(config.port);
    driver.database(&config.database);
    driver.authentication(AuthMethod::sql_server(&config.user, config.password.expose_secret()));
    driver.trust_cert();
    let stream = TcpStream::connect(driver.get_addr()).await.unwrap();
    Client::connect(driver, stream.compat_write()).await.unwrap()
}
