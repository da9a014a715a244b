//! A server that is away, or goes away.

use std::time::{Duration, Instant};

use pipeline::{Batch, EventStore as _, Fault, FaultClass, Item, Outcome};
use sqlserver::{SqlServer, SqlServerConfig};
use testkit::builders::adjustment;
use tokio::net::TcpListener;

use crate::scripted::{Script, Scripted, Step, done, error, prelogin, routing, words};

const AWAY: FaultClass = FaultClass::Unavailable { timed_out: false };
const TIMED_OUT: FaultClass = FaultClass::Unavailable { timed_out: true };

/// How one event ends.
pub async fn apply_one(store: &SqlServer) -> Result<Outcome, Fault> {
    let event = adjustment("sku", 1);
    let items = [Item { event: &event, releases: Vec::new() }];
    store.apply(Batch::new(&items)).await.map(|mut applied| applied.outcomes.remove(0))
}

/// Less patient than [`Scripted::config`].
fn impatient(server: &Scripted) -> SqlServerConfig {
    let moment = Duration::from_secs(1);
    SqlServerConfig { connect_timeout: moment, command_timeout: moment, ..server.config() }
}

fn end() -> Step {
    Step::Answer(words(&[(-1, "end")]))
}

#[tokio::test]
async fn a_server_that_accepts_and_answers_nothing_is_a_timeout_within_its_bound() {
    let server = Scripted::raw(vec![vec![Step::Silence]]).await;
    let begun = Instant::now();
    let fault = SqlServer::new(impatient(&server)).check().await.unwrap_err();
    assert_eq!((fault.class, fault.subject), (TIMED_OUT, "connect"));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_server_that_hangs_in_the_middle_of_the_login_is_a_timeout_too() {
    for script in [vec![Step::Answer(prelogin()), Step::Silence], vec![Step::Answer(prelogin()), Step::Answer(done()), Step::Silence]] {
        let server = Scripted::raw(vec![script]).await;
        let fault = SqlServer::new(impatient(&server)).check().await.unwrap_err();
        assert_eq!((fault.class, fault.subject), (TIMED_OUT, "connect"));
    }
}

#[tokio::test]
async fn a_server_that_closes_or_refuses_is_away() {
    let server = Scripted::raw(vec![vec![Step::Close], vec![Step::Answer(prelogin()), Step::Close]]).await;
    let store = SqlServer::new(server.config());
    for _ in 0..2 {
        assert_eq!(store.check().await.unwrap_err().class, AWAY);
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = SqlServerConfig { port: listener.local_addr().unwrap().port(), ..server.config() };
    drop(listener);
    assert_eq!(SqlServer::new(nobody).check().await.unwrap_err().class, AWAY);
}

#[tokio::test]
async fn a_redirect_is_followed_and_a_loop_of_them_is_away() {
    let target = Scripted::open(vec![vec![Step::Answer(done())]]).await;
    let gateway = Scripted::raw(vec![vec![Step::Answer(prelogin()), Step::Answer(routing("127.0.0.1", target.port()))]]).await;
    assert_eq!(SqlServer::new(gateway.config()).check().await, Ok(()));
    assert_eq!((gateway.connections(), target.connections()), (1, 1));

    // A server cannot know its port before it stands, so that one sends everyone to a second, which sends everyone on to where nobody is.
    let redirect = |port| vec![Step::Answer(prelogin()), Step::Answer(routing("127.0.0.1", port))];
    let last = Scripted::raw(vec![redirect(1)]).await;
    let middle = Scripted::raw(vec![redirect(last.port())]).await;
    let first = Scripted::raw(vec![redirect(middle.port())]).await;
    let fault = SqlServer::new(first.config()).check().await.unwrap_err();
    assert_eq!(fault.class, AWAY);
    assert!(fault.subject.starts_with("redirect: ") && fault.subject.contains("more than twice"), "{fault}");
    assert_eq!((first.connections(), middle.connections(), last.connections()), (1, 1, 1));
}

#[tokio::test]
async fn a_statement_that_hangs_is_a_timeout_and_its_connection_is_not_used_again() {
    let server = Scripted::open(vec![vec![Step::Silence], vec![end()]]).await;
    let store = SqlServer::new(impatient(&server));
    let fault = apply_one(&store).await.unwrap_err();
    assert_eq!((fault.class, fault.subject), (TIMED_OUT, "apply_batch"));
    assert_eq!(apply_one(&store).await, Ok(Outcome::Applied));
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_connection_that_worked_is_used_again() {
    let server = Scripted::open(vec![vec![end(), Step::Answer(words(&[(-1, "end"), (0, "duplicate")])), end()]]).await;
    let store = SqlServer::new(server.config());
    assert_eq!(apply_one(&store).await, Ok(Outcome::Applied));
    assert_eq!(apply_one(&store).await, Ok(Outcome::Duplicate));
    assert_eq!(apply_one(&store).await, Ok(Outcome::Applied));
    assert_eq!(server.connections(), 1);
    assert_eq!(server.heard("SET LANGUAGE us_english"), [2]);
    assert_eq!(server.heard("SET LOCK_TIMEOUT 1234;"), [2], "once, after the login");
}

#[tokio::test]
async fn an_answer_that_is_cut_anywhere_is_never_believed() {
    let answer = words(&[(-1, "end"), (0, "duplicate")]);
    let whole = answer.len() + 8;
    let scripts: Vec<Script> = (0..whole).map(|length| vec![Step::Cut(answer.clone(), length)]).chain([vec![end()]]).collect();
    let server = Scripted::open(scripts).await;
    let store = SqlServer::new(server.config());
    for length in 0..whole {
        let fault = apply_one(&store).await.expect_err("the answer is not whole");
        assert_eq!(fault.class, AWAY, "cut after {length} bytes");
    }
    assert_eq!(apply_one(&store).await, Ok(Outcome::Applied), "the next answer is its own");
    assert_eq!(server.connections(), whole + 1);
}

#[tokio::test]
async fn a_future_that_is_dropped_half_way_takes_its_connection_with_it() {
    let server = Scripted::open(vec![vec![Step::Silence], vec![end()]]).await;
    let store = SqlServer::new(server.config());
    tokio::select! {
        result = apply_one(&store) => panic!("nobody has answered: {result:?}"),
        () = server.is_silent() => {}
    }
    assert_eq!(apply_one(&store).await, Ok(Outcome::Applied));
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn nobody_waits_for_ever_for_a_free_connection() {
    let server = Scripted::open(vec![vec![Step::Silence]]).await;
    let store = SqlServer::new(SqlServerConfig { pool_size: 1, connect_timeout: Duration::from_secs(1), ..server.config() });
    let begun = Instant::now();
    let (hanging, waiting) = (apply_one(&store), apply_one(&store));
    tokio::select! {
        biased;
        _ = hanging => panic!("it hangs for longer than the other waits"),
        result = waiting => {
            let fault = result.unwrap_err();
            assert_eq!((fault.class, fault.subject), (AWAY, "wait_for_connection"));
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn when_one_connection_breaks_its_idle_siblings_are_not_trusted() {
    // Both are opened, because both are asked at once; then the first to be taken breaks.
    let script = vec![end(), Step::Close];
    let server = Scripted::open(vec![script.clone(), script, vec![end()]]).await;
    let store = SqlServer::new(server.config());
    let both = tokio::join!(apply_one(&store), apply_one(&store));
    assert_eq!(both, (Ok(Outcome::Applied), Ok(Outcome::Applied)));
    assert_eq!(apply_one(&store).await.unwrap_err().class, AWAY);
    assert_eq!(apply_one(&store).await, Ok(Outcome::Applied));
    assert_eq!(server.connections(), 3);
}

#[tokio::test]
async fn a_login_that_is_refused_says_why_by_number() {
    for (number, expected) in [(18456, FaultClass::Operator), (4060, AWAY), (18456, FaultClass::Operator)] {
        let refusal = [error(number, 14, "Login failed."), error(18456, 14, "Login failed.")].concat();
        let server = Scripted::raw(vec![vec![Step::Answer(prelogin()), Step::Answer(refusal)]]).await;
        let fault = SqlServer::new(server.config()).check().await.unwrap_err();
        assert_eq!((fault.class, fault.code), (expected, Some(i64::from(number))), "the first error counts");
    }
}
