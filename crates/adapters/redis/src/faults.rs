//! Redis error code → class of failure, in one table.

use std::error::Error;
use std::io;
use std::iter::successors;
use std::sync::Arc;

use pipeline::fault::unreachable;
use pipeline::{Dependency, Fault, FaultClass};
use redis::{ErrorKind, RedisError};

const AWAY: FaultClass = FaultClass::Unavailable { timed_out: false };

/// The first word of an error reply, its class, and why. What is not listed is a bug: it holds the consumer and is never the data's fault.
const CODES: [(&str, FaultClass); 21] = [
    // It comes back by itself: starting, occupied by a script, failing over, or without enough replicas for a write.
    ("LOADING", AWAY),
    ("BUSY", AWAY),
    ("UNKILLABLE", AWAY),
    ("TRYAGAIN", AWAY),
    // The slot of the list has not settled: what was sent on has been followed already.
    ("ASK", AWAY),
    ("MOVED", AWAY),
    ("CLUSTERDOWN", AWAY),
    ("MASTERDOWN", AWAY),
    ("READONLY", AWAY),
    ("NOREPLICAS", AWAY),
    // Memory or disk.
    ("OOM", FaultClass::Operator),
    ("MISCONF", FaultClass::Operator),
    ("IOERR", FaultClass::Operator),
    // Login and rights.
    ("NOAUTH", FaultClass::Operator),
    ("WRONGPASS", FaultClass::Operator),
    ("NOPERM", FaultClass::Operator),
    ("DENIED", FaultClass::Operator),
    // A key of that name holds something else.
    ("WRONGTYPE", FaultClass::Operator),
    // The keys do not live together: see `keys`.
    ("CROSSSLOT", FaultClass::Operator),
    // The script was just loaded and is not there: requests are spread over several servers.
    ("NOSCRIPT", FaultClass::Operator),
    // A general error: of a script, or a command that this server does not know.
    ("ERR", FaultClass::Bug),
];

/// How Redis before 7.2, and Valkey 8, begin to say inside a script what is NOPERM elsewhere; nothing of ours or of a dead letter comes before it.
const NOPERM_IN_SCRIPT: [&str; 2] = ["The user executing the script can't", "ACL failure in script"];

/// What to look at, where the code says it; else the code, to look up.
const fn look_at(word: &'static str) -> &'static str {
    match word.as_bytes() {
        b"NOAUTH" | b"WRONGPASS" => LOGIN,
        b"NOPERM" => RIGHTS,
        b"OOM" => {
            "OOM: Redis has no memory left for a dead letter; raise its maxmemory, or take entries out with `dlq export` and `dlq purge`"
        }
        b"MISCONF" => "MISCONF: Redis cannot save to its disk, and takes no dead letter until it can; its own log says why",
        b"IOERR" => "IOERR: Redis cannot read or write its disk; its own log says why",
        b"WRONGTYPE" => {
            "WRONGTYPE: the key of REDIS_DLQ_KEY, or one beside it, holds something else; rename that key, or set REDIS_DLQ_KEY to a name of its own"
        }
        b"CROSSSLOT" => {
            "CROSSSLOT: a Redis Cluster keeps the list and the keys beside it on several nodes; give the name a hash tag, such as \
             REDIS_DLQ_KEY={dlq:events}"
        }
        b"TRYAGAIN" => {
            "TRYAGAIN: the slot of the list is moving to another node of the Redis Cluster; if that lasts, the move was left half done: \
             `redis-cli --cluster check` tells, `--cluster fix` ends it"
        }
        b"NOSCRIPT" => "NOSCRIPT: requests are spread over several servers; name one of them in REDIS_HOST",
        b"DENIED" => "DENIED: protected mode takes no connection from another host; give Redis a password, and set REDIS_PASSWORD",
        b"LOADING" => "LOADING: Redis reads its data into memory after a start; if that lasts, its own log says how far it is",
        b"BUSY" => "BUSY: a script of somebody else keeps Redis from answering; `redis-cli SCRIPT KILL` ends it",
        b"UNKILLABLE" => "UNKILLABLE: a script that has written keeps Redis from answering; its end must be waited for, or Redis stopped",
        b"READONLY" => {
            "READONLY: this is a replica, as after a failover; set REDIS_HOST to the primary, or REDIS_SENTINELS to those who know it"
        }
        b"MASTERDOWN" => {
            "MASTERDOWN: this is a replica that has lost its primary; start that one, or set REDIS_HOST to the one in its place"
        }
        b"NOREPLICAS" => "NOREPLICAS: fewer replicas are there than min-replicas-to-write asks for; start them again, or lower that",
        b"CLUSTERDOWN" => {
            "CLUSTERDOWN: nobody serves some slots of the Redis Cluster; `redis-cli --cluster check` tells which, start their nodes"
        }
        b"MOVED" | b"ASK" => {
            "MOVED: the nodes of the Redis Cluster do not agree on who holds the list; `redis-cli --cluster check` tells, if that lasts"
        }
        _ => word,
    }
}

const LOGIN: &str = "login: user or password is missing or wrong, check REDIS_USERNAME and REDIS_PASSWORD, or REDIS_URL where it has them";
const RIGHTS: &str = "rights: the user of REDIS_USERNAME (or REDIS_URL) may not run a command, or use a key, that the dead letters need";

const DATABASE: &str =
    "database: Redis has none of the number in REDIS_DB, check it against the server's `databases`; a Redis Cluster has 0 alone";
/// How the client, Redis, and a node of a cluster say that.
const NO_SUCH_DATABASE: [&str; 3] = ["refused to switch database", "DB index is out of range", "SELECT is not allowed in cluster mode"];

/// The fault of a call on a connection that was there.
pub(crate) fn working(operation: &'static str, error: &RedisError) -> Fault {
    let code = error.code().and_then(|code| CODES.iter().find(|(word, _)| *word == code));
    match (code, error.kind()) {
        (Some(("ERR", _)), _) if error.detail().is_some_and(|text| NOPERM_IN_SCRIPT.iter().any(|words| text.contains(words))) => {
            fault(FaultClass::Operator, RIGHTS)
        }
        (Some(("ERR", _)), _) if NO_SUCH_DATABASE.iter().any(|words| error.to_string().contains(words)) => {
            fault(FaultClass::Operator, DATABASE)
        }
        (Some((word, class)), _) => fault(*class, look_at(word)),
        (None, ErrorKind::Io) if error.is_timeout() => timed_out(operation),
        // What came is not Redis' protocol: cut off, or another service.
        (None, ErrorKind::Io | ErrorKind::Parse) => fault(AWAY, operation),
        (None, ErrorKind::AuthenticationFailed) => fault(FaultClass::Operator, LOGIN),
        (None, _) => fault(FaultClass::Bug, operation),
    }
}

/// The fault of connecting. What is refused there (a certificate that is not trusted, a database number that does not exist) is for the
/// operator: nothing of ours has run yet.
pub(crate) fn connecting(error: &RedisError) -> Fault {
    let known = working("connect", error);
    if let Some(subject) = of_network(error).and_then(|error| unreachable(error.kind(), &error.to_string())) {
        return fault(AWAY, subject);
    }
    match (known.class, error.kind()) {
        // The handshake. The network may have cut it off; else the certificate is not from an authority or not for this host.
        (FaultClass::Bug, ErrorKind::Client) if of_network(error).is_some() => fault(AWAY, "connect"),
        (FaultClass::Bug, ErrorKind::Client) => {
            fault(FaultClass::Operator, "tls: check REDIS_CA_FILE, and whether the certificate is for REDIS_HOST, or the host of REDIS_URL")
        }
        (FaultClass::Bug, _) => fault(FaultClass::Operator, "connect"),
        _ => known,
    }
}

/// The fault of a sentinel: the same, where it is about the login of sentinels.
pub(crate) fn of_sentinel(fault: &Fault) -> Fault {
    let subject = match fault.subject {
        LOGIN => "login: a sentinel refuses it; check REDIS_SENTINEL_USERNAME and REDIS_SENTINEL_PASSWORD",
        RIGHTS => "rights: the user of REDIS_SENTINEL_USERNAME may not ask a sentinel for the master",
        other => other,
    };
    Fault { subject, ..fault.clone() }
}

/// The fault where no node that may hold the list answers, or each sends on to one that does not.
pub(crate) const fn no_node() -> Fault {
    fault(AWAY, "cluster: the node of the Redis Cluster that holds the list cannot be reached; the log says which were tried")
}

/// The fault where no sentinel answers.
pub(crate) const fn no_sentinel() -> Fault {
    fault(AWAY, "sentinels: none of REDIS_SENTINELS can be asked for the master")
}

/// The fault of a sentinel that watches no master of that name.
pub(crate) const fn unknown_master() -> Fault {
    fault(FaultClass::Operator, "sentinels: one of REDIS_SENTINELS watches no master of the name in REDIS_SENTINEL_MASTER")
}

/// The fault of a master that a sentinel names and that is a replica: a failover has just happened, or happens.
pub(crate) const fn no_master() -> Fault {
    fault(AWAY, "sentinels: they name a server that is no master, as they do during a failover")
}

/// The fault of a server that was named as that of the dead letters, and is a sentinel.
pub(crate) const fn sentinel() -> Fault {
    fault(
        FaultClass::Operator,
        "sentinels: a sentinel listens there, which keeps no data; name it in REDIS_SENTINELS and its master in REDIS_SENTINEL_MASTER",
    )
}

/// The fault of a configuration from which no client can be made: what should hold certificates does not.
pub(crate) const fn misconfigured() -> Fault {
    fault(FaultClass::Operator, "certificates: REDIS_CA_FILE holds none in PEM")
}

/// The operating system's error behind it.
fn of_network(error: &RedisError) -> Option<&io::Error> {
    successors(error.source(), |&cause| cause.source()).find_map(|cause| cause.downcast_ref::<io::Error>().or_else(|| shared(cause)))
}

/// The same where it is shared: the driver's own source of an error is an `Arc` around it, which is another type.
fn shared<'e>(cause: &'e (dyn Error + 'static)) -> Option<&'e io::Error> {
    cause.downcast_ref::<Arc<dyn Error + Send + Sync>>().and_then(|shared| shared.downcast_ref())
}

/// The fault of a call that took too long. It may have had its effect.
pub(crate) fn timed_out(operation: &'static str) -> Fault {
    fault(FaultClass::Unavailable { timed_out: true }, late(operation))
}

/// The operation, and what says how long it may take.
fn late(operation: &'static str) -> &'static str {
    macro_rules! of {
        ($($name:literal)*) => {
            match operation {
                $($name => concat!($name, ", longer than REDIS_TIMEOUT allows"),)*
                _ => operation,
            }
        };
    }
    of!("claim" "claimed" "connect" "depth" "give_back" "give_back_overdue" "inspect" "known" "list_state" "page" "permit" "persistence" "ping"
        "push" "reasons" "replicas" "restore" "settle" "spend" "writable")
}

/// The fault of a write that fewer replicas have acknowledged than `REDIS_WAIT_REPLICAS` asks for. It had its effect, on the primary at least.
pub(crate) fn too_few_replicas(acknowledged: u64) -> Fault {
    let sentences = TOO_FEW_REPLICAS.iter().zip(0..);
    let sentence = sentences.filter(|(_, count)| *count <= acknowledged).last().map_or("push", |(sentence, _)| sentence);
    fault(AWAY, sentence)
}

/// How many replicas may be asked for: as many as there are sentences about fewer.
pub(crate) const MOST_REPLICAS: u8 = 5;

/// By how many have; no colon, since the primary is reached.
const TOO_FEW_REPLICAS: [&str; MOST_REPLICAS as usize] = [
    "no replica acknowledged a dead letter in time, REDIS_WAIT_REPLICAS asks for more",
    "1 replica acknowledged a dead letter in time, REDIS_WAIT_REPLICAS asks for more",
    "2 replicas acknowledged a dead letter in time, REDIS_WAIT_REPLICAS asks for more",
    "3 replicas acknowledged a dead letter in time, REDIS_WAIT_REPLICAS asks for more",
    "4 replicas acknowledged a dead letter in time, REDIS_WAIT_REPLICAS asks for more",
];

const fn fault(class: FaultClass, subject: &'static str) -> Fault {
    Fault { dependency: Dependency::DeadLetterQueue, class, code: None, subject }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An error reply as the driver reads it.
    fn reply(line: &str) -> RedisError {
        let value = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        value.extract_error().unwrap_err()
    }

    #[test]
    fn every_code_has_its_class_and_no_text_of_the_server_comes_through() {
        for (word, class) in CODES {
            let fault = working("push", &reply(&format!("{word} 1 canary@example.com")));
            assert_eq!((fault.class, fault.subject), (class, look_at(word)));
            assert!(!format!("{fault} {fault:?}").contains("canary"));
        }
    }

    /// As Redis 7.0 and 6.2 say it, and Valkey 8.0.
    #[test]
    fn a_missing_right_inside_a_script_is_for_the_operator_before_it_had_a_code_too() {
        for line in [
            "ERR The user executing the script can't run this command or subcommand script: c0f4e07d, on @user_script:1.",
            "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments script: 3b0b5799",
            "ERR Error running script (call to f_c0f4e07d): @user_script:1: @user_script: 1: The user executing the script can't run this \
             command or subcommand",
            "ERR ACL failure in script: User pipeline has no permissions to run the 'lpush' command script: c0f4e07d, on @user_script:1.",
            "ERR ACL failure in script: No permissions to access a key script: dbccaa05, on @user_script:1.",
            "NOPERM ACL failure in script: User pipeline has no permissions to run the 'lpush' command",
        ] {
            assert_eq!(working("push", &reply(line)), working("push", &reply("NOPERM")), "{line}");
        }
        assert_eq!(working("push", &reply("ERR user_script:1: x")).class, FaultClass::Bug);
    }

    /// Where a person must act, the fault says what to do.
    #[test]
    fn what_is_for_the_operator_is_a_sentence_that_begins_with_the_code_or_what_it_is_about() {
        for (word, _) in CODES.iter().filter(|(_, class)| *class == FaultClass::Operator) {
            let sentence = look_at(word);
            let names_it = [word, "login", "rights"].iter().any(|about| sentence.starts_with(&format!("{about}: ")));
            assert!(names_it, "{word}: {sentence}");
        }
    }

    #[test]
    fn what_passes_by_itself_says_what_it_is_and_what_helps_if_it_does_not() {
        for (word, helps) in [
            ("LOADING", "its own log"),
            ("BUSY", "SCRIPT KILL"),
            ("READONLY", "REDIS_SENTINELS"),
            ("CLUSTERDOWN", "--cluster check"),
            ("MASTERDOWN", "REDIS_HOST"),
            ("NOREPLICAS", "min-replicas-to-write"),
            ("MOVED", "--cluster check"),
        ] {
            let fault = working("push", &reply(&format!("{word} canary")));
            let said = fault.to_string();
            let begins = format!("the dead letter queue cannot be used just now: {word}: ");
            assert!(fault.class == AWAY && said.starts_with(&begins) && said.contains(helps), "{said}");
        }
    }

    #[test]
    fn an_unknown_code_is_a_bug_of_the_operation() {
        let fault = working("push", &reply("CANARY canary@example.com"));
        assert_eq!(fault.to_string(), "the dead letter queue refuses in a way that must not happen (push)");
    }

    #[test]
    fn a_network_that_fails_is_an_outage() {
        use io::ErrorKind::{BrokenPipe, ConnectionRefused, HostUnreachable, TimedOut, UnexpectedEof};
        for (kind, subject) in [
            (BrokenPipe, "connect"),
            (ConnectionRefused, pipeline::fault::REFUSED),
            (HostUnreachable, "no route: the network has no way to this address"),
            (UnexpectedEof, "connect"),
        ] {
            assert_eq!(connecting(&RedisError::from(io::Error::from(kind))), fault(AWAY, subject), "{kind:?}");
        }
        let late = working("push", &RedisError::from(io::Error::from(TimedOut)));
        assert_eq!(late, timed_out("push"));
        assert_eq!(late.to_string(), "the dead letter queue does not answer in time (push, longer than REDIS_TIMEOUT allows)");
    }

    #[test]
    fn too_few_replicas_are_an_outage_that_says_how_many_and_which_variable_asks_for_more() {
        for (acknowledged, words) in [(0, "no replica "), (1, "1 replica "), (4, "4 replicas ")] {
            let fault = too_few_replicas(acknowledged);
            assert!(fault.class == AWAY && fault.subject.starts_with(words) && fault.subject.contains("REDIS_WAIT_REPLICAS"), "{fault}");
        }
        assert_eq!(
            too_few_replicas(1).to_string(),
            "the dead letter queue cannot be reached or used just now (1 replica acknowledged a dead letter in time, \
             REDIS_WAIT_REPLICAS asks for more)"
        );
    }

    #[test]
    fn what_is_refused_while_connecting_is_for_the_operator() {
        assert_eq!(connecting(&reply("ERR unknown command")).to_string(), "the dead letter queue refuses (connect)");
        for words in ["DB index is out of range", "SELECT is not allowed in cluster mode"] {
            let said = connecting(&reply(&format!("ERR {words}"))).to_string();
            assert!(said.starts_with("the dead letter queue refuses: database: ") && said.contains("REDIS_DB"), "{said}");
        }
    }
}
