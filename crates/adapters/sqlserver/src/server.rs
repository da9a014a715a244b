//! Where SQL Server is, as people write it: the value of `Server` in a connection string, or what `sqlcmd -S` takes.
//!
//! <https://learn.microsoft.com/sql/connect/ado-net/connection-string-syntax#connect-to-a-named-instance-of-sql-server>

use settings::is_host;

/// A server by its name: host, and how its port is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerName {
    /// Host name or address.
    pub(crate) host: String,
    /// TCP port, where it is said.
    pub(crate) port: Option<u16>,
    /// The named instance whose port SQL Server Browser knows; `None` where a port is said, which makes the name needless.
    pub(crate) instance: Option<String>,
}

/// What SQL Server calls the instance that has no name, and that has the default port.
const DEFAULT_INSTANCE: &str = "MSSQLSERVER";

/// Bytes of the longest name that SQL Server Browser is asked for: [MC-SQLR], section 2.2.3.
const LONGEST_INSTANCE: usize = 32;

const FORMS: &str = "must be host, host,port or host\\INSTANCE, without scheme, user or path";

impl ServerName {
    /// Reads `host`, `host,port`, `host\INSTANCE`, each also after `tcp:`, and `(local)` or `.` for this machine.
    ///
    /// # Errors
    /// What it must be, to be read after the variable's name. Quotes nothing: what stands in a wrong place may be a secret.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        if lower.starts_with("np:") || text.starts_with("\\\\") {
            return Err("must be reached by TCP: named pipes are not spoken, leave `np:` out or name the host and its port");
        }
        if lower.starts_with("lpc:") || lower.starts_with("(localdb)") {
            return Err("must be reached by TCP: shared memory (`lpc:`, LocalDB) is not spoken, use localhost,port");
        }
        if lower.starts_with("admin:") {
            return Err("must not be the dedicated administrator connection, of which a server has one: leave `admin:` out");
        }
        let text = if lower.starts_with("tcp:") { text[4..].trim_start() } else { text };
        let (place, port) = match text.rsplit_once(',') {
            Some((place, port)) => (place.trim_end(), Some(read_port(port)?)),
            None => (text, None),
        };
        let (host, instance) = match place.split_once('\\') {
            Some((host, instance)) => (host.trim_end(), Some(read_instance(instance)?)),
            None => (place, None),
        };
        let instance = instance.filter(|name| port.is_none() && !name.eq_ignore_ascii_case(DEFAULT_INSTANCE));
        Ok(Self { host: read_host(host)?, port, instance: instance.map(str::to_owned) })
    }
}

fn read_port(text: &str) -> Result<u16, &'static str> {
    text.trim().parse().ok().filter(|port| *port != 0).ok_or("must have a port from 1 to 65535 after its comma")
}

fn read_instance(name: &str) -> Result<&str, &'static str> {
    let name = name.trim();
    let known = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '#');
    let valid = !name.is_empty() && name.len() <= LONGEST_INSTANCE && name.chars().all(known);
    if valid { Ok(name) } else { Err("must have the name of an instance after its backslash: letters, digits, _, $ and #") }
}

fn read_host(host: &str) -> Result<String, &'static str> {
    if host == "." || host.eq_ignore_ascii_case("(local)") {
        return Ok("localhost".to_owned());
    }
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match host.split_once(':') {
        _ if is_host(host) => Ok(host.to_owned()),
        Some((name, port)) if is_host(name) && port.parse::<u16>().is_ok() => Err("must have its port after a comma: host,port"),
        _ => Err(FORMS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Option<u16>, Option<String>) {
        let server = ServerName::parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
        (server.host, server.port, server.instance)
    }

    #[test]
    fn each_form_that_people_write_is_read() {
        for (text, host, port, instance) in [
            ("sql1", "sql1", None, None),
            ("sql1.example.com,1450", "sql1.example.com", Some(1450), None),
            ("tcp:sql1.database.windows.net, 1433", "sql1.database.windows.net", Some(1433), None),
            ("TCP:10.0.0.4", "10.0.0.4", None, None),
            ("sql1\\EVENTS", "sql1", None, Some("EVENTS")),
            (".\\SQLEXPRESS", "localhost", None, Some("SQLEXPRESS")),
            ("(Local)\\EVENTS$1", "localhost", None, Some("EVENTS$1")),
            ("(local)", "localhost", None, None),
            (".", "localhost", None, None),
            ("localhost", "localhost", None, None),
            ("fe80::1,1450", "fe80::1", Some(1450), None),
            ("[fe80::1]", "fe80::1", None, None),
            // A port makes the name needless, as in Microsoft's own drivers.
            ("sql1\\EVENTS,1450", "sql1", Some(1450), None),
            ("sql1\\mssqlserver", "sql1", None, None),
        ] {
            assert_eq!(read(text), (host.to_owned(), port, instance.map(str::to_owned)), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_reached_by_tcp_is_refused_with_its_reason() {
        for (text, word) in [
            ("np:sql1", "named pipes"),
            ("\\\\sql1\\pipe\\sql\\query", "named pipes"),
            ("lpc:sql1", "shared memory"),
            ("(localdb)\\MSSQLLocalDB", "LocalDB"),
            ("admin:sql1", "administrator"),
            ("sql1:1433", "comma"),
            ("sql1,", "port"),
            ("sql1,0", "port"),
            ("sql1,70000", "port"),
            ("sql1\\", "instance"),
            ("sql1\\a b", "instance"),
            ("sql1\\aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "instance"),
            ("", "host"),
            ("sa:hunter2@sql1", "host"),
            ("jdbc:sqlserver://sql1", "host"),
        ] {
            let problem = ServerName::parse(text).expect_err(text);
            assert!(problem.contains(word) && !problem.contains("hunter2"), "{text}: {problem}");
        }
    }
}
