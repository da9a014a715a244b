//! `MSSQL_CONNECTION_STRING`: what is configured elsewhere already, as ADO.NET, ODBC or JDBC write it.

mod keys;
mod syntax;

use std::time::Duration;

use settings::SecretString;

use self::keys::{Key, meaning};
use self::syntax::{Notation, parse};
use crate::config::{CONNECTION_STRING_METHODS, Encryption, Method};
use crate::server::ServerName;

/// What a connection string says; `None` is what it leaves to the other variables.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) server: Option<ServerName>,
    pub(crate) database: Option<String>,
    pub(crate) authentication: Option<Method>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<SecretString>,
    pub(crate) encryption: Option<Encryption>,
    pub(crate) trust_server_certificate: Option<bool>,
    pub(crate) host_name_in_certificate: Option<String>,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) command_timeout: Option<Duration>,
    pub(crate) pool_size: Option<usize>,
    pub(crate) read_only_intent: Option<bool>,
    pub(crate) application_name: Option<String>,
}

/// Reads a connection string. Every problem is one sentence to be put after the variable's name; none quotes a value, or a key that no driver knows:
/// a password with a semicolon that is not quoted looks like one.
pub(crate) fn read(text: &str) -> (Given, Vec<String>) {
    let parts = match parse(text) {
        Ok(parts) => parts,
        Err(problem) => return (Given::default(), vec![problem]),
    };
    let mut reading = Reading { given: Given::default(), problems: Vec::new(), server: parts.server.filter(|server| !server.is_empty()) };
    let (mut port, mut instance) = (None, None);
    let mut seen: Vec<(Key, String)> = Vec::new();
    let mut before = None;
    for (number, (key, value)) in parts.pairs.into_iter().enumerate() {
        let Some((key, name)) = meaning(&key) else {
            let behind = before.map_or_else(String::new, |name| format!(", behind `{name}`"));
            let quotes = if parts.notation == Notation::AdoNet { "quotes" } else { "braces" };
            reading.problem(format!(
                "has as its part {}{behind} a key that no driver of SQL Server knows: check its spelling; a value that holds a semicolon needs {quotes}",
                number + 1
            ));
            continue;
        };
        before = Some(name);
        if value.is_empty() {
            // As in ADO.NET, it leaves the key to its default.
            continue;
        }
        match seen.iter().find(|(other, _)| *other == key && !matches!(key, Key::AsItIs | Key::Only(..) | Key::Refused(_))) {
            Some((_, same)) if *same == value => continue,
            Some(_) => {
                reading.problem(format!("says `{name}`, or what means the same, twice and differently: keep one"));
                continue;
            }
            None => seen.push((key, value.clone())),
        }
        match key {
            Key::Port => port = Some(value),
            Key::Instance => instance = Some(value),
            _ => reading.take(key, name, value),
        }
    }
    reading.finish(port, instance)
}

struct Reading {
    given: Given,
    problems: Vec<String>,
    server: Option<String>,
}

impl Reading {
    fn problem(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
    }

    fn take(&mut self, key: Key, name: &str, value: String) {
        match key {
            Key::Server if self.server.as_ref().is_some_and(|server| *server != value) => {
                self.problem(format!("has one server before its properties and another in `{name}`: keep one"));
            }
            Key::Server => self.server = Some(value),
            Key::Database => self.given.database = Some(value),
            Key::User => self.given.user = Some(value),
            Key::Password => self.given.password = Some(value.into()),
            Key::HostNameInCertificate => self.given.host_name_in_certificate = Some(value),
            Key::ApplicationName => self.given.application_name = Some(value),
            Key::Authentication => self.given.authentication = self.one_of(name, &value, &CONNECTION_STRING_METHODS),
            Key::Encrypt => self.given.encryption = self.one_of(name, &value, &ENCRYPT),
            Key::TrustServerCertificate => self.given.trust_server_certificate = self.one_of(name, &value, &FLAG),
            Key::ApplicationIntent => self.given.read_only_intent = self.one_of(name, &value, &INTENT),
            Key::ConnectTimeout => self.given.connect_timeout = self.number(name, &value, 1..=120, " seconds").map(Duration::from_secs),
            Key::CommandTimeout => self.given.command_timeout = self.number(name, &value, 1..=600, " seconds").map(Duration::from_secs),
            Key::MaxPoolSize => self.given.pool_size = self.number(name, &value, 1..=1000, "").and_then(|size| size.try_into().ok()),
            Key::Only(allowed, reason) => {
                if !allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(&value)) {
                    self.problem(format!("has `{name}`, which {reason}"));
                }
            }
            Key::Refused(reason) => self.problem(format!("has `{name}`, which {reason}")),
            Key::AsItIs | Key::Port | Key::Instance => {}
        }
    }

    fn one_of<T: Copy>(&mut self, name: &str, value: &str, choices: &[(&str, T)]) -> Option<T> {
        let found = choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(value));
        if found.is_none() {
            let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
            self.problem(format!("has `{name}`, which must be one of {}", words.join(", ")));
        }
        found.map(|(_, value)| *value)
    }

    fn number(&mut self, name: &str, value: &str, bounds: std::ops::RangeInclusive<u64>, unit: &str) -> Option<u64> {
        let number = value.parse().ok().filter(|number| bounds.contains(number));
        if number.is_none() {
            self.problem(format!("has `{name}`, which must be from {} to {}{unit}", bounds.start(), bounds.end()));
        }
        number
    }

    fn finish(mut self, port: Option<String>, instance: Option<String>) -> (Given, Vec<String>) {
        if let Some(mut server) = self.server.take() {
            if let Some(instance) = instance.filter(|_| !server.contains('\\')) {
                let at = server.find(',').unwrap_or(server.len());
                server.insert_str(at, &format!("\\{instance}"));
            }
            if let Some(port) = port {
                match server.split_once(',') {
                    Some((_, said)) if said.trim() != port.trim() => {
                        self.problem("has one port in its server and another beside it: keep one");
                    }
                    Some(_) => {}
                    None => server = format!("{server},{port}"),
                }
            }
            match ServerName::parse(&server) {
                Ok(server) => self.given.server = Some(server),
                Err(problem) => self.problem(format!("has a server that {problem}")),
            }
        } else if port.is_some() || instance.is_some() {
            self.problem("has a port or an instance and no server");
        }
        (self.given, self.problems)
    }
}

/// Without encryption Microsoft's drivers still encrypt the login, where the server can.
/// <https://learn.microsoft.com/sql/connect/ado-net/encryption-and-certificate-validation>
const ENCRYPT: [(&str, Encryption); 9] = [
    ("true", Encryption::On),
    ("yes", Encryption::On),
    ("mandatory", Encryption::On),
    ("1", Encryption::On),
    ("false", Encryption::Login),
    ("no", Encryption::Login),
    ("optional", Encryption::Login),
    ("0", Encryption::Login),
    ("strict", Encryption::Strict),
];
const FLAG: [(&str, bool); 6] = [("true", true), ("yes", true), ("1", true), ("false", false), ("no", false), ("0", false)];
const INTENT: [(&str, bool); 2] = [("ReadOnly", true), ("ReadWrite", false)];

#[cfg(test)]
mod tests {
    use settings::ExposeSecret;

    use super::*;

    fn of(text: &str) -> Given {
        let (given, problems) = read(text);
        assert_eq!(problems, [""; 0], "{text}");
        given
    }

    fn problems(text: &str) -> String {
        read(text).1.join("\n")
    }

    fn server(given: &Given) -> (String, Option<u16>, Option<String>) {
        let ServerName { host, port, instance } = given.server.clone().unwrap();
        (host, port, instance)
    }

    #[test]
    fn what_a_cloud_portal_hands_out_is_read() {
        let given = of("Server=tcp:events.database.windows.net,1433;Initial Catalog=eventdb;Persist Security Info=False;User ID=ada;\
                        Password='p;w';MultipleActiveResultSets=False;Encrypt=True;TrustServerCertificate=False;Connection Timeout=30;");
        assert_eq!(server(&given), ("events.database.windows.net".to_owned(), Some(1433), None));
        assert_eq!((given.database.as_deref(), given.user.as_deref()), (Some("eventdb"), Some("ada")));
        assert_eq!(given.password.unwrap().expose_secret(), "p;w");
        assert_eq!((given.encryption, given.trust_server_certificate), (Some(Encryption::On), Some(false)));
        assert_eq!((given.connect_timeout, given.command_timeout), (Some(Duration::from_secs(30)), None));
    }

    #[test]
    fn synonyms_of_the_three_notations_mean_the_same() {
        for text in [
            "Data Source=db\\EVENTS;Database=eventdb;UID=ada;PWD=x;Application Name=etl;ApplicationIntent=ReadOnly;Max Pool Size=20;Pooling=true",
            "Driver={ODBC Driver 18 for SQL Server};Server=db\\EVENTS;Database=eventdb;UID=ada;PWD={x};APP=etl;ApplicationIntent=ReadOnly;MaxPoolSize=20",
            "jdbc:sqlserver://db;instanceName=EVENTS;databaseName=eventdb;user=ada;password=x;applicationName=etl;applicationIntent=ReadOnly;maxPoolSize=20",
            "jdbc:sqlserver://;serverName=db\\EVENTS;databaseName=eventdb;userName=ada;password={x};applicationName=etl;applicationIntent=readonly;\
             Max Pool Size=20;multiSubnetFailover=true",
        ] {
            let given = of(text);
            assert_eq!(server(&given), ("db".to_owned(), None, Some("EVENTS".to_owned())), "{text}");
            assert_eq!((given.database.as_deref(), given.user.as_deref()), (Some("eventdb"), Some("ada")), "{text}");
            assert_eq!((given.application_name.as_deref(), given.read_only_intent), (Some("etl"), Some(true)), "{text}");
            assert_eq!((given.pool_size, given.password.unwrap().expose_secret()), (Some(20), "x"), "{text}");
        }
        assert_eq!(server(&of("jdbc:sqlserver://db;portNumber=1450")), ("db".to_owned(), Some(1450), None));
        for (word, level) in
            [("False", Encryption::Login), ("Optional", Encryption::Login), ("Mandatory", Encryption::On), ("strict", Encryption::Strict)]
        {
            assert_eq!(of(&format!("Encrypt={word}")).encryption, Some(level));
        }
    }

    #[test]
    fn what_cannot_be_honoured_is_named() {
        for (text, words) in [
            ("Integrated Security=SSPI", "`Integrated Security`, which is for a login that is not known here"),
            ("Trusted_Connection=yes", "`Trusted_Connection`"),
            ("Authentication=ActiveDirectoryDefault", "`Authentication`, which must be one of SqlPassword"),
            ("Failover Partner=db2", "`Failover Partner`"),
            ("AttachDBFilename=c:\\x.mdf", "`AttachDBFilename`"),
            ("Pooling=false", "`Pooling`, which must be true"),
            ("Min Pool Size=5", "`Min Pool Size`"),
            ("Encrypt=maybe", "`Encrypt`, which must be one of true"),
            ("Connect Timeout=0", "`Connect Timeout`, which must be from 1 to 120 seconds"),
            ("Network Library=dbnmpntw", "`Network Library`"),
            ("Column Encryption Setting=enabled", "`Column Encryption Setting`"),
            ("ApplicationIntent=Sometimes", "`ApplicationIntent`"),
            ("Current Language=German", "`Current Language`"),
            ("Server=np:db", "a server that must be reached by TCP"),
            ("Server=db;Data Source=db2", "`Data Source`, or what means the same, twice"),
            ("jdbc:sqlserver://db:1450;portNumber=1433", "one port in its server and another"),
            ("jdbc:sqlserver://db;serverName=db2", "another in `serverName`"),
            ("jdbc:sqlserver://db;user=ada;database", "part 2"),
            ("jdbc:sqlserver://;portNumber=1433", "no server"),
        ] {
            let problems = problems(text);
            assert!(problems.contains(words), "{text}: {problems}");
        }
        assert_eq!(read("Pooling=false;Min Pool Size=1;DSN=x").1.len(), 3, "all of it at once");
        assert_eq!(problems("Server=db;Data Source=db"), "");
    }

    /// A password whose semicolon is not quoted.
    #[test]
    fn nothing_that_may_be_a_password_is_told() {
        for text in [
            "Server=db;Password=abc;hunter=2",
            "Driver={x};PWD=abc;hunter=2;",
            "Server=db;Password=abc;hunter2",
            "Encrypt=hunter",
            "Server=a b hunter",
        ] {
            let problems = problems(text);
            assert!(!problems.is_empty() && !problems.contains("hunter") && !problems.contains("abc"), "{text}: {problems}");
        }
        let problems = problems("Server=db;Database=;Password=abc;hunter=2");
        assert!(problems.contains("part 4, behind `Password`") && problems.contains("needs quotes"), "{problems}");
    }
}
