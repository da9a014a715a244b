//! What a person meets who types something wrong.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use clap::CommandFactory as _;
use testkit::eventually;

use crate::process::{Running, run, standalone};

#[test]
fn every_wrong_setting_is_named_at_once_and_no_value_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = standalone(folder.path(), &["demo"]);
    command.envs([("KAFKA_BROKERS", "nowhere"), ("API_PORT", "hunter2"), ("PARKING_DEADLINE", "soon")]);
    let (output, _, stderr) = run(command);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    for text in ["3 settings are wrong", "KAFKA_BROKERS must be", "API_PORT must be", "PARKING_DEADLINE must be"] {
        assert!(stderr.contains(text), "{stderr}");
    }
    assert!(!stderr.contains("hunter2"), "{stderr}");
}

#[test]
fn a_broken_env_file_is_named_without_its_content() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), "REDIS_PASSWORD='hunter2\n").unwrap();
    let (output, _, stderr) = run(standalone(folder.path(), &["demo"]));
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains(".env") && !stderr.contains("hunter2"), "{stderr}");
}

#[test]
fn a_mistyped_name_and_a_setting_without_effect_are_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), "# a comment\nDLQ_MAX_RATIO=2\n").unwrap();
    let mut command = standalone(folder.path(), &["status"]);
    command.envs([("MSSQL_PASSWORD", "canary7f3a"), ("KAFKA_BROKER", "x:1"), ("API_MSSQL_SERVER", "y"), ("API_PORT", "1")]);
    let (output, _, error) = run(command);
    assert_eq!(output.status.code(), Some(2));
    assert!(error.contains("DLQ_MAX_RATIO must be a number from 0 to 1 (it is 2, from line 2 of `.env`)"), "{error}");
    std::fs::remove_file(folder.path().join(".env")).unwrap();

    // On stderr; `status` tells them on its screen, among all that is to be looked at.
    for (arguments, on_screen) in [(&["audit"][..], false), (&["status"], true)] {
        let mut command = standalone(folder.path(), arguments);
        command.envs([("MSSQL_PASSWORD", "canary7f3a"), ("KAFKA_BROKER", "x:1"), ("API_MSSQL_SERVER", "y"), ("API_PORT", "1")]);
        let (output, shown, error) = run(command);
        assert_ne!(output.status.code(), Some(0), "{error}");
        let place = if on_screen { shown.split_whitespace().collect::<Vec<_>>().join(" ") } else { error.clone() };
        for told in [
            "KAFKA_BROKER is set and is no setting: is KAFKA_BROKERS meant?",
            "MSSQL_PASSWORD has no effect without MSSQL_SERVER: the database is embedded",
            "API_MSSQL_SERVER has no effect here",
        ] {
            assert!(place.contains(told), "{told}: {shown}{error}");
        }
        assert!(!shown.contains("canary7f3a") && !error.contains("canary7f3a"), "{shown}{error}");
    }
}

#[test]
fn a_port_that_is_taken_is_named_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for arguments in [&[][..], &["demo"], &["load", "--events", "1"], &["menu"]] {
        let mut command = standalone(folder.path(), arguments);
        command.env("API_PORT", &port);
        let (output, _, stderr) = run(command);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {stderr}");
        let told = format!("the read API cannot listen on 127.0.0.1:{port}: set API_PORT to a free port");
        assert!(stderr.contains(&told), "{arguments:?}: {stderr}");
    }
}

#[test]
fn a_data_dir_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let (output, _, stderr) = run(standalone(folder.path(), &["demo", "--data-dir", "file"]));
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("--data-dir"), "{stderr}");
}

/// Two brokers in memory would fill the same tables, each with a log of its own.
#[test]
fn a_data_dir_is_for_one_process_with_an_embedded_broker_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = || {
        let mut command = standalone(folder.path(), &["--data-dir", "data"]);
        command.env("API_PORT", "0").stdout(Stdio::piped());
        let mut running = Running(command.spawn().unwrap());
        let mut said = BufReader::new(running.0.stdout.take().unwrap()).lines();
        assert!(said.any(|line| line.unwrap().contains("Ctrl-C stops")));
        // Read on, so that it never waits for a reader.
        std::thread::spawn(move || said.for_each(drop));
        running
    };
    let running = first();
    let (output, _, stderr) = run(standalone(folder.path(), &["load", "--events", "1", "--data-dir", "data"]));
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("--data-dir: another process runs with data and an embedded broker of its own: stop it"), "{stderr}");
    let (output, _, stderr) = run(standalone(folder.path(), &["--data-dir", "data", "dlq", "list"]));
    assert_eq!(output.status.code(), Some(0), "whoever only looks may: {stderr}");
    running.kill();
    drop(first());
}

/// Ctrl-C ends all of `standalone 2>&1 | tee file`: whoever read what it says may be gone first.
#[cfg(unix)]
#[tokio::test]
async fn it_stops_in_order_when_nobody_reads_what_it_says_and_logs() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = standalone(folder.path(), &[]);
    command.env("API_PORT", "0").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running(command.spawn().unwrap());
    let mut said = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let logged = running.0.stderr.take();
    assert!(said.any(|line| line.unwrap().contains("Ctrl-C stops")));
    drop((said, logged));
    let id = running.0.id().to_string();
    assert!(Command::new("kill").args(["-s", "INT", &id]).status().unwrap().success());
    let mut ended = None;
    eventually(Duration::from_secs(30), "the program ends", async || {
        ended = running.0.try_wait().unwrap();
        ended.is_some()
    })
    .await;
    assert!(ended.unwrap().success());
}

#[test]
fn completions_and_manual_pages_name_every_command() {
    testkit::command_line::hold_package_files(env!("CARGO_BIN_EXE_standalone"));
}

#[test]
fn the_help_of_every_command_has_one_form() {
    testkit::command_line::hold_help(env!("CARGO_BIN_EXE_standalone"));
}

#[test]
fn the_commands_that_the_consumer_has_too_are_listed_in_its_order() {
    let ours = testkit::command_line::top_commands(env!("CARGO_BIN_EXE_standalone"));
    let consumer = consumer::cli::Cli::command();
    let theirs: Vec<_> =
        consumer.get_subcommands().map(|command| command.get_name().to_owned()).filter(|name| ours.contains(name)).collect();
    let common: Vec<_> = ours.into_iter().filter(|name| theirs.contains(name)).collect();
    assert!(common.len() > 10 && common == theirs, "{common:?} {theirs:?}");
}

#[test]
fn what_is_wrong_is_said_in_one_way_and_told_by_the_exit_code() {
    testkit::command_line::hold_errors(env!("CARGO_BIN_EXE_standalone"), &["demo"]);
}
