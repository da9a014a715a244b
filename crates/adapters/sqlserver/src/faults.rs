//! The driver's errors as [`Fault`]s: by SQL Server's error number, never by the prose of a message.
//!
//! Precedence: the number, then the severity, then [`FaultClass::Bug`]: what is not listed holds and alarms, it is never the data's fault.
//! Numbers and what they mean: <https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors>;
//! which of them pass by themselves: the retry lists of EF Core and Microsoft.Data.SqlClient.

use pipeline::fault::{Dependency, Fault, FaultClass};
use readmodel::ReadFault;
use tiberius::error::{Error, IoErrorKind};

use crate::advice::{LOST, look_at};

/// What a fault calls the opening of a session.
pub(crate) const CONNECT: &str = "connect";

pub(crate) const AWAY: FaultClass = FaultClass::Unavailable { timed_out: false };

/// The number with which the server says that a database is not there, or not to be opened.
pub(crate) const CANNOT_OPEN_DATABASE: i64 = 4060;
/// The number with which it says that a database takes no writes.
pub(crate) const READ_ONLY: i64 = 3906;
/// The number with which it says that a table or the like is not there.
pub(crate) const NO_SUCH_OBJECT: i64 = 208;

/// The class of an error number, where the number alone decides.
const fn class_of_number(number: u32) -> Option<FaultClass> {
    Some(match number {
        // Deadlock, lock timeout, snapshot conflicts.
        1205 | 1222 | 3960 | 3966 => FaultClass::LockConflict,
        // Conflicts of memory-optimised tables, should a database be moved to them; a scan whose pages moved.
        601 | 41301 | 41302 | 41305 | 41325 | 41839 => FaultClass::LockConflict,

        // The connection is gone or was refused.
        20 | 64 | 121 | 233 | 596 | 6005 | 10053 | 10054 | 10060 | 17197 | 17809 | 17889 => AWAY,
        // The database is starting, stopping, restoring, failing over or not (yet) to be opened.
        615 | 921..=927 | 942 | 945 | 952 | 976 | 978 | 979 | 983 | 988 | 4060 | 4221 | 9001 | 18451 | 18461 => AWAY,
        // Azure SQL: busy, moving, reconfiguring, out of sessions.
        10928 | 10929 | 10930 | 10936 | 40143 | 40189 | 40197 | 40501 | 40540 | 40613 | 42108 | 42109 | 49977 | 49983 => AWAY,
        49180..=49920 => AWAY,

        // Full log, full disk, no memory, read-only: outages, waited out as any other and for ever, but of the kind that ends when somebody ends it.
        9002 | 1101 | 1105 | 701 | 802 | 8645 | 8651 | 3906 => FaultClass::Operator,
        // Login refused: wrong or expired password, locked or disabled login.
        18452 | 18456 | 18470 | 18486..=18488 | 40531 => FaultClass::Operator,
        // A right is missing.
        229 | 230 | 262 | 300 | 916 => FaultClass::Operator,
        // Azure SQL: a quota is used up.
        40544 | 40549..=40553 => FaultClass::Operator,

        // A transaction is open, or not open, where it must not be so. 50001 is thrown by our own statements.
        266 | 3902 | 3903 | 3930 | 3998 | 50001 => FaultClass::UnknownState,

        // Statement and schema do not fit: syntax, missing parameters, columns and tables, a NULL where none may be, JSON of ours.
        102 | 156 | 201 | 207 | 208 | 515 | 8144 | 8672 | 13600..=13609 => FaultClass::Bug,

        // Too long, out of range, not convertible.
        2628 | 8152 | 8114 | 8115 | 220 | 232 | 241 | 242 | 245 => FaultClass::Poison,

        _ => return None,
    })
}

/// Our constraints, and what a violation of each means.
pub(crate) const CONSTRAINTS: [(&str, FaultClass); 22] = [
    ("pk_users", FaultClass::UniqueViolation),
    ("pk_orders", FaultClass::UniqueViolation),
    ("pk_order_items", FaultClass::UniqueViolation),
    ("pk_payments", FaultClass::UniqueViolation),
    ("pk_inventory", FaultClass::UniqueViolation),
    ("pk_inventory_adjustments", FaultClass::UniqueViolation),
    ("pk_parked_events", FaultClass::UniqueViolation),
    ("pk_log_positions", FaultClass::UniqueViolation),
    ("pk_leases", FaultClass::UniqueViolation),
    ("pk_audit_log", FaultClass::UniqueViolation),
    ("pk_consumer_heartbeats", FaultClass::UniqueViolation),
    ("pk_redrive_jobs", FaultClass::UniqueViolation),
    ("uq_redrive_jobs_operation", FaultClass::UniqueViolation),
    ("pk_redrive_job_letters", FaultClass::UniqueViolation),
    ("pk_ledger_horizon", FaultClass::UniqueViolation),
    ("pk_ledger_compactions", FaultClass::UniqueViolation),
    ("uq_users_email", FaultClass::EmailTaken),
    ("fk_orders_user", FaultClass::MissingParent),
    ("fk_order_items_order", FaultClass::MissingParent),
    ("fk_payments_order", FaultClass::MissingParent),
    ("ck_orders_currency", FaultClass::Poison),
    ("ck_payments_currency", FaultClass::Poison),
];

/// The constraint that a message names, if it is ours.
///
/// The messages of 2627 and 547 quote the constraint first, that of 2601 quotes the table before it; what is quoted further on may come
/// from an event, and is not looked at.
fn constraint_in(message: &str) -> Option<(&'static str, FaultClass)> {
    let mut quoted = message.split(['\'', '"']).skip(1).step_by(2).take(2);
    quoted.find_map(|name| CONSTRAINTS.into_iter().find(|(ours, _)| *ours == name))
}

/// An error that the server reported.
pub(crate) fn of_server(number: u32, severity: u8, message: &str, operation: &'static str) -> Fault {
    let (subject, class) = match number {
        2627 | 2601 | 547 => constraint_in(message).unwrap_or((operation, FaultClass::Bug)),
        _ => {
            let by_severity = if severity >= 17 { FaultClass::Operator } else { FaultClass::Bug };
            (look_at(number).unwrap_or(operation), class_of_number(number).unwrap_or(by_severity))
        }
    };
    Fault { dependency: Dependency::Database, class, code: Some(i64::from(number)), subject }
}

/// An error of the driver. Of several in one answer, the driver gives the first, which is the cause of the others.
pub(crate) fn of_driver(error: &Error, operation: &'static str) -> Fault {
    match error {
        Error::Server(error) => of_server(error.code(), error.class(), error.message(), operation),
        Error::Io { kind: IoErrorKind::TimedOut, .. } => timed_out(operation),
        // While one connects, what the network refuses is told by whoever has looked for the address.
        Error::Io { kind, .. } if operation != CONNECT && is_lost(*kind) => fault(AWAY, LOST),
        Error::Io { .. } | Error::Tls(_) | Error::Protocol(_) | Error::Encoding(_) | Error::Utf8 | Error::Utf16 | Error::Routing { .. } => {
            fault(AWAY, operation)
        }
        Error::Conversion(_) | Error::ParseInt(_) | Error::BulkInput(_) => bug(operation),
    }
}

/// Whether a connection was there and is gone.
const fn is_lost(kind: IoErrorKind) -> bool {
    use IoErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof)
}

/// Whether a connection may be used again after this error: the answer was read to its end, and `XACT_ABORT` has rolled back.
///
/// Not so for [`FaultClass::Bug`]: `XACT_ABORT` does not cover errors of compilation, such as a missing table in the middle of a batch.
pub(crate) fn leaves_connection_usable(error: &Error, fault: &Fault) -> bool {
    let Error::Server(error) = error else { return false };
    error.class() < 20
        && matches!(
            fault.class,
            FaultClass::UniqueViolation
                | FaultClass::LockConflict
                | FaultClass::Poison
                | FaultClass::EmailTaken
                | FaultClass::MissingParent
        )
}

/// Nothing came back in time.
pub(crate) const fn timed_out(operation: &'static str) -> Fault {
    fault(FaultClass::Unavailable { timed_out: true }, operation)
}

/// The server cannot be reached.
pub(crate) const fn unavailable(operation: &'static str) -> Fault {
    fault(AWAY, operation)
}

/// An answer that is not what our statement says.
pub(crate) const fn bug(operation: &'static str) -> Fault {
    fault(FaultClass::Bug, operation)
}

/// A fault without a number.
pub(crate) const fn fault(class: FaultClass, operation: &'static str) -> Fault {
    Fault { dependency: Dependency::Database, class, code: None, subject: operation }
}

/// A fault as the read side shows it.
pub(crate) fn for_reader(fault: &Fault) -> ReadFault {
    let class = match fault.class {
        FaultClass::UniqueViolation | FaultClass::LockConflict | FaultClass::Unavailable { timed_out: _ } => "unavailable",
        FaultClass::Operator => "operator",
        FaultClass::UnknownState
        | FaultClass::Bug
        | FaultClass::Poison
        | FaultClass::EmailTaken
        | FaultClass::MissingParent
        | FaultClass::ReleaseLost => "bug",
    };
    ReadFault { class, code: fault.code, told: fault.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(number: u32, severity: u8, message: &str) -> FaultClass {
        of_server(number, severity, message, "apply_batch").class
    }

    #[test]
    fn each_number_has_its_class_whatever_its_severity() {
        let expected: [(FaultClass, &[u32]); 6] = [
            (FaultClass::LockConflict, &[1205, 1222, 3960]),
            (
                AWAY,
                &[
                    20, 64, 121, 233, 596, 921, 922, 923, 924, 925, 926, 927, 942, 945, 952, 976, 978, 979, 983, 4060, 6005, 9001, 10053,
                    10054, 10060, 10928, 10929, 10936, 17809, 18451, 18461, 40143, 40197, 40501, 40613, 42108, 42109, 49180, 49189, 49918,
                    49919, 49920,
                ],
            ),
            (
                FaultClass::Operator,
                &[
                    9002, 1105, 701, 8645, 300, 3906, 18456, 18486, 18487, 18488, 229, 230, 262, 916, 40544, 40549, 40550, 40551, 40552,
                    40553,
                ],
            ),
            (FaultClass::UnknownState, &[266, 3930, 3998, 3902, 3903, 50001]),
            (FaultClass::Bug, &[102, 156, 201, 207, 208, 515, 8144, 8672, 13600, 13605, 13609]),
            (FaultClass::Poison, &[2628, 8152, 8114, 8115, 220, 232, 241, 242, 245]),
        ];
        for (expected, numbers) in expected {
            for &number in numbers {
                for severity in [10, 16, 21] {
                    assert_eq!(class(number, severity, "pk_users uq_users_email"), expected, "{number}, severity {severity}");
                }
            }
        }
    }

    #[test]
    fn an_unlisted_number_is_for_the_operator_when_it_is_severe_and_else_holds() {
        for severity in [0, 11, 16] {
            assert_eq!(class(777_777, severity, ""), FaultClass::Bug);
        }
        for severity in [17, 19, 20, 25] {
            assert_eq!(class(777_777, severity, ""), FaultClass::Operator);
        }
    }

    #[test]
    fn the_constraint_decides_where_a_number_covers_two_classes() {
        for (name, expected) in CONSTRAINTS {
            for (number, message) in [
                (2627, format!("Violation of PRIMARY KEY constraint '{name}'. Cannot insert duplicate key in object 'dbo.t'.")),
                (2601, format!("Cannot insert duplicate key row in object 'dbo.t' with unique index '{name}'.")),
                (547, format!("The INSERT statement conflicted with the FOREIGN KEY constraint \"{name}\". The conflict occurred in …")),
            ] {
                let fault = of_server(number, 14, &message, "apply_batch");
                assert_eq!((fault.class, fault.subject, fault.code), (expected, name, Some(i64::from(number))));
            }
        }
    }

    #[test]
    fn a_constraint_that_is_not_ours_holds_even_when_the_data_quotes_one_of_ours() {
        for message in [
            "Violation of UNIQUE KEY constraint 'uq_other'. Cannot insert duplicate key in object 'dbo.users'. The duplicate key value is ('pk_users').",
            "Violation of PRIMARY KEY constraint 'pk_users_old'. Cannot insert duplicate key in object 'dbo.users_old'.",
            "Violation of PRIMARY KEY constraint 'my_pk_users'.",
            "pk_users",
            "",
        ] {
            for number in [2627, 2601, 547] {
                let fault = of_server(number, 14, message, "apply_batch");
                assert_eq!((fault.class, fault.subject), (FaultClass::Bug, "apply_batch"), "{number}: {message}");
            }
        }
        let first = "Violation of UNIQUE KEY constraint 'uq_users_email'. Cannot insert duplicate key in object 'dbo.users'. The duplicate \
                     key value is ('pk_users').";
        assert_eq!(class(2627, 14, first), FaultClass::EmailTaken, "the earliest name counts");
    }

    #[test]
    fn a_replica_that_is_not_the_right_one_says_which_setting_leads_to_another() {
        for (number, setting) in
            [(976, "MSSQL_SERVER"), (978, "API_MSSQL_APPLICATION_INTENT"), (979, "API_MSSQL_APPLICATION_INTENT"), (3906, "MSSQL_SERVER")]
        {
            let fault = of_server(number, 14, "", "connect");
            assert!(fault.advice().is_some_and(|advice| advice.contains(setting)), "{fault}");
        }
    }

    #[test]
    fn what_is_not_from_the_server_is_an_outage_or_ours() {
        for error in [
            Error::Io { kind: IoErrorKind::ConnectionReset, message: String::new() },
            Error::Tls(String::new()),
            Error::Protocol("".into()),
            Error::Encoding("".into()),
            Error::Utf8,
            Error::Utf16,
            Error::Routing { host: String::new(), port: 1 },
        ] {
            let fault = of_driver(&error, "ping");
            assert_eq!(fault.class, AWAY, "{error:?}");
            assert!(!leaves_connection_usable(&error, &fault));
        }
        let reset = Error::Io { kind: IoErrorKind::ConnectionReset, message: "canary".to_owned() };
        assert!(of_driver(&reset, "ping").to_string().starts_with("the database cannot be reached: connection lost: "));
        assert_eq!(of_driver(&reset, CONNECT).subject, CONNECT);
        let stalled = Error::Io { kind: IoErrorKind::TimedOut, message: String::new() };
        assert_eq!(of_driver(&stalled, "ping").class, FaultClass::Unavailable { timed_out: true });
        assert_eq!(of_driver(&Error::Conversion("".into()), "ping").class, FaultClass::Bug);
    }

    #[test]
    fn a_fault_never_carries_the_servers_text() {
        let message = "Violation of UNIQUE KEY constraint 'uq_users_email'. The duplicate key value is (canary@example.com).";
        let fault = of_server(2627, 14, message, "apply_batch");
        assert_eq!(fault.to_string(), "the database refuses the data (uq_users_email, error 2627)");
        assert!(!format!("{fault:?}").contains("canary"));
    }
}
