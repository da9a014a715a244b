//! What may differ for the API, which only reads.

use settings::Reader;

use super::given::GIVEN;
use super::{DEFAULT_PORT, SqlServerConfig};
use crate::server::ServerName;

impl SqlServerConfig {
    /// What may differ for whoever only reads.
    pub(super) fn with_reads(mut self, env: &mut Reader) -> Self {
        const SERVER: &str = "API_MSSQL_SERVER";
        const INTENT: &str = "API_MSSQL_APPLICATION_INTENT";
        let help = "Another server than MSSQL_SERVER for what the API reads: a readable secondary replica; the same login and database.";
        if let Some(text) = env.optional(SERVER, help) {
            match ServerName::parse(&text) {
                Ok(name) => {
                    let port = if env.is_set("MSSQL_PORT") { self.port } else { DEFAULT_PORT };
                    (self.server, self.port, self.instance) = (name.host, name.port.unwrap_or(port), name.instance);
                }
                Err(problem) => {
                    env.problem(SERVER, problem);
                    env.hide(SERVER);
                }
            }
        }
        let choices = [("ReadWrite", false), ("ReadOnly", true)];
        let help =
            "ReadOnly says so at the API's login: an availability group's listener then sends it on to a readable secondary replica.";
        let given = self.read_only_intent;
        let intent = env.choice(INTENT, &choices, help);
        if env.is_set(INTENT) {
            self.read_only_intent = intent;
        } else if given {
            env.show(INTENT, GIVEN.to_owned());
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::super::given::CONNECTION_STRING;
    use super::*;

    #[test]
    fn who_writes_does_not_say_that_it_only_reads() {
        let string = (CONNECTION_STRING, "Server=db;Password=x;ApplicationIntent=ReadOnly");
        let mut env = Reader::from_pairs([string]);
        SqlServerConfig::read(&mut env);
        assert!(env.finish().unwrap_err().to_string().contains("MSSQL_CONNECTION_STRING has ApplicationIntent=ReadOnly"));
        let mut env = Reader::from_pairs([string]);
        assert!(SqlServerConfig::read_for_reads(&mut env).read_only_intent);
        assert!(env.finish().is_ok());
    }

    #[test]
    fn reads_may_go_to_another_server_with_another_intent() {
        let reads = |pairs: &[(&'static str, &'static str)]| {
            let mut env = Reader::from_pairs(pairs.iter().copied());
            let config = SqlServerConfig::read_for_reads(&mut env);
            let problems = env.finish().map_or_else(|problems| problems.to_string(), |_| String::new());
            (config.address(), config.read_only_intent, problems)
        };
        let base = [("MSSQL_PASSWORD", "x"), ("MSSQL_SERVER", "db,1450")];
        assert_eq!(reads(&base), ("db:1450".to_owned(), false, String::new()));
        let intent = ("API_MSSQL_APPLICATION_INTENT", "readonly");
        assert_eq!(reads(&[&base[..], &[intent]].concat()), ("db:1450".to_owned(), true, String::new()));
        for (server, address) in [("replica", "replica:1433"), ("replica,1451", "replica:1451"), ("replica\\R", "replica\\R")] {
            assert_eq!(reads(&[&base[..], &[("API_MSSQL_SERVER", server)]].concat()), (address.to_owned(), false, String::new()));
        }
        let with_port = [("MSSQL_PASSWORD", "x"), ("MSSQL_PORT", "1450"), ("API_MSSQL_SERVER", "replica")];
        assert_eq!(reads(&with_port).0, "replica:1450");
        let (_, _, problems) =
            reads(&[&base[..], &[("API_MSSQL_SERVER", "np:replica"), ("API_MSSQL_APPLICATION_INTENT", "maybe")]].concat());
        assert!(
            problems.contains("API_MSSQL_SERVER must be") && problems.contains("API_MSSQL_APPLICATION_INTENT must be one of"),
            "{problems}"
        );
        let given = [(CONNECTION_STRING, "Server=db;Password=x;ApplicationIntent=ReadOnly"), ("API_MSSQL_APPLICATION_INTENT", "ReadWrite")];
        assert_eq!(reads(&given), ("db:1433".to_owned(), false, String::new()));
    }
}
