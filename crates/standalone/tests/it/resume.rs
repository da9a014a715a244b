//! Letting a held flood go where the dead letters are in a file.

use std::path::Path;

use pipeline::ports::FloodPermits as _;
use sqlite::Sqlite;

use crate::process::{run, standalone};

fn resume(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let (output, stdout, stderr) = run(standalone(folder, &[&["resume"], arguments].concat()));
    (output.status.code(), stdout, stderr)
}

#[tokio::test]
async fn what_is_permitted_is_in_the_file_of_the_pipeline_that_holds() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Sqlite::open(&folder.path().join("events.db")).unwrap();
    assert_eq!(queue.spend(1).await, Ok(0));
    let (code, told, _) = resume(folder.path(), &["--records", "5", "--data-dir", "."]);
    assert_eq!((code, told.as_str()), (Some(0), "5 unwritable records may pass.\n"));
    assert_eq!(queue.spend(6).await, Ok(5));
    assert_eq!(queue.spend(1).await, Ok(0));
}

#[test]
fn without_the_folder_it_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, error) = resume(folder.path(), &["--always"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("--data-dir") && error.contains("REDIS_HOST"), "{error}");
    let (code, _, error) = resume(folder.path(), &["--always", "--data-dir", "."]);
    assert_eq!(code, Some(1));
    assert!(error.contains("nothing has run in"), "{error}");
}
