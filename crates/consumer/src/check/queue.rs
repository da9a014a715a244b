//! Redis: login, the key of the list, writing, and whether what is written lasts.

use pipeline::Fault;
use redis_dlq::{Fsync, Persistence, RedisConfig, RedisFacts};

use check::Finding;

const PART: &str = "Redis";

/// Assesses login and the key of the list.
pub(crate) fn list(config: &RedisConfig, answer: Result<&RedisFacts, &Fault>) -> Vec<Finding> {
    let check = "server and login";
    let facts = match answer {
        Ok(facts) => facts,
        Err(fault) => {
            let advice = "check REDIS_HOST, REDIS_PORT, REDIS_USERNAME, REDIS_PASSWORD, REDIS_DB and REDIS_TLS, or REDIS_URL, or REDIS_SENTINELS and their neighbours";
            return vec![Finding::fault(PART, check, fault, advice)];
        }
    };
    let reached = Finding::ok(PART, check, format!("{} answers, database {}", config.address(), config.database));
    let key = match facts.list_type.as_str() {
        "list" => Finding::ok(PART, "key", format!("{} is a list", config.list)),
        "none" => Finding::ok(PART, "key", format!("{} is free: no dead letter yet", config.list)),
        other => {
            let advice = "something else lives there: set REDIS_DLQ_KEY to a key of its own, or remove it";
            Finding::fail(PART, "key", format!("{} is a {other}", config.list), advice)
        }
    };
    let master = facts.master.as_ref().map(|master| Finding::ok(PART, "master", master.clone()));
    [reached].into_iter().chain(master).chain([key]).collect()
}

/// Assesses whether a dead letter could be written.
pub(crate) fn write(answer: Result<(), &Fault>) -> Finding {
    match answer {
        Ok(()) => Finding::ok(PART, "writes", "a dead letter could be written"),
        Err(fault) => {
            let advice = "OOM: memory; MISCONF: disk; READONLY: a replica; NOPERM: rights on the key, the keys beside it and scripts; WRONGTYPE: another use of the key";
            Finding::fault(PART, "writes", fault, advice)
        }
    }
}

/// Assesses whether so many replicas acknowledge a write as a push waits for; nothing where it waits for none.
pub(crate) fn replicas(config: &RedisConfig, answer: Result<Option<u64>, &Fault>) -> Option<Finding> {
    let wanted = config.wait_replicas;
    match answer {
        Ok(None) => None,
        Ok(Some(acknowledged)) => {
            let told = format!("{acknowledged} of {wanted} acknowledge a write");
            Some(if acknowledged >= u64::from(wanted) {
                Finding::ok(PART, "replicas", told)
            } else {
                let advice = "dead letters wait for REDIS_WAIT_REPLICAS of them: look at INFO replication of the primary, or ask for fewer";
                Finding::fail(PART, "replicas", told, advice)
            })
        }
        Err(fault) => Some(Finding::fault(PART, "replicas", fault, "WAIT must be allowed: see REDIS_WAIT_REPLICAS")),
    }
}

/// Assesses whether dead letters outlive Redis.
pub(crate) fn durability(answer: Result<Persistence, &Fault>) -> Vec<Finding> {
    let Persistence { append_only, fsync, evicts } = match answer {
        Ok(persistence) => persistence,
        Err(fault) => return vec![Finding::fault(PART, "persistence", fault, "look at INFO and CONFIG by hand")],
    };
    let file = match (append_only, fsync) {
        (Some(false), _) => Finding::warn(
            PART,
            "persistence",
            "appendonly no",
            "dead letters since the last snapshot go with a restart: set appendonly yes",
        ),
        (Some(true), Some(Fsync::Always)) => Finding::ok(PART, "persistence", "appendonly yes, appendfsync always"),
        (Some(true), Some(Fsync::EverySecond)) => {
            let advice = "a power failure takes the last second of dead letters, whose offsets are committed: set appendfsync always";
            Finding::warn(PART, "persistence", "appendonly yes, appendfsync everysec", advice)
        }
        (Some(true), Some(Fsync::Never)) => {
            let advice = "a power failure takes dead letters whose offsets are committed: set appendfsync always";
            Finding::warn(PART, "persistence", "appendonly yes, appendfsync no", advice)
        }
        (None, _) | (Some(true), None) => {
            let advice = "this user may not ask, or the service hides it: make sure of appendonly yes and appendfsync always";
            Finding::warn(PART, "persistence", "not told", advice)
        }
    };
    let eviction = match evicts {
        Some(true) => {
            let advice = "dead letters are thrown away when memory is short: set maxmemory-policy noeviction";
            Finding::warn(PART, "eviction", "keys may be evicted", advice)
        }
        Some(false) => Finding::ok(PART, "eviction", "none"),
        None => Finding::warn(PART, "eviction", "not told", "make sure of maxmemory-policy noeviction"),
    };
    vec![file, eviction]
}

#[cfg(test)]
mod tests {
    use super::*;
    use check::State;

    fn states(append_only: Option<bool>, fsync: Option<Fsync>, evicts: Option<bool>) -> Vec<State> {
        durability(Ok(Persistence { append_only, fsync, evicts })).iter().map(|finding| finding.state).collect()
    }

    #[test]
    fn only_an_append_only_file_that_is_always_written_and_never_evicted_is_fine() {
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(states(yes, Some(Fsync::Always), no), [State::Ok, State::Ok]);
        for (append_only, fsync) in
            [(no, Some(Fsync::Always)), (yes, Some(Fsync::EverySecond)), (yes, Some(Fsync::Never)), (yes, None), (None, None)]
        {
            assert_eq!(states(append_only, fsync, no), [State::Warn, State::Ok], "{append_only:?} {fsync:?}");
        }
        assert_eq!(states(yes, Some(Fsync::Always), yes), [State::Ok, State::Warn]);
        assert_eq!(states(yes, Some(Fsync::Always), None), [State::Ok, State::Warn]);
    }

    #[test]
    fn the_master_that_a_sentinel_names_is_told() {
        let config =
            RedisConfig::read(&mut settings::Reader::from_pairs([("REDIS_SENTINELS", "a,b"), ("REDIS_SENTINEL_MASTER", "events")]));
        let master = Some("10.0.0.4:6379, says the sentinel b:26379".to_owned());
        let facts = RedisFacts { time: std::time::Duration::ZERO, list_type: "list".to_owned(), master };
        let found: Vec<_> = list(&config, Ok(&facts)).into_iter().map(|finding| (finding.check, finding.found)).collect();
        assert_eq!(found[0].1, "master events of the sentinels a:26379, b:26379 answers, database 0");
        assert_eq!(found[1], ("master", "10.0.0.4:6379, says the sentinel b:26379".to_owned()));
    }

    #[test]
    fn fewer_replicas_than_a_push_waits_for_fail_and_none_are_not_spoken_of() {
        let config = RedisConfig::read(&mut settings::Reader::from_pairs([("REDIS_WAIT_REPLICAS", "2")]));
        let told = |answer| replicas(&config, Ok(answer)).map(|finding| (finding.state, finding.found));
        assert_eq!(told(None), None);
        assert_eq!(told(Some(2)), Some((State::Ok, "2 of 2 acknowledge a write".to_owned())));
        assert_eq!(told(Some(1)), Some((State::Fail, "1 of 2 acknowledge a write".to_owned())));
    }

    #[test]
    fn a_key_that_holds_something_else_fails() {
        let config = RedisConfig::read(&mut settings::Reader::from_pairs([]));
        let state = |list_type: &str| {
            let facts = RedisFacts { time: std::time::Duration::ZERO, list_type: list_type.to_owned(), master: None };
            list(&config, Ok(&facts)).pop().unwrap().state
        };
        assert_eq!([state("list"), state("none"), state("string")], [State::Ok, State::Ok, State::Fail]);
    }
}
