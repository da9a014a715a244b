//! SQL Server: login, encryption, schema, rights, set-up.

use std::time::Duration;

use pipeline::fault::{Dependency, Fault};
use pipeline::ports::ParkingExpiry as _;
use sqlserver::{DatabaseFacts, Encryption, LEAST_COMPATIBILITY_LEVEL, SchemaState, SqlServer, SqlServerConfig};

use crate::{Finding, Reading, bounded, clock, since_1970, with_addresses};

const PART: &str = "database";
const LOGIN: &str = Finding::LOGIN;

/// The server's number for a database that is not there, or not open.
const NO_DATABASE: i64 = 4060;

/// What a program does with the database, by which its rights are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It writes events.
    Consumer,
    /// It reads what was written, also from a secondary replica.
    Api,
}

impl Role {
    /// Its role in `migrations/roles.sql`.
    const fn name(self) -> &'static str {
        match self {
            Self::Consumer => "event_pipeline_consumer",
            Self::Api => "event_pipeline_api",
        }
    }
}

/// Asks the database at all that can be known without writing, and assesses it; whether it answered stands first.
pub async fn ask_database(database: &SqlServer, config: &SqlServerConfig, role: Role) -> (bool, Vec<Finding>) {
    let facts = bounded(Dependency::Database, "inspect", async {
        match role {
            Role::Consumer => database.inspect().await,
            Role::Api => database.inspect_reads().await,
        }
    });
    let schema = bounded(Dependency::Database, "schema", sqlserver::schema(config));
    let time = bounded(Dependency::Database, "now", async {
        // The first statement opens a connection, which takes its time.
        database.now().await?;
        let asked = since_1970();
        let theirs = Duration::from_micros(database.now().await?.unix_micros().try_into().unwrap_or_default());
        Ok(Reading { asked, theirs, answered: since_1970() })
    });
    let (facts, version, time) = tokio::join!(facts, schema, time);
    let mut findings = assess(config, role, facts.as_ref());
    if facts.is_err() {
        findings = with_addresses(findings, sqlserver::tried_addresses().as_deref());
    } else {
        findings.push(self::schema(version.as_ref().copied()));
        findings.extend(time.map(|reading| clock(PART, reading)));
    }
    (facts.is_ok(), findings)
}

/// Assesses what the database says of itself.
fn assess(config: &SqlServerConfig, role: Role, answer: Result<&DatabaseFacts, &Fault>) -> Vec<Finding> {
    let reached = Finding::ok(PART, LOGIN, format!("{} answers, database {}", config.address(), config.database));
    match answer {
        Ok(facts) => [reached, encryption(config), rights(role, facts)]
            .into_iter()
            .chain(row_versions(config, facts))
            .chain(set_up(config, role, facts))
            .collect(),
        Err(fault) if fault.code == Some(NO_DATABASE) => {
            let advice = "run `consumer migrate`, which creates it, or check MSSQL_DATABASE";
            vec![
                encryption(config),
                Finding::fail(PART, LOGIN, format!("the server answers, {} cannot be opened", config.database), advice),
            ]
        }
        Err(fault) => {
            let advice = match role {
                Role::Consumer => {
                    "check MSSQL_SERVER, MSSQL_PORT, MSSQL_USER, MSSQL_PASSWORD (or MSSQL_CONNECTION_STRING), and MSSQL_ENCRYPT with the server's certificate"
                }
                Role::Api => {
                    "check API_MSSQL_SERVER or MSSQL_SERVER, MSSQL_PORT, MSSQL_USER, MSSQL_PASSWORD (or MSSQL_CONNECTION_STRING), and MSSQL_ENCRYPT with the server's certificate"
                }
            };
            vec![Finding::fault(PART, LOGIN, fault, advice)]
        }
    }
}

/// Assesses the version of the schema.
fn schema(answer: Result<SchemaState, &Fault>) -> Finding {
    let check = "schema";
    match answer {
        Ok(SchemaState::Current) => Finding::ok(PART, check, "the one that this program needs"),
        Ok(state @ SchemaState::Newer { .. }) => Finding::warn(PART, check, state.to_string(), "upgrade this program"),
        Ok(state @ (SchemaState::Missing | SchemaState::Older { .. })) => {
            Finding::fail(PART, check, state.to_string(), "run `consumer migrate`")
        }
        Err(fault) => Finding::fault(PART, check, fault, "give the login the right SELECT on dbo.schema_migrations"),
    }
}

fn encryption(config: &SqlServerConfig) -> Finding {
    let check = "encryption";
    match (config.encryption, config.trust_server_certificate) {
        (Encryption::On | Encryption::Strict, false) => Finding::ok(PART, check, "on, the certificate is checked"),
        (Encryption::On | Encryption::Strict, true) => {
            let advice = "anyone between can pose as the server: set MSSQL_CA_FILE instead of MSSQL_TRUST_SERVER_CERTIFICATE";
            Finding::warn(PART, check, "on, any certificate is accepted", advice)
        }
        (Encryption::Login, _) => Finding::warn(PART, check, "of the login only", "rows travel in the clear: set MSSQL_ENCRYPT=on"),
        (Encryption::Off, _) => Finding::warn(PART, check, "off", "password and rows travel in the clear: set MSSQL_ENCRYPT=on"),
    }
}

fn rights(role: Role, facts: &DatabaseFacts) -> Finding {
    let check = "tables and rights";
    if !facts.missing_tables.is_empty() {
        let found = format!("not there, or not to be seen by this login: {}", facts.missing_tables.join(", "));
        return Finding::fail(PART, check, found, "run `consumer migrate`, or give the login rights on these tables");
    }
    if !facts.missing_rights.is_empty() {
        let found = format!("missing: {}", facts.missing_rights.join(", "));
        let advice = format!("run migrations/roles.sql, and put the login's user into {}", role.name());
        return Finding::fail(PART, check, found, advice);
    }
    Finding::ok(PART, check, "all that are needed")
}

fn row_versions(config: &SqlServerConfig, facts: &DatabaseFacts) -> Option<Finding> {
    let check = "READ_COMMITTED_SNAPSHOT";
    if facts.row_versions {
        return Some(Finding::ok(PART, check, "on"));
    }
    if facts.read_only {
        // A readable secondary gives row versions always, and nothing can be set there.
        return None;
    }
    let statement = format!("ALTER DATABASE [{}] SET READ_COMMITTED_SNAPSHOT ON WITH ROLLBACK IMMEDIATE", config.database);
    Some(Finding::warn(PART, check, "off", format!("readers wait for writers; in a quiet moment: {statement}")))
}

/// What is said only where there is something to say.
fn set_up(config: &SqlServerConfig, role: Role, facts: &DatabaseFacts) -> impl Iterator<Item = Finding> {
    let level = facts.compatibility_level;
    let too_old = (role == Role::Consumer && level < LEAST_COMPATIBILITY_LEVEL).then(|| {
        let advice = format!("ALTER DATABASE … SET COMPATIBILITY_LEVEL = {LEAST_COMPATIBILITY_LEVEL}, or higher");
        Finding::fail(PART, "compatibility level", format!("{level}, which does not know OPENJSON"), advice)
    });
    replica(config, role, facts).into_iter().chain(too_old).chain(too_many_rights(role, facts))
}

/// Whether the replica is one that fits: the primary for whoever writes.
fn replica(config: &SqlServerConfig, role: Role, facts: &DatabaseFacts) -> Option<Finding> {
    match (role, facts.read_only) {
        (Role::Consumer, true) => {
            let advice = "use the primary replica, or ALTER DATABASE … SET READ_WRITE";
            Some(Finding::fail(PART, "writes", "the database is read-only", advice))
        }
        (Role::Api, true) => Some(Finding::ok(PART, "replica", "read-only: what it has may be older than what the primary has")),
        (Role::Api, false) if config.read_only_intent => {
            let advice = "name the availability group's listener in API_MSSQL_SERVER, and give the primary a READ_ONLY_ROUTING_LIST";
            Some(Finding::warn(PART, "replica", "the primary answers, although API_MSSQL_APPLICATION_INTENT is ReadOnly", advice))
        }
        _ => None,
    }
}

fn too_many_rights(role: Role, facts: &DatabaseFacts) -> Option<Finding> {
    let found = match (facts.server_admin, facts.database_owner) {
        (true, _) => "the login is a member of sysadmin: it may do anything on this server".to_owned(),
        (false, true) => "the login is a member of db_owner: it may do anything in this database, and change the audit log".to_owned(),
        (false, false) if facts.needless_rights.is_empty() => return None,
        (false, false) => format!("the login has rights that this program does not need: {}", facts.needless_rights.join(", ")),
    };
    let advice = format!("set MSSQL_USER to a login of its own, whose user has no role but {} (migrations/roles.sql)", role.name());
    Some(Finding::warn(PART, "least privilege", found, advice))
}

#[cfg(test)]
mod tests {
    use pipeline::{Dependency, FaultClass};
    use settings::Reader;

    use super::*;
    use crate::State;

    fn config(pairs: &[(&str, &str)]) -> SqlServerConfig {
        SqlServerConfig::read(&mut Reader::from_pairs(pairs.iter().copied()))
    }

    fn troubles(pairs: &[(&str, &str)], change: impl FnOnce(&mut DatabaseFacts)) -> Vec<(&'static str, State)> {
        troubles_of(Role::Consumer, &config(pairs), change)
    }

    fn troubles_of(role: Role, config: &SqlServerConfig, change: impl FnOnce(&mut DatabaseFacts)) -> Vec<(&'static str, State)> {
        let mut facts = DatabaseFacts { row_versions: true, compatibility_level: 160, ..DatabaseFacts::default() };
        change(&mut facts);
        let findings = assess(config, role, Ok(&facts));
        findings.into_iter().filter(|finding| finding.state != State::Ok).map(|finding| (finding.check, finding.state)).collect()
    }

    #[test]
    fn each_weakness_of_a_database_is_one_finding() {
        assert_eq!(troubles(&[], |_| {}), []);
        for (variable, value) in [("MSSQL_ENCRYPT", "off"), ("MSSQL_ENCRYPT", "login"), ("MSSQL_TRUST_SERVER_CERTIFICATE", "true")] {
            assert_eq!(troubles(&[(variable, value)], |_| {}), [("encryption", State::Warn)], "{variable}={value}");
        }
        assert_eq!(troubles(&[], |facts| facts.missing_tables = vec!["dbo.users".to_owned()]), [("tables and rights", State::Fail)]);
        assert_eq!(
            troubles(&[], |facts| facts.missing_rights = vec!["INSERT on dbo.users".to_owned()]),
            [("tables and rights", State::Fail)]
        );
        assert_eq!(troubles(&[], |facts| facts.row_versions = false), [("READ_COMMITTED_SNAPSHOT", State::Warn)]);
        assert_eq!(troubles(&[], |facts| facts.read_only = true), [("writes", State::Fail)]);
        assert_eq!(troubles(&[], |facts| facts.server_admin = true), [("least privilege", State::Warn)]);
        assert_eq!(troubles(&[], |facts| facts.database_owner = true), [("least privilege", State::Warn)]);
        assert_eq!(
            troubles(&[], |facts| facts.needless_rights = vec!["ALTER on schema dbo".to_owned()]),
            [("least privilege", State::Warn)]
        );
        assert_eq!(troubles(&[], |facts| facts.compatibility_level = 120), [("compatibility level", State::Fail)]);
    }

    #[test]
    fn who_only_reads_may_meet_a_replica_and_needs_its_own_role() {
        let config = |intent| SqlServerConfig { read_only_intent: intent, ..config(&[]) };
        let replica = |facts: &mut DatabaseFacts| (facts.read_only, facts.row_versions, facts.compatibility_level) = (true, false, 120);
        assert_eq!(troubles_of(Role::Api, &config(true), replica), []);
        assert_eq!(troubles_of(Role::Api, &config(true), |_| {}), [("replica", State::Warn)]);
        assert_eq!(troubles_of(Role::Api, &config(false), |_| {}), []);
        let facts =
            DatabaseFacts { missing_rights: vec!["SELECT on dbo.users".to_owned()], server_admin: true, ..DatabaseFacts::default() };
        let advice: Vec<_> = assess(&config(false), Role::Api, Ok(&facts)).into_iter().filter_map(|finding| finding.advice).collect();
        assert_eq!(advice.iter().filter(|advice| advice.contains("event_pipeline_api")).count(), 2, "{advice:?}");
    }

    #[test]
    fn a_missing_database_is_told_from_a_refused_login() {
        let fault = |code, class| Fault { dependency: Dependency::Database, class, code: Some(code), subject: "connect" };
        let advice = |fault: &Fault| assess(&config(&[]), Role::Consumer, Err(fault)).pop().unwrap().advice.unwrap();
        assert!(advice(&fault(4060, FaultClass::Unavailable { timed_out: false })).contains("consumer migrate"));
        assert!(advice(&fault(18456, FaultClass::Operator)).contains("MSSQL_PASSWORD"));
    }

    #[test]
    fn each_address_that_was_tried_is_told_with_the_login() {
        let subject = "no address: none takes a connection";
        let class = FaultClass::Unavailable { timed_out: false };
        let findings = assess(&config(&[]), Role::Consumer, Err(&Fault { dependency: Dependency::Database, class, code: None, subject }));
        let found =
            &with_addresses(findings, Some("10.0.0.4:1433 connection refused, 10.0.1.4:1433 no answer in time")).pop().unwrap().found;
        assert!(
            found.starts_with("the database") && found.ends_with(": 10.0.0.4:1433 connection refused, 10.0.1.4:1433 no answer in time")
        );
    }

    #[test]
    fn an_older_schema_fails_and_a_newer_one_is_a_warning() {
        assert_eq!(schema(Ok(SchemaState::Current)).state, State::Ok);
        assert_eq!(schema(Ok(SchemaState::Newer { found: 9, known: 2 })).state, State::Warn);
        for state in [SchemaState::Missing, SchemaState::Older { found: 1, needed: 2 }] {
            let finding = schema(Ok(state));
            assert_eq!((finding.state, finding.advice.as_deref()), (State::Fail, Some("run `consumer migrate`")));
        }
    }
}
