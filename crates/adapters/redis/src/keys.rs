//! The keys.
//!
//! The list has the name that users gave it. Beside it stand `<list>:seen`, the identities that were pushed with the second at which they
//! were (a sorted set), `<list>:processing`, the entries that a redrive has claimed (a list), and `<list>:permit`, how many records of a
//! flood may pass (a number).
//!
//! Scripts touch two of the first three at once. On Redis Cluster both must live in one hash slot, which they do only when the name of the list holds
//! a hash tag: `REDIS_DLQ_KEY={dlq:events}`; with the default name every push would end in `CROSSSLOT`. The client speaks to the one server
//! it is given and does not follow `MOVED`: give it the node that owns the slot, or a proxy that speaks for the cluster.

/// The names of the keys.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    /// The list of dead letters, newest first.
    pub(crate) list: String,
    /// The identities that were pushed, by time.
    pub(crate) seen: String,
    /// The entries that are being redriven.
    pub(crate) processing: String,
    /// How many records of a flood may pass.
    pub(crate) permit: String,
}

impl Keys {
    /// The keys beside this list.
    pub(crate) fn of(list: &str) -> Self {
        let beside = |suffix: &str| format!("{list}:{suffix}");
        Self { list: list.to_owned(), seen: beside("seen"), processing: beside("processing"), permit: beside("permit") }
    }
}
