//! The exit codes that the README promises, as far as a process without a server can come to them.

use crate::process::{run, standalone};

/// A hash that no entry has.
const NOWHERE: &str = "1111111111111111111111111111111111111111111111111111111111111111";

#[test]
fn done_failed_wrong_usage_and_not_finished_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["good", "bad", "empty"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    drop(sqlite::Sqlite::open(&folder.path().join("good/events.db")).unwrap());
    std::fs::write(folder.path().join("bad/events.db"), [b'x'; 8192]).unwrap();
    let nothing_listens = ("KAFKA_BROKERS", "127.0.0.1:1");
    for (code, arguments, settings) in [
        (0, &["--data-dir", "good", "dlq", "list"][..], &[][..]),
        (1, &["--data-dir", "good", "dlq", "show", "0123456789ab"], &[]),
        (1, &["--data-dir", "bad", "dlq", "list"], &[]),
        (1, &["--data-dir", "good", "status"], &[]),
        (2, &["--data-dir", "good", "dlq", "show", "x"], &[]),
        (2, &["dlq", "list"], &[]),
        (2, &["--nonsense"], &[]),
        (2, &["demo"], &[("API_PORT", "x")]),
        // A log that is broken is one thing, and one that cannot be read another.
        (0, &["--data-dir", "good", "audit", "verify"], &[]),
        (1, &["--data-dir", "good", "audit", "verify", "--expect", NOWHERE], &[]),
        (2, &["--data-dir", "good", "audit", "verify", "--expect", "x"], &[]),
        (2, &["audit", "verify"], &[]),
        (3, &["--data-dir", "bad", "audit", "verify"], &[]),
        (3, &["--data-dir", "empty", "audit", "verify"], &[]),
        (1, &["--data-dir", "bad", "audit"], &[]),
        (2, &["--data-dir", "good", "verify"], &[]),
        (3, &["--data-dir", "empty", "verify"], &[nothing_listens]),
    ] {
        let mut command = standalone(folder.path(), arguments);
        command.env("API_PORT", "1").envs(settings.iter().copied());
        let (output, stdout, stderr) = run(command);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stdout}{stderr}");
        assert!(
            code == 0 || arguments.contains(&"status") || !stderr.is_empty() || arguments.contains(&"--expect"),
            "{arguments:?} says why"
        );
    }
}
