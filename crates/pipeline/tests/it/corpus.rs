//! The corpus of the fuzz targets, replayed.

use std::path::Path;

use crate::properties;

/// The bytes of each file of a target's corpus, after its name.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        let path = file.unwrap().path();
        (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap())
    };
    files.map(read).collect()
}

/// The property holds for every file and for each of its beginnings and ends, which are records that were cut.
#[track_caller]
fn replay(target: &str, holds: fn(&[u8])) {
    let files = corpus(target);
    assert!(files.len() >= 24, "{target}: the corpus is gone");
    for (name, bytes) in files {
        for cut in 0..=bytes.len() {
            let both = || [&bytes[..cut], &bytes[cut..]].into_iter().for_each(holds);
            assert!(std::panic::catch_unwind(both).is_ok(), "{target}/{name}, cut after {cut} bytes");
        }
    }
}

#[test]
fn any_record_is_an_event_or_a_dead_letter_that_quotes_nothing() {
    replay("record", properties::record::holds);
}

#[test]
fn any_field_is_taken_or_refused_by_the_rules_and_named() {
    replay("field", properties::field::holds);
}

#[test]
fn any_entry_of_the_queue_is_read_and_written_again_without_loss() {
    replay("entry", properties::entry::holds);
}
