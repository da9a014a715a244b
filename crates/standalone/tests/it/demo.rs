//! `standalone demo` on embedded parts.

use crate::process::{run, standalone};

#[test]
fn the_demo_shows_six_steps_and_ends_with_a_checked_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let (output, stdout, stderr) = run(standalone(folder.path(), &["demo"]));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    for step in 1..=6 {
        assert!(stdout.contains(&format!("--- Step {step} of 6: ")), "{stdout}");
    }
    assert!(stdout.contains("VERDICT: everything is as it must be."), "{stdout}");
    assert!(!stdout.contains("[FAILED]"), "{stdout}");
    assert_people_can_read(&stdout);
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing is left behind");
}

/// Nothing of JSON, and times that do not run back.
fn assert_people_can_read(told: &str) {
    for sign in ["null", "{\"", "\":", "[{", "Some(", "None"] {
        assert!(!told.contains(sign), "{sign}: {told}");
    }
    let words = told.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_ascii_alphanumeric()));
    let times: Vec<_> = words.filter_map(|word| events::Timestamp::parse(word).ok()).collect();
    assert!(!times.is_empty() && times.is_sorted(), "{times:?}: {told}");
}

#[test]
fn tables_in_a_data_dir_survive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("kept");
    for _ in 0..2 {
        let (output, stdout, stderr) = run(standalone(folder.path(), &["demo", "--data-dir", data.to_str().unwrap()]));
        assert!(output.status.success(), "{stdout}\n{stderr}");
    }
    let users = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let tables = sqlite::Sqlite::open(&data.join("events.db")).unwrap();
        readmodel::ReadStore::recent_users(&tables, 100).await.unwrap().len()
    });
    assert_eq!(users, 4, "two users of each run");
}
