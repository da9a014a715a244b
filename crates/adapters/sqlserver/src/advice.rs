//! Error numbers as words: what each is about, the cause, and what to do.
//!
//! Numbers and what they mean: <https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors>.

/// What is wrong and what to do about it, where the number says it whatever we were doing: a word for what it is about, the cause, the remedy.
pub(crate) const fn look_at(number: u32) -> Option<&'static str> {
    Some(match number {
        18452 | 18456 | 40531 => "login: user or password is wrong, check MSSQL_USER and MSSQL_PASSWORD",
        18470 => "login: it is disabled; enable it, or set MSSQL_USER to another one",
        18486 => "login: it is locked after too many wrong passwords; unlock it, and see who has tried them",
        18487 | 18488 => "login: its password has expired or must be changed; change it, and set MSSQL_PASSWORD",
        18451 | 18461 => "restricted: the server admits administrators alone, as during an upgrade or in single-user mode; end that mode",
        229 | 230 | 262 | 300 | 916 => "rights: the login may not do this",
        9002 => {
            "log full: the transaction log has no room; back it up or let it grow, log_reuse_wait_desc in sys.databases says what keeps it from being \
             reused"
        }
        1101 | 1105 => "filegroup full: the database has no room for data; free or enlarge the disk, or let its files grow",
        701 | 802 | 8645 | 8651 => "memory: the server has none left for this; raise max server memory, or end what uses it up",
        _ => return look_at_state(number),
    })
}

/// The same for the state that a database, a replica or a connection is in.
const fn look_at_state(number: u32) -> Option<&'static str> {
    Some(match number {
        4060 => {
            "database: the one of MSSQL_DATABASE is not there, not open, or closed to this login; check the name and the login's user in it, unless \
             a failover is under way"
        }
        921 | 922 | 927 | 952 => {
            "recovery: the database is starting, being restored or changing its state; state_desc in sys.databases says which"
        }
        924 => "single-user: another connection has the database for itself; end that with ALTER DATABASE … SET MULTI_USER",
        926 => "suspect: the database is marked as damaged; the server's error log says why, restore it from a backup",
        942 => "offline: the database was taken offline; bring it back with ALTER DATABASE … SET ONLINE",
        945 => "files: the database cannot be opened, for want of files, memory or disk; the server's error log says which",
        9001 => "log: the transaction log cannot be used; the server's error log says why",
        3906 => {
            "read-only: the database takes no writes; of an availability group this is a secondary replica: MSSQL_SERVER must be its listener"
        }
        976 => "replica: it is a secondary one that takes no queries: MSSQL_SERVER must be the availability group's listener",
        978 => {
            "replica: it takes logins with ApplicationIntent=ReadOnly alone: set API_MSSQL_APPLICATION_INTENT for the API; everything else needs the \
             availability group's listener"
        }
        979 => {
            "replica: it takes no logins with ApplicationIntent=ReadOnly: check API_MSSQL_APPLICATION_INTENT, or the replica's ALLOW_CONNECTIONS"
        }
        983 => "replica: its role is not decided, as during a failover; if that lasts, look at the availability group's state",
        6005 => "shutdown: the server is stopping; start it again, unless somebody is about to",
        20 | 64 | 121 | 233 | 596 | 10053 | 10054 | 10060 => LOST,
        10928 | 10929 | 10936 | 17809 | 17889 => "sessions: the server takes no more of them; close others, or lower MSSQL_POOL_SIZE",
        40197 | 40501 | 40613 | 49918..=49920 => {
            "Azure: the database is moved, resumed or too busy just now, which passes within minutes; if it lasts, see the service's health"
        }
        40544 | 40549..=40553 => "quota: the database has used up what it may use",
        _ => return None,
    })
}

/// What to look at where a connection that was there is gone.
pub(crate) const LOST: &str =
    "connection lost: the server or the network has ended it, as in a restart or failover; if that lasts, see the server's error log";

#[cfg(test)]
mod tests {
    use crate::faults::of_server;

    #[test]
    fn numbers_are_told_as_words_with_a_cause_and_what_to_do() {
        for (number, about, remedy) in [
            (9002, "log full: ", "log_reuse_wait_desc"),
            (1101, "filegroup full: ", "enlarge the disk"),
            (1105, "filegroup full: ", "enlarge the disk"),
            (701, "memory: ", "max server memory"),
            (4060, "database: ", "MSSQL_DATABASE"),
            (18456, "login: ", "MSSQL_PASSWORD"),
            (18470, "login: ", "enable it"),
            (18488, "login: ", "MSSQL_PASSWORD"),
            (927, "recovery: ", "sys.databases"),
            (942, "offline: ", "SET ONLINE"),
            (233, "connection lost: ", "error log"),
            (10054, "connection lost: ", "error log"),
            (17809, "sessions: ", "MSSQL_POOL_SIZE"),
            (40613, "Azure: ", "within minutes"),
        ] {
            for operation in ["connect", "apply_batch"] {
                let fault = of_server(number, 16, "canary@example.com", operation);
                let said = fault.to_string();
                assert!(said.contains(&format!(": {about}")) && said.contains(remedy), "{said}");
                assert!(said.ends_with(&format!("(error {number})")) && !said.contains("canary"), "{said}");
            }
        }
        let said = of_server(4060, 11, "", "connect").symptom();
        assert_eq!(said, "the database cannot be used just now", "the server was reached: it is the one who says so");
    }
}
