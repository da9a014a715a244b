//! How long the loop may be silent before it counts as standing still: bounds that follow the settings.

use std::time::Duration;

use redis_dlq::RedisConfig;
use sqlserver::SqlServerConfig;

use crate::waiting::POLL_INTERVAL;

/// What lies between two polls beside [`POLL_INTERVAL`] and the longest call: decoding a batch, a commit, a look at the log.
const MARGIN: Duration = Duration::from_secs(30);

/// Where no call may take long, this is the bound of silence: a machine may be slow.
const LEAST_SILENCE: Duration = Duration::from_secs(120);

/// Kafka's own default of `max.poll.interval.ms`, which the group's other clients may count on. No session timeout that can be set is longer.
const LEAST_POLL_INTERVAL: Duration = Duration::from_secs(300);

/// The bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liveness {
    /// How old the loop's last beat and its last poll may become. Between two of them lie at most [`POLL_INTERVAL`], one call, and a little
    /// more, since the pauses of a wait and everything that lasts are interrupted for them; see [`crate::waiting`].
    pub silence: Duration,
    /// `max.poll.interval.ms`: the group takes the partitions from a member that polls less often. Also the longest time that a rebalance
    /// waits for a member.
    pub max_poll_interval: Duration,
}

impl Liveness {
    /// For a loop of which no call takes longer than this.
    pub fn of(longest_call: Duration) -> Self {
        let silence = LEAST_SILENCE.max(POLL_INTERVAL + longest_call + MARGIN);
        Self { silence, max_poll_interval: LEAST_POLL_INTERVAL.max(silence) }
    }

    /// For a loop on these parts; what is embedded answers at once.
    pub fn for_parts(database: Option<&SqlServerConfig>, redis: Option<&RedisConfig>) -> Self {
        let calls = [database.map(SqlServerConfig::longest_call), redis.map(|redis| redis.timeout)];
        Self::of(calls.into_iter().flatten().max().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use settings::Reader;

    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Liveness {
        let mut env = Reader::from_pairs(pairs.iter().copied());
        Liveness::for_parts(Some(&SqlServerConfig::read(&mut env)), Some(&RedisConfig::read(&mut env)))
    }

    #[test]
    fn with_the_defaults_two_minutes_of_silence_and_kafkas_own_five_minutes_hold() {
        let seconds = Duration::from_secs;
        let defaults = Liveness { silence: seconds(120), max_poll_interval: seconds(300) };
        assert_eq!((of(&[]), Liveness::for_parts(None, None)), (defaults, defaults));
    }

    #[test]
    fn a_statement_that_may_take_longer_moves_both_bounds_beyond_it() {
        let longest = of(&[("MSSQL_COMMAND_TIMEOUT", "600s"), ("MSSQL_CONNECT_TIMEOUT", "120s")]);
        // Waiting for a connection, opening it, and the statement.
        assert_eq!(longest.silence, Duration::from_secs(120 + 120 + 600 + 60));
        assert_eq!(longest.max_poll_interval, longest.silence);
        let long = of(&[("MSSQL_COMMAND_TIMEOUT", "100s")]);
        assert_eq!((long.silence, long.max_poll_interval), (Duration::from_secs(180), Duration::from_secs(300)));
    }
}
