//! Where the file is.

use std::path::PathBuf;
use std::time::Duration;

use settings::Reader;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Where the embedded database is, and how long it remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteConfig {
    /// The file; `None` is a temporary one that goes with the program.
    pub path: Option<PathBuf>,
    /// How long a dead letter's identity is remembered, so that a record that is consumed again is not listed again.
    pub seen_retention: Duration,
}

impl Default for SqliteConfig {
    fn default() -> Self {
        Self { path: None, seen_retention: 30 * DAY }
    }
}

impl SqliteConfig {
    /// Reads the settings.
    pub fn read(env: &mut Reader) -> Self {
        let default = Self::default();
        Self {
            path: env.optional("SQLITE_PATH", "File of the embedded database; without it a temporary one.").map(PathBuf::from),
            seen_retention: env.duration(
                "DLQ_SEEN_RETENTION",
                default.seen_retention,
                Duration::from_secs(60)..=3650 * DAY,
                "How long a dead letter is remembered, so that a replay does not list it again; more than the topic's retention.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_settings_the_file_is_temporary() {
        let mut env = Reader::from_pairs([]);
        assert_eq!(SqliteConfig::read(&mut env), SqliteConfig::default());
        let mut env = Reader::from_pairs([("SQLITE_PATH", "events.db"), ("DLQ_SEEN_RETENTION", "1d")]);
        assert_eq!(SqliteConfig::read(&mut env), SqliteConfig { path: Some("events.db".into()), seen_retention: DAY });
        assert!(env.finish().is_ok());
    }
}
