//! An e-mail address that changes hands inside a batch.
//!
//! Users are written one after the other, and each time SQLite checks that no address is there twice. What counts is the end of the batch:
//! a user whose newer event is in it may hold the address until that is written, or swap it with another. So the holder's key makes room.

use events::Event;
use pipeline::Batch;
use rusqlite::{Connection, OptionalExtension, ffi};

use crate::faults::Failure;
use crate::values::{Id, id, time};

/// Whether a user was refused because the address is taken: the only constraint of users that is no primary key.
pub(crate) fn is_taken(error: &rusqlite::Error) -> bool {
    error.sqlite_extended_error_code() == Some(ffi::SQLITE_CONSTRAINT_UNIQUE)
}

/// Takes the address from the row of its holder, if the batch writes that row anew; `false` if the address stays taken.
///
/// The holder's own event comes later in the batch and sets its key again. Where that fails, the whole batch is rolled back.
pub(crate) fn vacate(connection: &Connection, batch: Batch<'_>, key: &str) -> Result<bool, Failure> {
    let mut holder = connection.prepare_cached("SELECT user_id, event_at, event_id FROM users WHERE email_key = ?1")?;
    let holder = holder.query_row([key], |row| Ok((id(row, 0)?, (time(row, 1)?, id(row, 2)?)))).optional()?;
    let Some((user_id, shown)) = holder else { return Ok(false) };
    let is_newer = |event: &Event<'_>| (event.at, event.id) > shown;
    let moves = batch.users().any(|(_, event, user)| user.user_id == user_id && is_newer(event));
    if moves {
        connection.prepare_cached(include_str!("../sql/vacate_email.sql"))?.execute([Id(&user_id)])?;
    }
    Ok(moves)
}
