//! Settings of Redis Sentinel.

use settings::{Reader, SecretString};

use crate::node::Node;

/// The port of sentinels where none is said.
const PORT: u16 = 26_379;

/// Who knows where the master is.
#[derive(Clone, Debug)]
pub struct SentinelConfig {
    /// The sentinels, in the order in which they are asked.
    pub sentinels: Vec<Node>,
    /// The name under which they watch the master.
    pub master: String,
    /// ACL user of the sentinels; `None` is the user `default`.
    pub username: Option<String>,
    /// That user's password.
    pub password: Option<SecretString>,
}

impl SentinelConfig {
    /// Reads the settings; `None` where no sentinels are named.
    pub(crate) fn read(env: &mut Reader) -> Option<Self> {
        let named = env.is_set(SENTINELS);
        let help = "Redis Sentinels that know the master, in place of REDIS_HOST and REDIS_PORT: host:port of each, between commas.";
        let sentinels = env.optional(SENTINELS, help).and_then(|text| match nodes(&text) {
            Ok(nodes) => Some(nodes),
            Err(problem) => {
                env.problem(SENTINELS, problem);
                env.hide(SENTINELS);
                None
            }
        });
        let master = env.optional(MASTER, "Name under which the sentinels watch the master.");
        let username = env.optional(USERNAME, "ACL user of the sentinels; without it the user is `default`.");
        let password = env.secret(PASSWORD, "Password of the sentinels' user; not that of Redis, which is REDIS_PASSWORD.");
        if !named {
            for name in [MASTER, USERNAME, PASSWORD].into_iter().filter(|name| env.is_set(name)).collect::<Vec<_>>() {
                env.problem(name, "has no effect without REDIS_SENTINELS");
            }
            return None;
        }
        for name in ["REDIS_URL", "REDIS_HOST", "REDIS_PORT"].into_iter().filter(|name| env.is_set(name)).collect::<Vec<_>>() {
            env.problem(name, "is set beside REDIS_SENTINELS, which say where Redis is: set one of them");
        }
        if username.is_some() && password.is_none() {
            env.problem(USERNAME, "needs REDIS_SENTINEL_PASSWORD beside it");
        }
        if master.is_none() {
            env.problem(SENTINELS, "needs REDIS_SENTINEL_MASTER beside it: the name in `sentinel monitor <name> …`");
        }
        Some(Self { sentinels: sentinels?, master: master?, username, password })
    }

    /// Where they and the master are, for messages.
    pub(crate) fn address(&self) -> String {
        let sentinels: Vec<_> = self.sentinels.iter().map(Node::to_string).collect();
        format!("master {} of the sentinels {}", self.master, sentinels.join(", "))
    }
}

const SENTINELS: &str = "REDIS_SENTINELS";
const MASTER: &str = "REDIS_SENTINEL_MASTER";
const USERNAME: &str = "REDIS_SENTINEL_USERNAME";
const PASSWORD: &str = "REDIS_SENTINEL_PASSWORD";

fn nodes(text: &str) -> Result<Vec<Node>, &'static str> {
    let all = text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(node);
    all.collect::<Option<Vec<_>>>()
        .filter(|all| !all.is_empty())
        .ok_or("must be host:port of each sentinel, between commas, without user and password")
}

/// A host with its port; an address of IPv6 stands in brackets.
fn node(text: &str) -> Option<Node> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            rest.split_once(']').and_then(|(host, port)| Some((host, port.strip_prefix(':').or(port.is_empty().then_some(""))?)))?
        }
        None => text.split_once(':').unwrap_or((text, "")),
    };
    let port = if port.is_empty() { PORT } else { port.parse().ok().filter(|port| *port > 0)? };
    settings::is_host(host).then(|| Node { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str, port: u16) -> Node {
        Node { host: host.to_owned(), port }
    }

    fn problems<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
        let mut env = Reader::from_pairs(pairs);
        SentinelConfig::read(&mut env);
        env.finish().map_or_else(|problems| problems.to_string(), |_| String::new())
    }

    #[test]
    fn sentinels_have_their_usual_port_unless_they_say_another() {
        assert_eq!(nodes("a, b:26380 ,[::1]:5,[::1],"), Ok(vec![at("a", 26_379), at("b", 26_380), at("::1", 5), at("::1", 26_379)]));
        for wrong in ["a:b", "a:0", "ada:canary@a:1", "redis://a:1", "[::1", "[::1]5", "a:1:2", ","] {
            assert!(nodes(wrong).is_err_and(|problem| !problem.contains("canary")), "{wrong}");
        }
    }

    #[test]
    fn what_is_missing_or_said_twice_is_refused_by_its_names() {
        let [sentinels, master] = [(SENTINELS, "a,b"), (MASTER, "events")];
        assert_eq!(problems([sentinels, master]), "");
        assert!(problems([sentinels]).contains("REDIS_SENTINELS needs REDIS_SENTINEL_MASTER"));
        assert!(problems([master]).contains("REDIS_SENTINEL_MASTER has no effect without REDIS_SENTINELS"));
        assert!(problems([sentinels, master, (USERNAME, "ada")]).contains("REDIS_SENTINEL_USERNAME needs REDIS_SENTINEL_PASSWORD"));
        for name in ["REDIS_URL", "REDIS_HOST", "REDIS_PORT"] {
            let text = problems([sentinels, master, (name, "1")]);
            assert!(text.contains(&format!("{name} is set beside REDIS_SENTINELS")), "{text}");
        }
    }
}
