//! A connection to a node, and one to the node to which the list is just moving.

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, Value, pipe};

/// A connection to a node for commands as they are, or each after an
/// [`ASKING`](https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#ask-redirection): a node answers for a slot that is not its
/// own yet only whoever says that it was sent there.
#[derive(Clone)]
pub(crate) struct NodeConnection {
    connection: MultiplexedConnection,
    asking: bool,
}

impl NodeConnection {
    /// To the node that holds the list, or will be the first to know who does.
    pub(crate) const fn to_owner(connection: MultiplexedConnection) -> Self {
        Self { connection, asking: false }
    }

    /// To the node that the owner has named for this call.
    pub(crate) const fn asking(connection: MultiplexedConnection) -> Self {
        Self { connection, asking: true }
    }
}

impl ConnectionLike for NodeConnection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        if !self.asking {
            return self.connection.req_packed_command(command);
        }
        Box::pin(async move {
            let mut both = pipe();
            both.cmd("ASKING").add_command(command.clone());
            // Sent as one: nothing that another call sends comes between them. Where the first is refused, so is the second.
            let answers = self.connection.send_packed_commands(&both, 1, 1).await?;
            answers.into_iter().next().ok_or_else(|| RedisError::from((ErrorKind::Client, "no answer to a command after ASKING")))
        })
    }

    /// No call of this crate sends a pipeline of its own.
    fn req_packed_commands<'a>(&'a mut self, pipeline: &'a Pipeline, offset: usize, count: usize) -> RedisFuture<'a, Vec<Value>> {
        self.connection.req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
    }
}
