//! Moving what the write-ahead log holds into the file, beside the writer.
//!
//! SQLite does it in the commit that makes the log long enough: keys are random, so that is tens of thousands of writes all over the file, and
//! that commit would wait for all of them. Here a thread moves nearly all of it while the writer goes on, and the writer's next commit moves the little
//! that was written meanwhile: nobody writes then, so the log is moved as a whole and begins anew. Source: <https://www.sqlite.org/wal.html>,
//! "Checkpointing".

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;
use rusqlite::hooks::Wal;

/// Moves that a thread makes before the writer moves the rest: each leaves what was written while it went on.
const PASSES: usize = 3;

/// The thread that moves. It ends with the connection that it was made for, and is waited for when this is dropped.
///
/// To be dropped after that connection: whoever closes a file last moves the whole log into it and removes it, and of two that close it at the same
/// moment each takes the other for one that stays.
pub(crate) struct Checkpointer {
    thread: Option<JoinHandle<Connection>>,
}

impl Checkpointer {
    /// Has the log moved each time that it holds so many pages. `beside` is another connection to the file of `writer`, as durable as that.
    ///
    /// Where no thread can be had, the writer moves the log by itself.
    ///
    /// # Errors
    /// SQLite's.
    pub(crate) fn start(writer: &mut Connection, beside: Connection, pages: i32) -> rusqlite::Result<Self> {
        let (request, requests) = sync_channel(1);
        let nearly_done = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&nearly_done);
        let thread = std::thread::Builder::new().name("sqlite-checkpoint".to_owned()).spawn(move || {
            run(&beside, &requests, pages / 32, &told);
            beside
        });
        writer.wal_hook(Some(after_commit(request, nearly_done, pages)))?;
        Ok(Self { thread: thread.ok() })
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // It has not panicked: it only asks SQLite. Its connection is closed here.
            thread.join().ok();
        }
    }
}

/// What the writer does after each commit, given the pages in the log. An error would be told as one of the commit, which is done.
fn after_commit(
    request: SyncSender<()>,
    nearly_done: Arc<AtomicBool>,
    pages: i32,
) -> impl FnMut(&mut Wal, i32) -> rusqlite::Result<()> + Send + 'static {
    let (mut due, mut before) = (pages, 0);
    move |log, held| {
        if held < before {
            due = pages;
        }
        before = held;
        if nearly_done.swap(false, Ordering::Acquire) {
            log.checkpoint().ok();
        } else if held >= due {
            // A reader of an old moment keeps the log from being moved: asked again at each commit, that would be tried in vain each time.
            due = held.saturating_add(pages / 4);
            // A full channel has a request already.
            if let Err(std::sync::mpsc::TrySendError::Disconnected(())) = request.try_send(()) {
                log.checkpoint().ok();
            }
        }
        Ok(())
    }
}

/// Moves the log at each request, until there can be no more. `few` pages are left to the writer.
fn run(connection: &Connection, requests: &Receiver<()>, few: i32, nearly_done: &AtomicBool) {
    while let Ok(()) = requests.recv() {
        for _ in 0..PASSES {
            match checkpoint(connection) {
                Ok(left) if left > few => {}
                // A writer that cannot move the rest leaves it to the next request.
                Ok(_) | Err(_) => break,
            }
        }
        nearly_done.store(true, Ordering::Release);
    }
}

/// Moves what can be moved without waiting for anybody, and returns how many pages are left.
fn checkpoint(connection: &Connection) -> rusqlite::Result<i32> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| Ok(row.get::<_, i32>(1)? - row.get::<_, i32>(2)?))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use tempfile::TempDir;

    use super::*;
    use crate::connection::{self, Durability};

    /// Pages that the log of a test may hold before it is moved.
    const PAGES: i32 = 64;

    struct File {
        writer: Connection,
        checkpointer: Checkpointer,
        path: std::path::PathBuf,
        _folder: TempDir,
    }

    fn file() -> File {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("events.db");
        let mut writer = connection::writer(&path).unwrap();
        connection::set_durability(&writer, Durability::None).unwrap();
        writer.execute_batch("CREATE TABLE filler (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL)").unwrap();
        let beside = connection::writer(&path).unwrap();
        connection::set_durability(&beside, Durability::None).unwrap();
        let checkpointer = Checkpointer::start(&mut writer, beside, PAGES).unwrap();
        File { writer, checkpointer, path, _folder: folder }
    }

    impl File {
        /// Commits some pages.
        fn commit(&self) {
            self.writer.execute("INSERT INTO filler (bytes) VALUES (randomblob(20000))", []).unwrap();
        }

        /// Pages in the log.
        fn log(&self) -> i32 {
            self.writer.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get(1)).unwrap()
        }

        fn rows(&self) -> i64 {
            self.writer.query_row("SELECT count(*) FROM filler", [], |row| row.get(0)).unwrap()
        }
    }

    #[test]
    fn the_log_begins_anew_while_it_is_written_and_the_rows_are_in_the_file() {
        let file = file();
        let (begun, mut commits, mut fewer) = (Instant::now(), 0, 0);
        let (mut before, mut most) = (0, 0);
        while fewer < 3 {
            assert!(begun.elapsed() < Duration::from_secs(60), "{commits} commits, {before} pages");
            file.commit();
            commits += 1;
            let held = file.log();
            fewer += i32::from(held < before);
            (before, most) = (held, most.max(held));
        }
        assert!(most >= PAGES, "not before it is long: {most}");
        assert_eq!(file.rows(), commits);
        let File { writer, checkpointer, path, _folder } = file;
        drop(writer);
        drop(checkpointer);
        assert!(!path.with_extension("db-wal").exists(), "whoever closes the file last moves all of it");
        let again = Connection::open(&path).unwrap();
        assert_eq!(again.query_row("SELECT count(*) FROM filler", [], |row| row.get::<_, i64>(0)).unwrap(), commits);
    }

    #[test]
    fn a_reader_of_an_old_moment_keeps_its_moment_and_the_log_grows_meanwhile() {
        let file = file();
        file.commit();
        let reader = connection::reader(&file.path).unwrap();
        let moment = reader.unchecked_transaction().unwrap();
        let count = || moment.query_row("SELECT count(*) FROM filler", [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count(), 1);
        for _ in 0..10 * PAGES {
            file.commit();
        }
        assert_eq!((count(), file.rows()), (1, i64::from(10 * PAGES) + 1));
    }
}
