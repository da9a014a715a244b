//! What `MSSQL_CONNECTION_STRING` says in place of the single variables, and what is told where both say something.

use settings::{ExposeSecret, Reader};

use crate::connection_string::Given;

pub(super) const CONNECTION_STRING: &str = "MSSQL_CONNECTION_STRING";
pub(super) const ANOTHER: &str = "is not what MSSQL_CONNECTION_STRING says: set it in one of them";
/// What is shown of a variable that the connection string says.
pub(super) const GIVEN: &str = "as MSSQL_CONNECTION_STRING says";

/// What the environment says in one string, with its problems noted.
pub(super) fn connection_string(env: &mut Reader) -> Given {
    let help = "Connection string as ADO.NET, ODBC or JDBC write it, in place of the variables that it covers; a secret as a whole.";
    let Some(text) = env.secret(CONNECTION_STRING, help) else { return Given::default() };
    let (given, problems) = crate::connection_string::read(text.expose_secret());
    problems.into_iter().for_each(|problem| env.problem(CONNECTION_STRING, problem));
    given
}

/// A setting that two may say: its own variable and the connection string.
pub(super) fn one_of<T: PartialEq>(env: &mut Reader, name: &'static str, own: T, given: Option<T>) -> T {
    let Some(given) = given else { return own };
    if env.is_set(name) && given != own {
        env.problem(name, ANOTHER);
    }
    env.show(name, GIVEN.to_owned());
    given
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::super::tests::read;
    use super::super::{Encryption, SqlServerConfig};
    use super::*;

    const STRING: &str = "Server=tcp:db,1450;Initial Catalog=orders;User ID=ada;Password=hunter2;Encrypt=Strict;HostNameInCertificate=sql.example.com;\
                          Connect Timeout=30;Command Timeout=60;Max Pool Size=20;Application Name=etl";

    #[test]
    fn a_connection_string_stands_in_for_the_variables_that_it_covers() {
        let (config, problems) = read(&[(CONNECTION_STRING, STRING), ("MSSQL_LOCK_TIMEOUT", "7s")]);
        assert_eq!(problems, "");
        assert_eq!((config.address().as_str(), config.database.as_str(), config.user.as_str()), ("db:1450", "orders", "ada"));
        assert_eq!((config.password.expose_secret(), config.encryption), ("hunter2", Encryption::Strict));
        assert_eq!((config.host_name_in_certificate.as_deref(), config.application_name.as_str()), (Some("sql.example.com"), "etl"));
        let seconds = Duration::from_secs;
        assert_eq!((config.connect_timeout, config.command_timeout, config.lock_timeout), (seconds(30), seconds(60), seconds(7)));
        assert_eq!(config.pool_size, 20);
        // What is left out is left to its variable, and what says the same is no conflict.
        let (config, problems) =
            read(&[(CONNECTION_STRING, "Server=db;UID=ada"), ("MSSQL_PASSWORD", "x"), ("MSSQL_PORT", "1450"), ("MSSQL_SERVER", "tcp:db")]);
        assert_eq!((config.address().as_str(), problems.as_str()), ("db:1450", ""));
    }

    #[test]
    fn a_variable_that_says_otherwise_than_the_connection_string_is_a_problem() {
        for (name, value) in [
            ("MSSQL_SERVER", "other"),
            ("MSSQL_PORT", "1433"),
            ("MSSQL_USER", "bob"),
            ("MSSQL_PASSWORD", "hunter3"),
            ("MSSQL_DATABASE", "eventdb"),
            ("MSSQL_ENCRYPT", "on"),
            ("MSSQL_HOST_NAME_IN_CERTIFICATE", "db"),
            ("MSSQL_POOL_SIZE", "8"),
            ("MSSQL_CONNECT_TIMEOUT", "10s"),
            ("MSSQL_COMMAND_TIMEOUT", "30s"),
        ] {
            let (_, problems) = read(&[(CONNECTION_STRING, STRING), (name, value)]);
            assert!(problems.starts_with("a setting is wrong:") && problems.contains(&format!("{name} is ")), "{name}: {problems}");
            assert!(problems.contains("set it in one of them") && !problems.contains("hunter"), "{name}: {problems}");
        }
    }

    #[test]
    fn what_is_shown_of_a_variable_is_what_holds() {
        let mut env = Reader::from_pairs([(CONNECTION_STRING, STRING)]);
        SqlServerConfig::read(&mut env);
        let shown: BTreeMap<_, _> = env.shown().into_iter().collect();
        assert_eq!((shown["MSSQL_SERVER"].as_str(), shown["MSSQL_PORT"].as_str()), (GIVEN, "1450"));
        assert_eq!((shown[CONNECTION_STRING].as_str(), shown["MSSQL_USER"].as_str()), ("********", GIVEN));
        assert!(!format!("{shown:?}").contains("ada"));
    }
}
