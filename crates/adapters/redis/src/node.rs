//! Where a server is.

use std::fmt;
use std::path::PathBuf;

/// The address of a server on the network.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Where a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// On the network.
    Server(Node),
    /// On this machine.
    Socket(PathBuf),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(node) => node.fmt(f),
            Self::Socket(path) => path.display().fmt(f),
        }
    }
}
