//! What operators change on a command line, and whether that log is whole.

use std::path::Path;

use rusqlite::Connection;
use sqlite::Sqlite;

use crate::process::{run, standalone};

/// The exit code, and what was said on both outputs.
fn said(folder: &Path, user: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = standalone(folder, arguments);
    command.env("USER", user).env_remove("LOGNAME").env_remove("USERNAME");
    let (output, stdout, stderr) = run(command);
    (output.status.code(), stdout, stderr)
}

#[test]
fn a_change_is_noted_with_the_user_and_a_change_of_the_log_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.db");
    drop(Sqlite::open(&file).unwrap());
    std::fs::write(folder.path().join("letters.jsonl"), "{\"a\":1}\n{\"a\":2}\n").unwrap();
    let audit = |arguments: &[&str]| said(folder.path(), "eve", &[&["--data-dir", ".", "audit"], arguments].concat());
    assert_eq!(said(folder.path(), "ada", &["--data-dir", ".", "dlq", "import", "letters.jsonl", "--any"]).0, Some(0));
    assert_eq!(said(folder.path(), "grace", &["--data-dir", ".", "dlq", "purge", "--all", "--yes"]).0, Some(0));
    assert_eq!(said(folder.path(), " ", &["--data-dir", ".", "resume", "--records", "5"]).0, Some(0));

    let (code, stdout, stderr) = audit(&[]);
    assert_eq!((code, stdout.lines().count()), (Some(0), 1 + 4 + 4 + 2), "{stdout}{stderr}");
    for words in [
        "ada      command_line  import",
        "grace    command_line  purge",
        "unknown  command_line  resume  5 unwritable records may pass.  done",
    ] {
        assert!(stdout.contains(words), "{words}: {stdout}");
    }
    let (code, verdict, _) = audit(&["verify"]);
    assert!(code == Some(0) && verdict.starts_with("unbroken: 10 entries, the last hash is "), "{verdict}");
    let noted = verdict.trim().rsplit(' ').next().unwrap().to_owned();

    let table = Connection::open(&file).unwrap();
    table.execute_batch("DROP TRIGGER audit_log_is_not_cut; DELETE FROM audit_log WHERE number > 6").unwrap();
    assert_eq!(audit(&["verify"]).0, Some(0), "the chain of what is left is whole");
    let (code, verdict, _) = audit(&["verify", "--expect", &noted]);
    assert!(code == Some(1) && verdict.contains("cut off"), "{verdict}");
    table.execute_batch("DELETE FROM audit_log WHERE number = 3").unwrap();
    let (code, verdict, _) = audit(&["verify"]);
    assert_eq!((code, verdict.trim()), (Some(1), "broken: entry 3 is missing: entry 4 comes after the one before it"));
    table.execute_batch("DROP TABLE audit_log").unwrap();
    let (code, _, problem) = audit(&["verify"]);
    assert!(code == Some(3) && problem.contains("database"), "{problem}");
    assert_eq!(audit(&["verify", "--expect", "hash"]).0, Some(2));

    let (code, _, problem) = said(folder.path(), "ada", &["--data-dir", ".", "dlq", "import", "letters.jsonl", "--any"]);
    assert!(code == Some(1) && problem.contains("the database") && problem.contains("nothing was changed"), "{problem}");
}
