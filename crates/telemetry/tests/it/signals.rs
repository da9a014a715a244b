use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use telemetry::Shutdown;

const CHILD: &str = "TELEMETRY_TEST_CHILD";

/// Not a test of its own: what the other tests start as a process. It never ends by itself after the first signal.
#[tokio::test]
async fn the_process_that_is_stopped() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let shutdown = Shutdown::on_signals().unwrap();
    eprintln!("ready");
    shutdown.requested().await;
    eprintln!("asked");
    tokio::time::timeout(Duration::from_secs(30), std::future::pending::<()>()).await.unwrap();
}

fn start() -> (Child, impl FnMut(&str)) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "signals::the_process_that_is_stopped", "--nocapture"])
        .env(CHILD, "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    (child, move |expected: &str| assert!(lines.any(|line| line.unwrap().contains(expected)), "no line {expected}"))
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Waits for its end; the process itself gives up after 30 s.
fn end(mut child: Child) -> ExitStatus {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || send.send(child.wait()));
    receive.recv_timeout(Duration::from_secs(60)).unwrap().unwrap()
}

#[test]
fn the_second_signal_ends_the_process_with_its_own_code() {
    for (second, code) in [("INT", 130), ("TERM", 143)] {
        let (child, mut wait_for) = start();
        wait_for("ready");
        signal(&child, "TERM");
        wait_for("asked");
        signal(&child, second);
        assert_eq!(end(child).code(), Some(code));
    }
}
