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
    Authentication,
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
const SQL_LOGIN: &str =
    "is for a login that is not known here: give user and password of a SQL login, or set MSSQL_AUTHENTICATION for Entra ID";
const NOT_HERE: &str = "has no meaning here: take it out";

/// The keys that we honour or know to be harmless, as their documentation writes them.
const KEYS: &[(Key, &[&str])] = &[
    (Key::Server, &["Server", "Data Source", "Address", "Addr", "Network Address", "serverName"]),
    (Key::Port, &["Port", "portNumber"]),
    (Key::Instance, &["instanceName"]),
    (Key::Database, &["Database", "Initial Catalog", "databaseName"]),
    (Key::Authentication, &["Authentication"]),
    (Key::User, &["User ID", "UID", "user", "userName", "msiClientId"]),
    (Key::Password, &["Password", "PWD"]),
    (Key::Encrypt, &["Encrypt"]),
    (Key::TrustServerCertificate, &["TrustServerCertificate"]),
    (Key::HostNameInCertificate, &["HostNameInCertificate"]),
    (Key::ConnectTimeout, &["Connect Timeout", "Connection Timeout", "Timeout", "loginTimeout"]),
    (Key::CommandTimeout, &["Command Timeout", "queryTimeout"]),
    (Key::MaxPoolSize, &["Max Pool Size"]),
    (Key::ApplicationIntent, &["ApplicationIntent"]),
    (Key::ApplicationName, &["Application Name", "APP"]),
    // All addresses of a name are tried at once, always.
    (Key::AsItIs, &["MultiSubnetFailover", "TransparentNetworkIPResolution", "IpAddressPreference"]),
    // What cannot be reached is tried again until it can.
    (Key::AsItIs, &["ConnectRetryCount", "ConnectRetryInterval", "Pool Blocking Period"]),
    // The string is never shown; no connection has two answers open at once, or takes part in a distributed transaction; it is TCP by nature.
    (Key::AsItIs, &["Persist Security Info", "MultipleActiveResultSets", "MARS_Connection", "Enlist", "Driver", "Packet Size"]),
    (Key::Only(YES, "must be true: connections are always pooled"), &["Pooling"]),
    (Key::Only(&["0"], "must be 0: connections are opened when they are needed"), &["Min Pool Size"]),
    (Key::Only(NO, SQL_LOGIN), &["Integrated Security", "Trusted_Connection"]),
    (Key::Only(&["dbmssocn"], "must be dbmssocn: only TCP is spoken"), &["Network Library", "Network", "Net"]),
    (
        Key::Only(&["disabled"], "must be disabled: no column is encrypted by the client"),
        &["ColumnEncryption", "Column Encryption Setting"],
    ),
];

/// Keys of the three drivers that cannot be honoured, by their reason.
const REFUSED: &[(&str, &[&str])] = &[
    (
        "is of database mirroring, which availability groups have replaced: name the listener as the server",
        &["Failover Partner", "FailoverPartnerSPN"],
    ),
    ("names settings of another machine: write them out", &["DSN", "FileDSN", "SaveFile"]),
    ("has a file attached, which only LocalDB does: name the database", &["AttachDBFilename", "Extended Properties", "Initial File Name"]),
    (SQL_LOGIN, &["accessToken", "accessTokenCallbackClass", "authenticationScheme", "domain", "gssCredential", "ServerSPN", "realm"]),
    (
        "is a certificate that must be a file: set MSSQL_CA_FILE",
        &["ServerCertificate", "trustStore", "trustStorePassword", "trustStoreType", "trustManagerClass"],
    ),
    (
        NOT_HERE,
        &[
            "AnsiNPW",
            "Asynchronous Processing",
            "Attestation Protocol",
            "AutoTranslate",
            "ClientCertificate",
            "ClientKey",
            "clientKeyPassword",
            "ConcatNullYieldsNull",
            "Connection Lifetime",
            "Connection Reset",
            "Context Connection",
            "Current Language",
            "Description",
            "disableStatementPooling",
            "Enclave Attestation Url",
            "enclaveAttestationProtocol",
            "fips",
            "GetDataExtensions",
            "KeepAlive",
            "KeepAliveInterval",
            "KeyStoreAuthentication",
            "KeyStorePrincipalId",
            "KeyStoreSecret",
            "Language",
            "lastUpdateCount",
            "Load Balance Timeout",
            "lockTimeout",
            "LongAsMax",
            "prepareMethod",
            "QueryLog_On",
            "QueryLogFile",
            "QueryLogTime",
            "QuotedId",
            "Regional",
            "Replication",
            "responseBuffering",
            "RetryExec",
            "selectMethod",
            "sendStringParametersAsUnicode",
            "sendTimeAsDatetime",
            "serverPreparedStatementDiscardThreshold",
            "socketFactoryClass",
            "socketTimeout",
            "statementPoolingCacheSize",
            "sslProtocol",
            "StatsLogFile",
            "StatsLog_On",
            "Transaction Binding",
            "Translate",
            "Type System Version",
            "useBulkCopyForBatchInsert",
            "UseFMTONLY",
            "User Instance",
            "Workstation ID",
            "WSID",
            "xopenStates",
        ],
    ),
];

/// The meaning of a key, and its name as it may be told; `None` for one that no driver knows, which may be a part of a password.
pub(crate) fn meaning(plain: &str) -> Option<(Key, &'static str)> {
    let written = |names: &[&'static str]| names.iter().copied().find(|name| super::syntax::plain(name) == plain);
    let known = KEYS.iter().find_map(|(key, names)| Some((*key, written(names)?)));
    known.or_else(|| REFUSED.iter().find_map(|(reason, names)| Some((Key::Refused(reason), written(names)?))))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::syntax::plain;
    use super::*;

    #[test]
    fn each_key_has_one_meaning() {
        let mut seen = BTreeSet::new();
        for name in KEYS.iter().flat_map(|(_, names)| *names).chain(REFUSED.iter().flat_map(|(_, names)| *names)) {
            assert!(seen.insert(plain(name)), "{name} twice");
        }
    }
}
