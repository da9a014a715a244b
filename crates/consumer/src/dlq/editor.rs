//! A person's editor.

use std::io::{self, Error, Write as _};
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempPath;

/// What is opened where neither `VISUAL` nor `EDITOR` is set.
const FALLBACK: &str = if cfg!(windows) { "notepad" } else { "vi" };

/// Opens the text in `$VISUAL` or `$EDITOR`, in a file that only its owner can read, and returns it as it was left. Waits as long as the
/// editor is open.
///
/// # Errors
/// The editor cannot be started, or did not end well; the text says so.
pub fn edit(text: &str) -> io::Result<String> {
    let set = ["VISUAL", "EDITOR"].into_iter().filter_map(|name| std::env::var(name).ok());
    let editor = set.into_iter().find(|editor| !editor.trim().is_empty()).unwrap_or_else(|| FALLBACK.to_owned());
    let words = shell_words::split(&editor).map_err(|_| Error::other("VISUAL or EDITOR has a quote that is not closed"))?;
    let (program, arguments) = words.split_first().ok_or_else(|| Error::other("VISUAL or EDITOR names no program"))?;
    // Closed, so that an editor on any system may replace it; removed when this ends.
    let path = written(text, "dead-letter-")?;
    let status = Command::new(program).args(arguments).arg(&path).status();
    let status = status.map_err(|error| Error::new(error.kind(), format!("the editor {program} cannot be started: {error}")))?;
    if !status.success() {
        return Err(Error::other(format!("the editor {program} did not end well ({status}): nothing was sent")));
    }
    std::fs::read_to_string(&path)
}

/// Keeps a text in a file that only its owner can read and that stays, and says where.
///
/// # Errors
/// The folder of temporary files takes none.
pub fn keep(text: &str, id: &str) -> io::Result<PathBuf> {
    Ok(written(text, &format!("dead-letter-{id}-"))?.keep()?)
}

fn written(text: &str, prefix: &str) -> io::Result<TempPath> {
    let mut file = tempfile::Builder::new().prefix(prefix).suffix(".json").tempfile()?;
    writeln!(file, "{}", text.trim_end_matches('\n'))?;
    Ok(file.into_temp_path())
}
