//! A standard output that takes nothing.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::process::standalone;

/// Commands that tell something of what is in a folder.
const TELLING: [&[&str]; 8] = [
    &["resume", "--records", "1"],
    &["trace", "5f0c1f3e-7a55-4a32-8f0e-1d2c3b4a5968"],
    &["dlq", "list"],
    &["dlq", "stats"],
    &["audit"],
    &["status"],
    &["check"],
    &["parked", "list"],
];

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_is_told_and_ends_in_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    drop(sqlite::Sqlite::open(&folder.path().join("events.db")).unwrap());
    for arguments in TELLING {
        let (code, said) = told_to(telling(folder.path(), arguments), full());
        assert!(matches!(code, Some(0 | 1)) && !said.contains("panicked"), "{arguments:?}: {said}");
        assert!(said.contains("No space left on device"), "{arguments:?}: {said}");
    }
}

/// As in `… | head`, where `head` has ended.
#[test]
fn a_standard_output_that_nobody_reads_any_more_ends_in_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    drop(sqlite::Sqlite::open(&folder.path().join("events.db")).unwrap());
    for arguments in TELLING {
        let (code, said) = told_to(telling(folder.path(), arguments), closed());
        assert!(matches!(code, Some(0 | 1)) && !said.contains("panicked"), "{arguments:?}: {said}");
        assert!(!said.contains("No space left"), "{arguments:?}: {said}");
    }
}

fn telling(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = standalone(folder, &["--data-dir", "."]);
    command.args(arguments).env("API_PORT", "1");
    command
}

/// What has no room.
#[cfg(target_os = "linux")]
pub fn full() -> Stdio {
    std::fs::File::options().write(true).open("/dev/full").unwrap().into()
}

/// What nobody reads any more.
pub fn closed() -> Stdio {
    std::io::pipe().unwrap().1.into()
}

/// Runs it with this in the place of its standard output: the exit code, and what it says on the standard error.
pub fn told_to(mut command: Command, stdout: Stdio) -> (Option<i32>, String) {
    command.stdout(stdout).stderr(Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}
