//! Following the list to the node of a Redis Cluster that holds it.
//!
//! All keys lie in one slot (see [`crate::keys`]), so one connection is enough, to the node that owns the slot. Each node knows which one that is:
//! it answers a command for it with [`MOVED`](https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#moved-redirection). While the
//! slot moves, its owner sends on with `ASK` whoever wants keys that it does not have (any longer, or yet), for that one call. A call that needs keys of
//! which one is in the other place, or in neither, is refused (`TRYAGAIN`); that is waited out.

use std::collections::VecDeque;
use std::time::Duration;

use pipeline::{Fault, FaultClass};
use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, Value, cmd};
use tokio::time::timeout;

use crate::faults;
use crate::node::{Node, Target};
use crate::servers::{Role, Servers, role};
use crate::tried::Tried;

/// How often one search, or one call, is sent on: nodes that are behind may send in a circle.
pub(crate) const HOPS: usize = 5;

/// What is known of the nodes.
#[derive(Debug, Default)]
pub(crate) struct Nodes {
    /// The one that held the list when it was last looked for, or is said to hold it now.
    pub(crate) owner: Option<Node>,
    /// All that the owner knew.
    others: Vec<Node>,
}

/// A connection to the server that holds the list.
pub(crate) struct Found {
    pub(crate) connection: MultiplexedConnection,
    pub(crate) in_cluster: bool,
    /// Where it is.
    pub(crate) target: Target,
}

/// Where a search is, and where it may go on.
enum Step {
    Here(Found),
    Elsewhere(Node),
}

/// Connects to the server that is configured, or to the node of its cluster that holds the list. Where one of several does not answer, others
/// are asked: the nodes that were there when the list was last found. The caller bounds the whole time.
///
/// # Errors
/// See [`faults`]. How each node failed is noted where there were several.
pub(crate) async fn find(
    servers: &Servers,
    configured: &Target,
    list: &str,
    nodes: &mut Nodes,
    time: Duration,
    tried: &Tried,
) -> Result<Found, Fault> {
    // It comes back when it answers.
    let known = nodes.owner.take().into_iter().map(Target::Server);
    let others = nodes.others.iter().cloned().map(Target::Server);
    let mut candidates: VecDeque<_> = known.chain([configured.clone()]).chain(others).collect();
    // A node that is gone without a word must leave time for others.
    let share = if candidates.len() == 1 { time } else { time / 4 };
    let (mut failed, mut hops) = (Vec::<(Target, Fault)>::new(), 0);
    while let Some(target) = candidates.pop_front() {
        if failed.iter().any(|(before, _)| *before == target) {
            continue;
        }
        match timeout(share, look(servers, &target, list)).await.unwrap_or_else(|_| Err(faults::timed_out("connect"))) {
            Ok(Step::Here(mut found)) => {
                if found.in_cluster {
                    nodes.owner = if let Target::Server(node) = &target { Some(node.clone()) } else { None };
                    // A user may not ask for them: then there is the configured one alone.
                    if let Ok(answer) = cmd("CLUSTER").arg("SLOTS").query_async(&mut found.connection).await {
                        nodes.others = nodes_of(&answer);
                    }
                }
                tried.found();
                return Ok(found);
            }
            Ok(Step::Elsewhere(node)) if hops < HOPS => {
                hops += 1;
                candidates.push_front(Target::Server(node));
            }
            Ok(Step::Elsewhere(_)) => failed.push((target, faults::no_node())),
            Err(fault) => failed.push((target, fault)),
        }
    }
    if let ([(_, fault)], 0) = (failed.as_slice(), hops) {
        return Err(fault.clone());
    }
    let first = failed.iter().find(|(_, fault)| fault.class == FaultClass::Operator).map(|(_, fault)| fault.clone());
    tried.failed(&failed.into_iter().map(|(target, fault)| (target.to_string(), fault)).collect::<Vec<_>>());
    Err(first.unwrap_or_else(faults::no_node))
}

/// Connects to one server, and asks for the list where it may be elsewhere.
async fn look(servers: &Servers, target: &Target, list: &str) -> Result<Step, Fault> {
    let mut connection = servers.open(servers.address(target)).await?;
    let Role { in_cluster, is_sentinel, .. } = role(&mut connection).await.map_err(|error| faults::connecting(&error))?;
    if is_sentinel {
        return Err(faults::sentinel());
    }
    if in_cluster {
        let answer: RedisResult<Value> = cmd("LLEN").arg(list).query_async(&mut connection).await;
        if let Err(error) = answer {
            if let Some(Redirection::Moved(node)) = redirection(&error, target) {
                return Ok(Step::Elsewhere(node));
            }
            // It has lost the others, who may go on without it. A missing right, or a key of another type, is for the command that needs it.
            if error.is_io_error() || error.code() == Some("CLUSTERDOWN") {
                return Err(faults::working("connect", &error));
            }
        }
    }
    Ok(Step::Here(Found { connection, in_cluster, target: target.clone() }))
}

/// Where a node sends on to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Redirection {
    /// For good: the slot is there.
    Moved(Node),
    /// For this call: the slot is moving there.
    Ask(Node),
}

/// Where this error of a node sends on to. A node that does not know its own name leaves it out: it is the one that was asked.
pub(crate) fn redirection(error: &RedisError, asked: &Target) -> Option<Redirection> {
    let to = match error.kind() {
        ErrorKind::Server(ServerErrorKind::Moved) => Redirection::Moved,
        ErrorKind::Server(ServerErrorKind::Ask) => Redirection::Ask,
        _ => return None,
    };
    let (host, port) = error.redirect_node()?.0.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let host = match (host, asked) {
        ("", Target::Server(node)) => node.host.as_str(),
        ("", Target::Socket(_)) => return None,
        (host, _) => host,
    };
    Some(to(Node { host: host.to_owned(), port }))
}

/// The nodes in an answer to [`CLUSTER SLOTS`](https://redis.io/docs/latest/commands/cluster-slots/), each once. One without a name is left out.
fn nodes_of(slots: &Value) -> Vec<Node> {
    let mut nodes = Vec::new();
    let Value::Array(ranges) = slots else { return nodes };
    for range in ranges {
        let Value::Array(range) = range else { continue };
        // Before them the range's ends.
        for node in range.iter().skip(2) {
            let Value::Array(fields) = node else { continue };
            let [Value::BulkString(host), Value::Int(port), ..] = fields.as_slice() else { continue };
            let (Ok(host), Ok(port)) = (String::from_utf8(host.clone()), u16::try_from(*port)) else { continue };
            let node = Node { host, port };
            if !node.host.is_empty() && !nodes.contains(&node) {
                nodes.push(node);
            }
        }
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str, port: u16) -> Node {
        Node { host: host.to_owned(), port }
    }

    fn error(line: &str) -> RedisError {
        redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap().extract_error().unwrap_err()
    }

    #[test]
    fn a_command_is_sent_on_to_the_node_that_is_named() {
        let asked = Target::Server(at("seed", 7000));
        let to = |line| redirection(&error(line), &asked);
        assert_eq!(to("MOVED 12182 10.0.0.4:7001"), Some(Redirection::Moved(at("10.0.0.4", 7001))));
        assert_eq!(to("MOVED 12182 2001:db8::4:7001"), Some(Redirection::Moved(at("2001:db8::4", 7001))));
        assert_eq!(to("MOVED 12182 :7001"), Some(Redirection::Moved(at("seed", 7001))));
        assert_eq!(to("ASK 12182 10.0.0.4:7001"), Some(Redirection::Ask(at("10.0.0.4", 7001))));
        for line in ["ASK 12182", "MOVED 12182", "CLUSTERDOWN x", "ERR MOVED 1 a:1"] {
            assert_eq!(to(line), None, "{line}");
        }
    }

    #[test]
    fn the_nodes_of_an_answer_are_told_once() {
        let node =
            |host: &str, port| Value::Array(vec![Value::BulkString(host.into()), Value::Int(port), Value::BulkString(b"id".to_vec())]);
        let range = |nodes: Vec<Value>| Value::Array([vec![Value::Int(0), Value::Int(9)], nodes].concat());
        let answer = Value::Array(vec![range(vec![node("a", 1), node("b", 2)]), range(vec![node("a", 1), node("", 3)]), Value::Nil]);
        assert_eq!(nodes_of(&answer), [at("a", 1), at("b", 2)]);
        assert_eq!(nodes_of(&Value::Okay), []);
    }
}
