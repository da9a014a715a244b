//! The statements, each in a file of its own under `sql/`.

use std::iter::Peekable;
use std::str::CharIndices;
use std::sync::LazyLock;

/// A statement with its name, which is also what a [`pipeline::Fault`] calls the operation.
pub(crate) struct Statement {
    /// The file's name without `.sql`.
    pub(crate) name: &'static str,
    text: LazyLock<String>,
}

impl Statement {
    /// What is sent: it travels with every call, so comments and indentation are taken out, once.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

macro_rules! statements {
    ($($(#[$doc:meta])* $constant:ident = $name:literal;)+) => {
        $($(#[$doc])* pub(crate) static $constant: Statement = Statement {
            name: $name,
            text: LazyLock::new(|| compact(include_str!(concat!("../sql/", $name, ".sql")))),
        };)+

        #[cfg(test)]
        pub(crate) static ALL: &[&Statement] = &[$(&$constant),+];
    };
}

statements! {
    /// What a session is set to, right after login.
    SESSION = "session";
    /// Writes a batch.
    APPLY_BATCH = "apply_batch";
    /// Stores parked events.
    PARK = "park";
    /// Parked events whose parents are among those given.
    RELEASABLE_OF = "releasable_of";
    /// Parked events whose parent is persisted, or that wait for an e-mail address.
    RELEASABLE_ANY = "releasable_any";
    /// Deletes parked events.
    DISCARD = "discard";
    /// Claims parked events that waited too long.
    CLAIM_EXPIRED = "claim_expired";
    /// Counts parked events.
    PARKED = "parked";
    /// What parked events wait for.
    AWAITED = "awaited";
    /// The database's clock.
    NOW = "now";
    /// Moves positions of logs.
    ADVANCE_POSITIONS = "advance_positions";
    /// The positions of a topic's logs.
    POSITIONS = "positions";
    /// The rows that show an event, and that of an entity.
    TRACE_ROWS = "trace_rows";
    /// An event's line in the ledger.
    TRACE_LEDGER = "trace_ledger";
    /// Where an event is parked.
    TRACE_PARKED = "trace_parked";
    /// The row of an entity.
    TRACE_ENTITY = "trace_entity";
    /// The last lines of an article in the ledger.
    TRACE_ARTICLE = "trace_article";
    /// Parked events that wait for an entity.
    TRACE_CHILDREN = "trace_children";
    /// Parked events of a user.
    TRACE_CLAIMS = "trace_claims";
    /// Parked events in whose text an id stands.
    TRACE_MENTIONS = "trace_mentions";
    /// How many rows each table has.
    COUNT_ROWS = "count_rows";
    /// Users after a key.
    PAGE_USERS = "page_users";
    /// Orders after a key, with their items.
    PAGE_ORDERS = "page_orders";
    /// Payments after a key.
    PAGE_PAYMENTS = "page_payments";
    /// Lines of the ledger after a key.
    PAGE_ADJUSTMENTS = "page_adjustments";
    /// Users with these keys.
    ROWS_USERS = "rows_users";
    /// Orders with these keys, with their items.
    ROWS_ORDERS = "rows_orders";
    /// Payments with these keys.
    ROWS_PAYMENTS = "rows_payments";
    /// Lines of the ledger with these keys.
    ROWS_ADJUSTMENTS = "rows_adjustments";
    /// Articles whose quantity is not the sum of their ledger.
    WRONG_STOCK = "wrong_stock";
    /// How far the ledger is compacted.
    LEDGER_STATE = "ledger_state";
    /// Opening balances of articles after an article.
    OPENING_BALANCES = "opening_balances";
    /// What a compaction of the ledger would fold.
    FOLDABLE = "foldable";
    /// Begins a compaction of the ledger.
    BEGIN_COMPACTION = "begin_compaction";
    /// Goes on with a compaction of the ledger.
    COMPACT = "compact";
    /// Events that wait, after a place in the log.
    WAITING_PAGE = "waiting_page";
    /// Which of these events wait.
    WAITING = "waiting";
    /// Lets a user's row count as older than any event.
    OUTDATE_USER = "outdate_user";
    /// Lets an order's row count as older than any event.
    OUTDATE_ORDER = "outdate_order";
    /// Lets a payment's row count as older than any event.
    OUTDATE_PAYMENT = "outdate_payment";
    /// Takes a line out of the ledger.
    REMOVE_ADJUSTMENT = "remove_adjustment";
    /// Deletes a user's row.
    DELETE_USER = "delete_user";
    /// Deletes an order's row and its items.
    DELETE_ORDER = "delete_order";
    /// Deletes a payment's row.
    DELETE_PAYMENT = "delete_payment";
    /// Adds to the stock what it lacks of the sum of its ledger.
    CORRECT_STOCK = "correct_stock";
    /// Takes or prolongs a lease.
    TAKE_LEASE = "take_lease";
    /// Gives a lease back.
    RELEASE_LEASE = "release_lease";
    /// Notes that a consumer is there.
    BEAT = "beat";
    /// The consumers that are there.
    CONSUMERS = "consumers";
    /// A consumer stops.
    END_HEARTBEAT = "end_heartbeat";
    /// Adds entries to the audit log.
    APPEND_AUDIT = "append_audit";
    /// Entries of the audit log after a number.
    AUDIT_AFTER = "audit_after";
    /// Entries of the audit log before a number.
    AUDIT_BEFORE = "audit_before";
    /// Entries of the audit log of one operation.
    AUDIT_OF = "audit_of";
    /// The newest entries of the audit log about one thing.
    AUDIT_ABOUT = "audit_about";
    /// Makes a redrive job.
    PLAN_JOB = "plan_job";
    /// Notes what became of letters of a job.
    NOTE_LETTERS = "note_letters";
    /// Takes a job from one state to another.
    CHANGE_JOB = "change_job";
    /// Jobs before a number.
    JOBS_BEFORE = "jobs_before";
    /// The jobs that run.
    RUNNING_JOBS = "running_jobs";
    /// Letters of a job.
    JOB_LETTERS = "job_letters";
    /// A user with the last orders.
    USER = "user";
    /// The users that came last.
    RECENT_USERS = "recent_users";
    /// An order with its items and payment.
    ORDER = "order";
    /// The stock of an article.
    INVENTORY = "inventory";
    /// Reads a table of ours.
    PING = "ping";
    /// Rights on our tables.
    INSPECT = "inspect";
    /// The same for who only reads.
    INSPECT_READS = "inspect_reads";
    /// What a login may do and never needs to do.
    INSPECT_POWERS = "inspect_powers";
    /// How the database is set up.
    INSPECT_SETUP = "inspect_setup";
    /// When a consumer wrote last.
    AS_OF = "as_of";
    /// Creates the database when it is missing.
    CREATE_DATABASE = "create_database";
    /// Takes the lock under which migrations run.
    LOCK_MIGRATIONS = "lock_migrations";
    /// Creates the table of migrations when it is missing.
    CREATE_HISTORY = "create_history";
    /// The migrations that ran.
    HISTORY = "history";
    /// Notes that a migration ran.
    RECORD_MIGRATION = "record_migration";
}

/// The same statement without comments, and with every run of white space as one character, except inside quotes.
fn compact(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut chars = sql.char_indices().peekable();
    while let Some((start, char)) = chars.next() {
        match char {
            '\'' | '"' | '[' => {
                let end = quoted_end(&mut chars, if char == '[' { ']' } else { char }).unwrap_or(sql.len());
                text.push_str(&sql[start..end]);
            }
            '-' if sql[start..].starts_with("--") => while chars.next_if(|(_, char)| *char != '\n').is_some() {},
            '/' if sql[start..].starts_with("/*") => {
                let end = sql[start + 2..].find("*/").map_or(sql.len(), |length| start + 2 + length + 2);
                while chars.next_if(|(at, _)| *at < end).is_some() {}
                push_space(&mut text, ' ');
            }
            _ if char.is_whitespace() => push_space(&mut text, char),
            _ => text.push(char),
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// Where what was opened ends: after its closing quote. A doubled quote closes and opens again, which comes to the same.
fn quoted_end(chars: &mut Peekable<CharIndices<'_>>, close: char) -> Option<usize> {
    chars.by_ref().find(|(_, char)| *char == close).map(|(at, char)| at + char.len_utf8())
}

/// Adds white space, unless there is some; a line break wins over a blank.
fn push_space(text: &mut String, space: char) {
    let space = if space == '\n' { '\n' } else { ' ' };
    match text.chars().next_back() {
        None | Some('\n') => {}
        Some(' ') if space == '\n' => {
            text.pop();
            text.push('\n');
        }
        Some(' ') => {}
        Some(_) => text.push(space),
    }
}

#[cfg(test)]
mod tests {
    use sqlparser::dialect::MsSqlDialect;
    use sqlparser::parser::Parser;

    use super::*;

    #[test]
    fn comments_and_indentation_go_and_quoted_text_stays() {
        for (sql, compacted) in [
            ("SELECT 1 -- one\n  , 2", "SELECT 1\n, 2"),
            ("-- head\n\nSELECT/* a\n b */1;\r\n", "SELECT 1;"),
            ("SELECT '-- no  comment', N'it''s /* not */ one'", "SELECT '-- no  comment', N'it''s /* not */ one'"),
            ("SELECT [a -- b]  , \"c  /*\"", "SELECT [a -- b] , \"c  /*\""),
            ("SELECT 3-1, 4/2", "SELECT 3-1, 4/2"),
            ("SELECT 'é'--ü", "SELECT 'é'"),
        ] {
            assert_eq!(compact(sql), compacted);
        }
    }

    #[test]
    fn no_comment_is_sent() {
        for statement in ALL {
            assert!(!statement.text().contains("--"), "{}", statement.name);
            assert!(!statement.text().is_empty(), "{}", statement.name);
        }
        assert!(APPLY_BATCH.text().len() < include_str!("../sql/apply_batch.sql").len());
    }

    /// Statements that are right and that the parser does not know: `EXEC @result = procedure`, `DELETE … OUTPUT … FROM`.
    const UNPARSED: [&str; 2] = ["lock_migrations", "compact"];

    #[test]
    fn each_statement_parses() {
        for statement in ALL.iter().filter(|statement| !UNPARSED.contains(&statement.name)) {
            let parsed = Parser::parse_sql(&MsSqlDialect {}, statement.text());
            assert!(parsed.is_ok(), "{}: {}\n{}", statement.name, parsed.unwrap_err(), statement.text());
        }
    }
}
