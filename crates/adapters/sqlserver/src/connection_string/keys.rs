//! What the keys of a connection string mean to us. A key that cannot be honoured is refused; none is passed over in silence.
//!
//! ADO.NET's keys: <https://learn.microsoft.com/sql/connect/ado-net/connection-options>, with all their synonyms. ODBC's:
//! <https://learn.microsoft.com/sql/connect/odbc/dsn-connection-string-attribute>. JDBC's:
//! <https://learn.microsoft.com/sql/connect/jdbc/setting-the-connection-properties>.

/// What a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Server,
    Port,
    Instance,
    Database,
    User,
    Password,
    Encrypt,
    TrustServerCertificate,
    HostNameInCertificate,
    ConnectTimeout,
    CommandTimeout,
    MaxPoolSize,
    ApplicationIntent,
    ApplicationName,
    /// Whatever it says holds here anyway, or changes nothing that somebody could see.
    AsItIs,
    /// It may be there with one of these values, which say what holds here; with another it is refused for this reason.
    Only(&'static [&'static str], &'static str),
    /// It cannot be honoured.
    Refused(&'static str),
}

const YES: &[&str] = &["true", "yes", "1"];
const NO: &[&str] = &["false", "no", "0"];
const SQL_LOGIN: &str = "is for another login than SQL Server's own: give user and password of a SQL login";
const NOT_HERE: &str = "has no meaning here: take it out";

/// The keys that we honour or know to be harmless, as [`super::syntax::plain`] writes them.
const KEYS: &[(Key, &[&str])] = &[
    (Key::Server, &["server", "datasource", "address", "addr", "networkaddress", "servername"]),
    (Key::Port, &["port", "portnumber"]),
    (Key::Instance, &["instancename"]),
    (Key::Database, &["database", "initialcatalog", "databasename"]),
    (Key::User, &["userid", "uid", "user", "username"]),
    (Key::Password, &["password", "pwd"]),
    (Key::Encrypt, &["encrypt"]),
    (Key::TrustServerCertificate, &["trustservercertificate"]),
    (Key::HostNameInCertificate, &["hostnameincertificate"]),
    (Key::ConnectTimeout, &["connecttimeout", "connectiontimeout", "timeout", "logintimeout"]),
    (Key::CommandTimeout, &["commandtimeout", "querytimeout"]),
    (Key::MaxPoolSize, &["maxpoolsize"]),
    (Key::ApplicationIntent, &["applicationintent"]),
    (Key::ApplicationName, &["applicationname", "app"]),
    // All addresses of a name are tried at once, always.
    (Key::AsItIs, &["multisubnetfailover", "transparentnetworkipresolution", "ipaddresspreference"]),
    // What cannot be reached is tried again until it can.
    (Key::AsItIs, &["connectretrycount", "connectretryinterval", "poolblockingperiod"]),
    // The string is never shown; no connection has two answers open at once, or takes part in a distributed transaction; it is TCP by nature.
    (Key::AsItIs, &["persistsecurityinfo", "multipleactiveresultsets", "marsconnection", "enlist", "driver", "packetsize"]),
    (Key::Only(YES, "must be true: connections are always pooled"), &["pooling"]),
    (Key::Only(&["0"], "must be 0: connections are opened when they are needed"), &["minpoolsize"]),
    (Key::Only(NO, SQL_LOGIN), &["integratedsecurity", "trustedconnection"]),
    (Key::Only(&["sqlpassword", "sql password", "notspecified"], SQL_LOGIN), &["authentication"]),
    (Key::Only(&["dbmssocn"], "must be dbmssocn: only TCP is spoken"), &["networklibrary", "network", "net"]),
    (Key::Only(&["disabled"], "must be disabled: no column is encrypted by the client"), &["columnencryption", "columnencryptionsetting"]),
];

/// Keys of the three drivers that cannot be honoured, by their reason.
const REFUSED: &[(&str, &[&str])] = &[
    (
        "is of database mirroring, which availability groups have replaced: name the listener as the server",
        &["failoverpartner", "failoverpartnerspn"],
    ),
    ("names settings of another machine: write them out", &["dsn", "filedsn", "savefile"]),
    ("has a file attached, which only LocalDB does: name the database", &["attachdbfilename", "extendedproperties", "initialfilename"]),
    (
        SQL_LOGIN,
        &[
            "accesstoken",
            "accesstokencallbackclass",
            "authenticationscheme",
            "domain",
            "gsscredential",
            "serverspn",
            "realm",
            "msiclientid",
        ],
    ),
    (
        "is a certificate that must be a file: set MSSQL_CA_FILE",
        &["servercertificate", "truststore", "truststorepassword", "truststoretype", "trustmanagerclass"],
    ),
    (
        NOT_HERE,
        &[
            "ansinpw",
            "asynchronousprocessing",
            "attestationprotocol",
            "autotranslate",
            "clientcertificate",
            "clientkey",
            "clientkeypassword",
            "concatnullyieldsnull",
            "connectionlifetime",
            "connectionreset",
            "contextconnection",
            "currentlanguage",
            "description",
            "disablestatementpooling",
            "enclaveattestationurl",
            "enclaveattestationprotocol",
            "fips",
            "getdataextensions",
            "keepalive",
            "keepaliveinterval",
            "keystoreauthentication",
            "keystoreprincipalid",
            "keystoresecret",
            "language",
            "lastupdatecount",
            "loadbalancetimeout",
            "locktimeout",
            "longasmax",
            "preparemethod",
            "querylogon",
            "querylogfile",
            "querylogtime",
            "quotedid",
            "regional",
            "replication",
            "responsebuffering",
            "retryexec",
            "selectmethod",
            "sendstringparametersasunicode",
            "sendtimeasdatetime",
            "serverpreparedstatementdiscardthreshold",
            "socketfactoryclass",
            "sockettimeout",
            "statementpoolingcachesize",
            "sslprotocol",
            "statslogfile",
            "statslogon",
            "transactionbinding",
            "translate",
            "typesystemversion",
            "usebulkcopyforbatchinsert",
            "usefmtonly",
            "userinstance",
            "workstationid",
            "wsid",
            "xopenstates",
        ],
    ),
];

/// The meaning of a key, and its name as it may be told; `None` for one that no driver knows, which may be a part of a password.
pub(crate) fn meaning(plain: &str) -> Option<(Key, &'static str)> {
    let known = KEYS.iter().find_map(|(key, names)| Some((*key, *names.iter().find(|name| **name == plain)?)));
    known.or_else(|| REFUSED.iter().find_map(|(reason, names)| Some((Key::Refused(reason), *names.iter().find(|name| **name == plain)?))))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::syntax::plain;
    use super::*;

    #[test]
    fn each_key_has_one_meaning_and_is_written_as_it_is_looked_for() {
        let mut seen = BTreeSet::new();
        for name in KEYS.iter().flat_map(|(_, names)| *names).chain(REFUSED.iter().flat_map(|(_, names)| *names)) {
            assert_eq!(plain(name), *name);
            assert!(seen.insert(name), "{name} twice");
        }
    }
}
