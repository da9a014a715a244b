//! Finding the master by asking sentinels, as [their documentation](https://redis.io/docs/latest/develop/reference/sentinel-clients/) tells clients to.
//!
//! They are asked at each connect, in their order, until one names a server that says that it is the master. One that is behind names the old
//! master; that one, when it is back, says that it is a replica.

use std::time::Duration;

use pipeline::{Fault, FaultClass};
use redis::aio::MultiplexedConnection;
use redis::cmd;
use tokio::time::timeout;

use crate::config::Tls;
use crate::faults;
use crate::node::{Node, Target};
use crate::sentinel_config::SentinelConfig;
use crate::servers::{Servers, role};
use crate::tried::Tried;

/// The sentinels.
pub(crate) struct Sentinels {
    nodes: Vec<Node>,
    master: String,
    servers: Servers,
}

/// A connection to the master, and who named it.
pub(crate) struct Master {
    pub(crate) connection: MultiplexedConnection,
    pub(crate) node: Node,
    pub(crate) named_by: Node,
}

impl Sentinels {
    pub(crate) fn new(config: &SentinelConfig, tls: &Tls) -> Self {
        let servers = Servers::new(config.username.as_deref(), config.password.as_ref(), 0, tls);
        Self { nodes: config.sentinels.clone(), master: config.master.clone(), servers }
    }

    /// Connects to the master. One that does not answer, sentinel or master, takes no more than its share of the time.
    ///
    /// # Errors
    /// See [`faults`]. How each sentinel failed is noted.
    pub(crate) async fn connect(&self, data: &Servers, time: Duration, tried: &Tried) -> Result<Master, Fault> {
        let share = time / u32::try_from(self.nodes.len() + 1).unwrap_or(u32::MAX);
        let (mut failed, mut of_master, mut masters) = (Vec::new(), None, Vec::new());
        for sentinel in &self.nodes {
            let asked = timeout(share, self.ask(sentinel)).await.unwrap_or_else(|_| Err(faults::timed_out("connect")));
            let node = match asked {
                Ok(Some(node)) => node,
                Ok(None) => {
                    failed.push((sentinel.to_string(), faults::unknown_master()));
                    continue;
                }
                Err(fault) => {
                    failed.push((sentinel.to_string(), faults::of_sentinel(&fault)));
                    continue;
                }
            };
            // The time is enough for one that does not answer; several sentinels name the same.
            if masters.contains(&node) {
                continue;
            }
            of_master.get_or_insert(failed.len());
            masters.push(node.clone());
            let opened = timeout(share, async {
                let mut connection = data.open(data.address(&Target::Server(node.clone()))).await?;
                let role = role(&mut connection).await.map_err(|error| faults::connecting(&error))?;
                Ok((connection, role))
            });
            match opened.await.unwrap_or_else(|_| Err(faults::timed_out("connect"))) {
                Ok((_, role)) if role.is_replica => failed.push((format!("{node}, named by {sentinel}"), faults::no_master())),
                Ok((connection, _)) => {
                    tried.found();
                    return Ok(Master { connection, node, named_by: sentinel.clone() });
                }
                Err(fault) => failed.push((format!("{node}, named by {sentinel}"), fault)),
            }
        }
        tried.failed(&failed);
        // What a person must do comes first: others may just be away.
        let first = failed.iter().find(|(_, fault)| fault.class == FaultClass::Operator);
        let first = first.or_else(|| of_master.and_then(|number| failed.get(number)));
        Err(first.map_or_else(faults::no_sentinel, |(_, fault)| fault.clone()))
    }

    /// The master's address; `None` where it does not know the name.
    async fn ask(&self, sentinel: &Node) -> Result<Option<Node>, Fault> {
        let mut connection = self.servers.open(self.servers.address(&Target::Server(sentinel.clone()))).await?;
        let mut question = cmd("SENTINEL");
        question.arg("get-master-addr-by-name").arg(&self.master);
        let answer: Option<(String, u16)> =
            question.query_async(&mut connection).await.map_err(|error| faults::working("connect", &error))?;
        Ok(answer.map(|(host, port)| Node { host, port }))
    }
}
