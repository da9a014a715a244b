//! The keys.
//!
//! The list has the name that users gave it, and its neighbours have names that begin with it:
//!
//! | key | type | what it holds |
//! |---|---|---|
//! | `<list>` | list | the entries, newest first |
//! | `<list>:seen` | sorted set | the identities that were pushed, by the second at which they were |
//! | `<list>:claims` | sorted set | the entries that were taken out, each after the token of its claim and a colon, by the second at which the lease ends |
//! | `<list>:permit` | string | how many records of a flood may pass |
//! | `<list>:moves` | string | how often entries have left the list or come back to its old end |
//!
//! Seconds are those of Redis' own clock. Scripts touch the list and one of the sorted sets at once. On Redis Cluster both must live in one
//! hash slot, which they do only when the name of the list holds a hash tag: `REDIS_DLQ_KEY={dlq:events}`; with the default name every push
//! and every claim would end in `CROSSSLOT`. The client speaks to the one server it is given and does not follow `MOVED`: give it the node
//! that owns the slot, or a proxy that speaks for the cluster.

/// The names of the keys.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    /// The list of dead letters, newest first.
    pub(crate) list: String,
    /// The identities that were pushed, by time.
    pub(crate) seen: String,
    /// The entries that are claimed, by the end of their lease.
    pub(crate) claims: String,
    /// How many records of a flood may pass.
    pub(crate) permit: String,
    /// How often entries have left the list or come back to its old end.
    pub(crate) moves: String,
}

impl Keys {
    /// The keys beside this list.
    pub(crate) fn of(list: &str) -> Self {
        let beside = |suffix: &str| format!("{list}:{suffix}");
        Self { list: list.to_owned(), seen: beside("seen"), claims: beside("claims"), permit: beside("permit"), moves: beside("moves") }
    }
}
