//! `api check`: the settings, the port, and the database as the API reads it.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use check::{Finding, Role, ask_database, bounded};
use pipeline::fault::{Dependency, Fault, FaultClass};
use readmodel::{AsOf, ReadStore as _};
use settings::{Reader, span};
use sqlserver::{SqlServer, SqlServerConfig};
use telemetry::probe;
use tokio::net::TcpListener;

use crate::ApiConfig;

/// How long an API that holds the port may take to say so.
const PROBE: Duration = Duration::from_secs(3);
/// A consumer writes its heartbeat every two seconds: so much later, something is wrong with it or with the replica.
const OLD: Duration = Duration::from_secs(60);

struct Parts {
    address: SocketAddr,
    /// `None` where something of its settings is wrong, so that it cannot be asked.
    database: Option<SqlServerConfig>,
}

impl Parts {
    fn read(env: &mut Reader) -> Self {
        Self { address: ApiConfig::read(env).address, database: env.usable(SqlServerConfig::read_for_reads) }
    }
}

/// `api check`: 0 where nothing failed, 1 where something did, 2 for wrong settings.
pub fn check(json: bool) -> ExitCode {
    ::check::check(json, Parts::read, |_| Vec::new(), ask)
}

async fn ask(parts: &Parts) -> Vec<Finding> {
    let port = port(parts.address).await;
    let Some(config) = &parts.database else { return vec![port] };
    Dependency::Database.is(format!("at {}", config.address()));
    let database = SqlServer::new(config.clone());
    let (answers, mut findings) = ask_database(&database, config, Role::Api).await;
    if answers {
        let as_of = bounded(Dependency::Database, "as_of", async {
            let fault = |fault: readmodel::ReadFault| {
                let class = if fault.class == "unavailable" { UNAVAILABLE } else { FaultClass::Operator };
                Fault { dependency: Dependency::Database, class, code: fault.code, subject: "as_of" }
            };
            database.as_of().await.map_err(fault)
        });
        // What keeps it from being asked is told by the rights.
        findings.extend(as_of.await.map(age));
    }
    findings.push(port);
    findings
}

const UNAVAILABLE: FaultClass = FaultClass::Unavailable { timed_out: false };

/// Whether the API could listen there, or does.
async fn port(address: SocketAddr) -> Finding {
    let (part, check) = ("API", "port");
    match TcpListener::bind(address).await {
        Ok(_) => Finding::ok(part, check, format!("{address} is free: no API runs there")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let why = tokio::task::spawn_blocking(move || probe::why_not_live(address, PROBE)).await.ok().flatten();
            match why {
                None => Finding::ok(part, check, format!("an API answers at http://{address}")),
                Some(_) => {
                    let advice = "set API_PORT to a free one, or stop what listens there";
                    Finding::fail(part, check, format!("{address} is taken, and what listens there is no API that works"), advice)
                }
            }
        }
        Err(error) => {
            let advice =
                "set API_HOST to an address of this machine, such as 127.0.0.1 or 0.0.0.0, and API_PORT to one that this user may take";
            Finding::fail(part, check, format!("{address} cannot be listened on: {}", error.kind()), advice)
        }
    }
}

/// How old what is read is.
fn age(as_of: Option<AsOf>) -> Finding {
    let (part, check) = ("database", "age of the data");
    let Some(as_of) = as_of else { return Finding::ok(part, check, "no consumer has written here yet") };
    let age = as_of.age();
    // Of what is long ago, only the minutes say something.
    let seconds = if age < 2 * OLD { age.as_secs() } else { age.as_secs() / 60 * 60 };
    let found = format!("a consumer wrote here last {} ago", span::format(Duration::from_secs(seconds)));
    if age < OLD {
        return Finding::ok(part, check, found);
    }
    let advice = "no consumer works (see `consumer status`), or this is a secondary replica that is behind (look at its redo queue)";
    Finding::warn(part, check, found, advice)
}

#[cfg(test)]
mod tests {
    use check::State;
    use events::Timestamp;

    use super::*;

    #[tokio::test]
    async fn a_port_is_free_taken_by_something_else_or_not_to_be_had() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        assert_eq!(port(address).await.state, State::Ok);
        // It answers whoever asks by hanging up.
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        tokio::spawn(async move { while taken.accept().await.is_ok() {} });
        let finding = port(address).await;
        assert!(finding.state == State::Fail && finding.advice.unwrap().contains("API_PORT"));
        // Reserved for documentation: no machine has it.
        assert_eq!(port("192.0.2.1:80".parse().unwrap()).await.state, State::Fail);
    }

    #[test]
    fn data_that_nobody_has_touched_for_a_minute_is_a_warning() {
        let of = |seconds: i64| {
            let written_at = Timestamp::UNIX_EPOCH;
            age(Some(AsOf { written_at, now: written_at.plus_micros(seconds * 1_000_000) }))
        };
        assert_eq!((of(2).state, of(2).found.as_str()), (State::Ok, "a consumer wrote here last 2s ago"));
        assert_eq!(of(61).state, State::Warn);
        assert_eq!(age(None).state, State::Ok);
    }
}
