//! Taking a connection string apart: keys and values, in each of the three notations.
//!
//! ADO.NET: <https://learn.microsoft.com/sql/connect/ado-net/connection-string-syntax>. ODBC: <https://learn.microsoft.com/sql/odbc/reference/syntax/sqldriverconnect-function>.
//! JDBC: <https://learn.microsoft.com/sql/connect/jdbc/building-the-connection-url>. The driver's own reader passes over keys that it does not know, and
//! gives back neither server nor login; the crate below it refuses what is not ASCII, and quotes it.

/// Whose notation it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    AdoNet,
    Odbc,
    Jdbc,
}

/// A connection string, taken apart. It holds a password: it is not printed.
pub(crate) struct Parts {
    pub(crate) notation: Notation,
    /// What a JDBC URL has before its properties, in the form of ADO.NET's `Server`; empty where it has nothing.
    pub(crate) server: Option<String>,
    /// Keys as [`plain`] writes them, and values, which may be empty, in order.
    pub(crate) pairs: Vec<(String, String)>,
}

const JDBC: &str = "jdbc:sqlserver://";

/// Takes it apart.
///
/// # Errors
/// Where it cannot be read, to be put after the variable's name. By places and never by its text: what is misread may be a part of a password.
pub(crate) fn parse(text: &str) -> Result<Parts, String> {
    let text = text.trim();
    if text.get(..JDBC.len()).is_some_and(|head| head.eq_ignore_ascii_case(JDBC)) {
        let (server, properties) = text[JDBC.len()..].split_once(';').unwrap_or((&text[JDBC.len()..], ""));
        // host\INSTANCE:port is host\INSTANCE,port elsewhere; an IPv6 address stands in brackets.
        let server = match server.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => format!("{host},{port}"),
            _ => server.to_owned(),
        };
        let pairs = pairs(properties, Notation::Jdbc)?;
        return Ok(Parts { notation: Notation::Jdbc, server: Some(server), pairs });
    }
    let is_driver = |part: &str| part.split_once('=').is_some_and(|(key, _)| plain(key) == "driver");
    let notation = if text.split(';').any(is_driver) { Notation::Odbc } else { Notation::AdoNet };
    Ok(Parts { notation, server: None, pairs: pairs(text, notation)? })
}

/// A key in small letters, without spaces and underscores: `Initial Catalog`, `InitialCatalog` and `initial_catalog` are the same key.
pub(crate) fn plain(key: &str) -> String {
    key.chars().filter(|c| !c.is_whitespace() && *c != '_').flat_map(char::to_lowercase).collect()
}

fn pairs(text: &str, notation: Notation) -> Result<Vec<(String, String)>, String> {
    let (mut rest, mut pairs, mut place) = (text, Vec::new(), 0);
    loop {
        rest = rest.trim_start_matches(|c: char| c == ';' || c.is_whitespace());
        if rest.is_empty() {
            return Ok(pairs);
        }
        place += 1;
        let key;
        (key, rest) = read_key(rest, notation).ok_or_else(|| {
            format!("is not a list of key=value; its part {place} has no `=`: a value that holds a semicolon needs quotes (ODBC and JDBC: braces)")
        })?;
        let value;
        (value, rest) = read_value(rest, notation)
            .ok_or_else(|| format!("cannot be read: in its part {place} a quote or brace is not closed, or something stands behind it"))?;
        pairs.push((plain(&key), value));
    }
}

/// A key, and what stands behind its `=`. In ADO.NET `==` is an equals sign within the key.
fn read_key(text: &str, notation: Notation) -> Option<(String, &str)> {
    let mut key = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            ';' => return None,
            '=' if notation == Notation::AdoNet && chars.next_if(|(_, next)| *next == '=').is_some() => key.push('='),
            '=' => return Some((key, &text[at + 1..])),
            _ => key.push(c),
        }
    }
    None
}

/// A value, and what stands behind it; `None` where a quote is not closed.
fn read_value(text: &str, notation: Notation) -> Option<(String, &str)> {
    let text = text.trim_start();
    let close = match (text.chars().next(), notation) {
        (Some(quote @ ('"' | '\'')), Notation::AdoNet) => quote,
        (Some('{'), Notation::Odbc | Notation::Jdbc) => '}',
        _ => {
            let end = text.find(';').unwrap_or(text.len());
            return Some((text[..end].trim_end().to_owned(), &text[end..]));
        }
    };
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != close {
            value.push(c);
        } else if chars.next_if(|(_, next)| *next == close).is_some() {
            value.push(close);
        } else {
            let rest = text[at + 1..].trim_start();
            return (rest.is_empty() || rest.starts_with(';')).then_some((value, rest));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}")).pairs
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn ado_net_quotes_and_doubles_quotes() {
        assert_eq!(
            read(" Server = db ; USER ID=ada;;Password=p@ss=w0rd; "),
            pairs(&[("server", "db"), ("userid", "ada"), ("password", "p@ss=w0rd")])
        );
        for (text, password) in [
            ("Password='a;b'", "a;b"),
            ("Password=\"a;'b\" ;", "a;'b"),
            ("Password='it''s'", "it's"),
            ("Password=\"say \"\"hi\"\"\"", "say \"hi\""),
            ("Password={a}", "{a}"),
            ("Password=a'b", "a'b"),
            ("Password='  '", "  "),
            ("Password=grün;", "grün"),
        ] {
            assert_eq!(read(text), pairs(&[("password", password)]), "{text}");
        }
        assert_eq!(read("a==b=c"), pairs(&[("a=b", "c")]));
        assert_eq!(read("Initial Catalog=;User ID=ada"), pairs(&[("initialcatalog", ""), ("userid", "ada")]));
    }

    #[test]
    fn odbc_is_known_by_its_driver_and_has_braces() {
        let parts = parse("Driver={ODBC Driver 18 for SQL Server};Server=tcp:db,1433;UID=ada;PWD={a;b}}c'd};").ok().unwrap();
        assert_eq!(parts.notation, Notation::Odbc);
        let driver = ("driver", "ODBC Driver 18 for SQL Server");
        assert_eq!(parts.pairs, pairs(&[driver, ("server", "tcp:db,1433"), ("uid", "ada"), ("pwd", "a;b}c'd")]));
    }

    #[test]
    fn jdbc_is_known_by_its_scheme_and_has_the_server_before_its_properties() {
        for (text, server) in [
            ("jdbc:sqlserver://db:1450;user=ada;password={a;b};", "db,1450"),
            ("JDBC:SQLServer://db\\EVENTS:1450;user=ada;password={a;b}", "db\\EVENTS,1450"),
            ("jdbc:sqlserver://db\\EVENTS;user=ada;password={a;b}", "db\\EVENTS"),
            ("jdbc:sqlserver://[fe80::1];user=ada;password={a;b}", "[fe80::1]"),
            ("jdbc:sqlserver://;user=ada;password={a;b}", ""),
        ] {
            let parts = parse(text).ok().unwrap();
            assert_eq!((parts.notation, parts.server.as_deref()), (Notation::Jdbc, Some(server)), "{text}");
            assert_eq!(parts.pairs, pairs(&[("user", "ada"), ("password", "a;b")]), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_place_and_never_quoted() {
        for (text, place) in [
            ("Server=db;Password=hunter;2", "part 3"),
            ("Server=db;Password='hunter2", "part 2"),
            ("Server=db;Password='hunter'2", "part 2"),
            ("hunter2", "part 1"),
            ("Driver={x};PWD={hunter2", "part 2"),
        ] {
            let problem = parse(text).err().expect(text);
            assert!(problem.contains(place) && !problem.contains("hunter"), "{text}: {problem}");
        }
    }
}
