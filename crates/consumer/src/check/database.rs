//! SQL Server: login, encryption, schema, rights, set-up.

use pipeline::Fault;
use sqlserver::{DatabaseFacts, Encryption, LEAST_COMPATIBILITY_LEVEL, SchemaState, SqlServerConfig};

use super::Finding;

const PART: &str = "database";
const LOGIN: &str = "server and login";

/// The server's number for a database that is not there, or not open.
const NO_DATABASE: i64 = 4060;

/// Assesses what the database says of itself.
pub(crate) fn database(config: &SqlServerConfig, answer: Result<&DatabaseFacts, &Fault>) -> Vec<Finding> {
    let reached = Finding::ok(PART, LOGIN, format!("{} answers, database {}", config.address(), config.database));
    match answer {
        Ok(facts) => [reached, encryption(config), rights(facts), row_versions(config, facts)].into_iter().chain(set_up(facts)).collect(),
        Err(fault) if fault.code == Some(NO_DATABASE) => {
            let advice = "run `consumer migrate`, which creates it, or check MSSQL_DATABASE";
            vec![
                encryption(config),
                Finding::fail(PART, LOGIN, format!("the server answers, {} cannot be opened", config.database), advice),
            ]
        }
        Err(fault) => {
            let advice = "check MSSQL_SERVER, MSSQL_PORT, MSSQL_USER, MSSQL_PASSWORD (or MSSQL_CONNECTION_STRING), and MSSQL_ENCRYPT with the server's certificate";
            vec![Finding::fault(PART, LOGIN, fault, advice)]
        }
    }
}

/// Adds how each address failed, where the server's name has several, to what was found of them.
pub(crate) fn with_addresses(mut findings: Vec<Finding>, tried: Option<&str>) -> Vec<Finding> {
    let login = findings.iter_mut().find(|finding| finding.check == LOGIN);
    if let (Some(login), Some(tried)) = (login, tried) {
        login.found = format!("{}: {tried}", login.found);
    }
    findings
}

/// Assesses the version of the schema.
pub(crate) fn schema(answer: Result<SchemaState, &Fault>) -> Finding {
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

fn rights(facts: &DatabaseFacts) -> Finding {
    let check = "tables and rights";
    if !facts.missing_tables.is_empty() {
        let found = format!("not there, or not to be seen by this login: {}", facts.missing_tables.join(", "));
        return Finding::fail(PART, check, found, "run `consumer migrate`, or give the login rights on these tables");
    }
    if !facts.missing_rights.is_empty() {
        let found = format!("missing: {}", facts.missing_rights.join(", "));
        return Finding::fail(PART, check, found, "run migrations/roles.sql, and put the login's user into event_pipeline_consumer");
    }
    Finding::ok(PART, check, "all that are needed")
}

fn row_versions(config: &SqlServerConfig, facts: &DatabaseFacts) -> Finding {
    let check = "READ_COMMITTED_SNAPSHOT";
    if facts.row_versions {
        return Finding::ok(PART, check, "on");
    }
    let statement = format!("ALTER DATABASE [{}] SET READ_COMMITTED_SNAPSHOT ON WITH ROLLBACK IMMEDIATE", config.database);
    Finding::warn(PART, check, "off", format!("readers wait for writers; in a quiet moment: {statement}"))
}

/// What is said only where it is wrong.
fn set_up(facts: &DatabaseFacts) -> impl Iterator<Item = Finding> {
    let read_only = facts
        .read_only
        .then(|| Finding::fail(PART, "writes", "the database is read-only", "use the primary replica, or ALTER DATABASE … SET READ_WRITE"));
    let level = facts.compatibility_level;
    let too_old = (level < LEAST_COMPATIBILITY_LEVEL).then(|| {
        let advice = format!("ALTER DATABASE … SET COMPATIBILITY_LEVEL = {LEAST_COMPATIBILITY_LEVEL}, or higher");
        Finding::fail(PART, "compatibility level", format!("{level}, which does not know OPENJSON"), advice)
    });
    read_only.into_iter().chain(too_old).chain(too_many_rights(facts))
}

fn too_many_rights(facts: &DatabaseFacts) -> Option<Finding> {
    let role = match (facts.server_admin, facts.database_owner) {
        (true, _) => "sysadmin: it may do anything on this server",
        (false, true) => "db_owner: it may do anything in this database, and change the audit log",
        (false, false) => return None,
    };
    let advice = "set MSSQL_USER to a login of its own, whose user has no role but event_pipeline_consumer (migrations/roles.sql)";
    Some(Finding::warn(PART, "least privilege", format!("the login is a member of {role}"), advice))
}

#[cfg(test)]
mod tests {
    use pipeline::{Dependency, FaultClass};
    use settings::Reader;

    use super::super::State;
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> SqlServerConfig {
        SqlServerConfig::read(&mut Reader::from_pairs(pairs.iter().copied()))
    }

    fn troubles(pairs: &[(&str, &str)], change: impl FnOnce(&mut DatabaseFacts)) -> Vec<(&'static str, State)> {
        let mut facts = DatabaseFacts { row_versions: true, compatibility_level: 160, ..DatabaseFacts::default() };
        change(&mut facts);
        let findings = database(&config(pairs), Ok(&facts));
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
        assert_eq!(troubles(&[], |facts| facts.compatibility_level = 120), [("compatibility level", State::Fail)]);
    }

    #[test]
    fn a_missing_database_is_told_from_a_refused_login() {
        let fault = |code, class| Fault { dependency: Dependency::Database, class, code: Some(code), subject: "connect" };
        let advice = |fault: &Fault| database(&config(&[]), Err(fault)).pop().unwrap().advice.unwrap();
        assert!(advice(&fault(4060, FaultClass::Unavailable { timed_out: false })).contains("consumer migrate"));
        assert!(advice(&fault(18456, FaultClass::Operator)).contains("MSSQL_PASSWORD"));
    }

    #[test]
    fn each_address_that_was_tried_is_told_with_the_login() {
        let subject = "no address: none takes a connection";
        let class = FaultClass::Unavailable { timed_out: false };
        let findings = database(&config(&[]), Err(&Fault { dependency: Dependency::Database, class, code: None, subject }));
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
