//! A standard output that takes nothing.

use std::process::Stdio;

use crate::process::standalone;

#[cfg(target_os = "linux")]
#[test]
fn a_full_standard_output_is_told_and_ends_in_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    drop(sqlite::Sqlite::open(&folder.path().join("events.db")).unwrap());
    for arguments in [&["resume", "--records", "1"][..], &["trace", "5f0c1f3e-7a55-4a32-8f0e-1d2c3b4a5968"], &["dlq", "list"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = standalone(folder.path(), &["--data-dir", "."]);
        command.args(arguments).stdout(full).stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1)) && !said.contains("panicked"), "{arguments:?}: {said}");
        assert!(said.contains("No space left on device"), "{arguments:?}: {said}");
    }
}
