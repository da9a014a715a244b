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
//! Seconds are those of Redis' own clock. Scripts touch the list and its neighbours at once. On Redis Cluster they must live in one hash slot.
//! Which slot that is, the [hash tag](https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags) of a name says, or
//! the whole name where it has none. So where the name of the list has none, its neighbours on a cluster have the name of the list as their
//! tag, `{dlq:events}:seen`, and lie where it lies. Elsewhere they keep the names that they always had: programs of an older version that run at
//! the same time look there, and on a cluster their every push has ended in `CROSSSLOT`.

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
    /// The keys beside this list; on a Redis Cluster in its slot. A name with a brace in it that makes no tag cannot be a tag itself: its
    /// neighbours lie elsewhere, which Redis refuses.
    pub(crate) fn of(list: &str, in_cluster: bool) -> Self {
        let is_tag = in_cluster && tag(list).is_none() && !list.contains('}');
        let beside = |suffix: &str| if is_tag { format!("{{{list}}}:{suffix}") } else { format!("{list}:{suffix}") };
        Self { list: list.to_owned(), seen: beside("seen"), claims: beside("claims"), permit: beside("permit"), moves: beside("moves") }
    }
}

/// The hash tag of a key: what stands between the first opening brace and the next closing one, unless that is nothing.
fn tag(key: &str) -> Option<&str> {
    let (tag, _) = key.split_once('{')?.1.split_once('}')?;
    (!tag.is_empty()).then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Redis hashes of a key.
    fn hashed(key: &str) -> &str {
        tag(key).unwrap_or(key)
    }

    #[test]
    fn on_a_cluster_the_neighbours_of_a_list_hash_as_it_does() {
        for list in ["dlq:events", "{dlq:events}", "{tenant}:dlq", "a{b", "{a", "{{a"] {
            let Keys { list, seen, claims, permit, moves } = Keys::of(list, true);
            for beside in [seen, claims, permit, moves] {
                assert_eq!(hashed(&beside), hashed(&list), "{list} {beside}");
            }
        }
        assert_eq!(Keys::of("dlq:events", true).seen, "{dlq:events}:seen");
    }

    /// Programs of another version run beside this one.
    #[test]
    fn names_that_have_worked_stay() {
        for (list, in_cluster) in [("dlq:events", false), ("{dlq:events}", false), ("{dlq:events}", true), ("{tenant}:dlq", true)] {
            assert_eq!(Keys::of(list, in_cluster).claims, format!("{list}:claims"), "{in_cluster}");
        }
    }
}
