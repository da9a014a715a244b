//! What the server refuses, and whether its connection may be used again.

use pipeline::{FaultClass, Outcome};
use sqlserver::SqlServer;

use crate::outages::apply_one;
use crate::scripted::{Scripted, Step, done, error, words};

/// The class of the server's answer, and how many connections it and the next statement took.
async fn class_and_connections(answer: Vec<u8>) -> (FaultClass, usize) {
    let end = || Step::Answer(words(&[(-1, "end")]));
    let server = Scripted::open(vec![vec![Step::Answer(answer), end()], vec![end()]]).await;
    let store = SqlServer::new(server.config());
    let fault = apply_one(&store).await.expect_err("the server refused");
    assert_eq!(apply_one(&store).await, Ok(Outcome::Applied));
    (fault.class, server.connections())
}

#[tokio::test]
async fn after_a_clean_refusal_the_connection_is_used_again() {
    let email = "Violation of UNIQUE KEY constraint 'uq_users_email'. Cannot insert duplicate key in object 'dbo.users'.";
    let key = "Violation of PRIMARY KEY constraint 'pk_users'. Cannot insert duplicate key in object 'dbo.users'.";
    let parent = "The INSERT statement conflicted with the FOREIGN KEY constraint \"fk_orders_user\".";
    for (number, severity, message, class) in [
        (1205, 13, "Transaction was deadlocked.", FaultClass::LockConflict),
        (2627, 14, key, FaultClass::UniqueViolation),
        (2627, 14, email, FaultClass::EmailTaken),
        (547, 16, parent, FaultClass::MissingParent),
        (2628, 16, "String or binary data would be truncated.", FaultClass::Poison),
    ] {
        assert_eq!(class_and_connections(error(number, severity, message)).await, (class, 1), "{number}");
    }
}

#[tokio::test]
async fn after_anything_else_it_is_closed() {
    let away = FaultClass::Unavailable { timed_out: false };
    for (number, severity, class) in [
        (208, 16, FaultClass::Bug),
        (3930, 16, FaultClass::UnknownState),
        (50001, 16, FaultClass::UnknownState),
        (9002, 17, FaultClass::Operator),
        (596, 21, away),
        (1205, 20, FaultClass::LockConflict),
    ] {
        assert_eq!(class_and_connections(error(number, severity, "No.")).await, (class, 2), "{number}");
    }
}

#[tokio::test]
async fn the_first_error_of_an_answer_counts() {
    let answer = [error(2628, 16, "Truncated."), error(3621, 0, "The statement has been terminated.")].concat();
    assert_eq!(class_and_connections(answer).await, (FaultClass::Poison, 1));
}

#[tokio::test]
async fn an_error_after_rows_still_counts() {
    let answer = [words(&[(-1, "end")]), error(1205, 13, "Deadlock.")].concat();
    assert_eq!(class_and_connections(answer).await.0, FaultClass::LockConflict);
}

#[tokio::test]
async fn an_answer_without_a_last_word_dooms_its_connection() {
    for answer in [done(), words(&[]), words(&[(0, "stale")]), words(&[(-1, "open")])] {
        assert_eq!(class_and_connections(answer).await, (FaultClass::UnknownState, 2));
    }
}

#[tokio::test]
async fn a_release_that_was_taken_leaves_the_connection_usable() {
    assert_eq!(class_and_connections(words(&[(-1, "taken")])).await, (FaultClass::ReleaseLost, 1));
}
