//! Properties of librdkafka that have no variable of their own: `KAFKA_PROPERTY_<NAME>`, its dots written as underscores.
//!
//! | module | what it holds |
//! |---|---|
//! | `known` | every property, whose it is, and what it may be |
//! | `verdicts` | what the program sets itself, and why nobody else may |

mod known;
mod verdicts;

use std::fmt;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, DefaultConsumerContext};
use rdkafka::error::KafkaResult;
use rdkafka::producer::{BaseProducer, DefaultProducerContext};
use settings::Reader;

use known::{ALIASES, KNOWN, Scope};
use verdicts::{Verdict, verdict};

use crate::client;
use crate::config::KafkaConfig;

/// How the variables begin.
const PREFIX: &str = "KAFKA_PROPERTY_";
/// Their row in the documents.
const PATTERN: &str = "KAFKA_PROPERTY_<NAME>";
const HELP: &str = "Any other property of librdkafka, for every client: `KAFKA_PROPERTY_CLIENT_RACK=eu-1a` is `client.rack`. Refused are \
                    those on which a promise rests.";
/// Words that make the value of a property a secret, or a part of one.
const SECRET: [&str; 7] = ["PASSWORD", "PASSPHRASE", "SECRET", "KEY", "PEM", "TOKEN", "OAUTHBEARER_CONFIG"];
/// From this likeness on, 0 to 1, a name may have been mistyped for another one.
const NEAR: f64 = 0.75;
/// Properties that make sense for a member of the group alone; other clients that read are none.
const MEMBERS: [&str; 2] = ["group.remote.assignor", "heartbeat.interval.ms"];

/// The properties that were set.
#[derive(Clone, Default)]
pub struct Properties(Vec<Property>);

#[derive(Clone)]
struct Property {
    variable: &'static str,
    /// By the name that is no alias.
    name: &'static str,
    scope: Scope,
    value: String,
}

/// For which client properties are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The member of the group.
    Member,
    /// One that reads from outside of the group.
    Reader,
    /// One that writes, or makes and describes topics.
    Producer,
}

/// Names alone: a value may be a secret.
impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|property| property.name)).finish()
    }
}

impl Properties {
    /// Reads every variable that begins so. What is refused, unknown, or no value of its property is a problem of that variable.
    pub(crate) fn read(env: &mut Reader) -> Self {
        let mut read: Vec<Property> = Vec::new();
        for (variable, value) in env.prefixed(PREFIX, PATTERN, HELP, |name| SECRET.iter().any(|word| name.contains(word))) {
            match find(&variable[PREFIX.len()..]).and_then(|(name, scope, takes)| accepted(name, takes, &value).map(|()| (name, scope))) {
                Ok((name, _)) if read.iter().any(|other| other.name == name) => {
                    env.problem(variable, format!("is {name}, which another variable has set already"));
                }
                Ok((name, scope)) => read.push(Property { variable, name, scope, value }),
                Err(problem) => env.problem(variable, problem),
            }
        }
        Self(read)
    }

    /// Sets what this kind of client knows, over what the program has set.
    pub(crate) fn apply(&self, client: &mut ClientConfig, kind: Kind) {
        for Property { name, value, .. } in self.0.iter().filter(|property| property.is_for(kind)) {
            for (alias, _) in ALIASES.iter().filter(|(_, of)| of == name) {
                client.remove(alias);
            }
            client.set(*name, value);
            if *name == "debug" {
                // Otherwise what was asked for would not be written.
                client.set_log_level(RDKafkaLogLevel::Debug);
            }
        }
    }

    /// Some combinations are only looked at when a client is made. So clients are made, and let go before they have reached anybody.
    pub(crate) fn try_out(config: &KafkaConfig, env: &mut Reader) {
        let Self(all) = &config.properties;
        let with = |properties: Vec<Property>| KafkaConfig { properties: Self(properties), ..config.clone() };
        // What is wrong without any is told where it belongs.
        if all.is_empty() || opens(&with(Vec::new())).is_err() || opens(config).is_ok() {
            return;
        }
        let alone: Vec<_> = all.iter().filter(|property| opens(&with(vec![(*property).clone()])).is_err()).collect();
        let culprits = if alone.is_empty() { all.iter().collect() } else { alone };
        for Property { variable, name, .. } in culprits {
            env.problem(variable, format!("is refused: librdkafka makes no client with this {name} beside the other settings"));
        }
    }
}

impl Property {
    fn is_for(&self, kind: Kind) -> bool {
        match self.scope {
            Scope::All => true,
            Scope::Consumer => kind == Kind::Member || kind == Kind::Reader && !MEMBERS.contains(&self.name),
            Scope::Producer => kind == Kind::Producer,
        }
    }
}

/// Whether librdkafka makes these clients.
fn opens(config: &KafkaConfig) -> KafkaResult<()> {
    for reader in [client::consumer(config), client::observer(config), client::log_reader(config)] {
        let _: BaseConsumer<DefaultConsumerContext> = reader.create()?;
    }
    for writer in [client::producer(config), client::admin(config)] {
        let _: BaseProducer<DefaultProducerContext> = writer.create()?;
    }
    Ok(())
}

/// A property by the name that is no alias, whose it is, and what it may be. The problem where there is none.
fn find(suffix: &str) -> Result<(&'static str, Scope, &'static str), String> {
    let names = || KNOWN.iter().map(|(name, ..)| *name).chain(ALIASES.iter().map(|(alias, _)| *alias));
    let Some(found) = names().find(|name| written(name) == suffix) else {
        let likeness = |name: &&str| likeness(&written(name), suffix);
        let nearest = names().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).filter(|name| likeness(name) >= NEAR);
        let meant = nearest.map(|name| format!("; there is {PREFIX}{} for {name}", written(name))).unwrap_or_default();
        return Err(format!("is no property of librdkafka, whose names are not always those of Java's client{meant}"));
    };
    let name = canonical(found);
    let entry = KNOWN.iter().find(|(known, ..)| *known == name).copied();
    entry.ok_or_else(|| "is no property of librdkafka".to_owned())
}

/// How alike two names are, 0 to 1. Java's client has some of the same words in another order.
fn likeness(a: &str, b: &str) -> f64 {
    let sorted = |name: &str| {
        let mut words: Vec<_> = name.split('_').collect();
        words.sort_unstable();
        words.join("_")
    };
    let plain = strsim::normalized_damerau_levenshtein(a, b);
    plain.max(strsim::normalized_damerau_levenshtein(&sorted(a), &sorted(b)))
}

/// Whether this property may be set, to this value.
fn accepted(name: &'static str, takes: &str, value: &str) -> Result<(), String> {
    match verdict(name) {
        Verdict::Variable(variable) => return Err(format!("has a variable of its own: set {variable}")),
        Verdict::Fixed(reason) => return Err(format!("is not for setting: {reason}")),
        Verdict::Tunable => {}
    }
    if ClientConfig::new().set(name, value).create_native_config().is_ok() {
        return Ok(());
    }
    // Neither the value nor librdkafka's text, which quotes it.
    Err(match takes {
        "" => format!("holds what librdkafka does not take for {name}, or was compiled without"),
        takes => format!("must be what librdkafka takes for {name}: {takes}"),
    })
}

/// As the rest of a variable's name.
fn written(name: &str) -> String {
    name.replace('.', "_").to_uppercase()
}

/// The name of which a name is an alias, or the name itself.
fn canonical(name: &'static str) -> &'static str {
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, of)| of)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use rdkafka::ClientContext;
    use rdkafka::consumer::ConsumerContext;
    use rdkafka::error::KafkaError;
    use rdkafka::producer::{DeliveryResult, ProducerContext};
    use rdkafka::types::RDKafkaConfRes;

    use super::verdicts::VERDICTS;
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> KafkaConfig {
        let mut env = Reader::from_pairs(pairs.iter().copied());
        let config = KafkaConfig::read(&mut env);
        env.finish().unwrap();
        config
    }

    fn problems(pairs: &[(&str, &str)]) -> Vec<(&'static str, String)> {
        let mut env = Reader::from_pairs(pairs.iter().copied());
        KafkaConfig::read(&mut env);
        env.finish()
            .err()
            .map(|problems| problems.0.into_iter().map(|problem| (problem.name, problem.message)).collect())
            .unwrap_or_default()
    }

    fn problem(variable: &str, value: &str) -> String {
        let found = problems(&[(variable, value)]);
        let [(name, message)] = found.try_into().unwrap_or_else(|found| panic!("{variable}: {found:?}"));
        assert_eq!(name, variable);
        assert!(value.len() < 3 || !message.contains(value), "{message}");
        message
    }

    fn clients(config: &KafkaConfig) -> [ClientConfig; 5] {
        [client::consumer, client::observer, client::log_reader, client::producer, client::admin].map(|client| client(config))
    }

    #[test]
    fn a_property_reaches_the_clients_that_know_it_and_no_other() {
        let config = config(&[
            ("KAFKA_PROPERTY_CLIENT_RACK", "eu-1a"),
            ("KAFKA_PROPERTY_FETCH_MIN_BYTES", "1000"),
            ("KAFKA_PROPERTY_LINGER_MS", "77"),
            ("KAFKA_PROPERTY_SSL_ENDPOINT_IDENTIFICATION_ALGORITHM", "none"),
            ("KAFKA_PROPERTY_CLIENT_ID", "till"),
        ]);
        let of = |name: &str| clients(&config).map(|client| client.create_native_config().unwrap().get(name).unwrap());
        assert_eq!(of("client.rack"), ["eu-1a"; 5].map(str::to_owned));
        assert_eq!(of("client.id"), ["till"; 5].map(str::to_owned), "what is only ours by taste");
        assert_eq!(of("fetch.min.bytes"), ["1000", "1000", "1000", "1", "1"].map(str::to_owned));
        assert_eq!(of("linger.ms"), ["5", "5", "5", "77", "77"].map(str::to_owned), "whatever its other names are");
        assert_eq!(of("ssl.endpoint.identification.algorithm"), ["none"; 5].map(str::to_owned));
    }

    #[test]
    fn what_the_program_sets_has_a_verdict_each() {
        let secure: &[(&str, &str)] = &[
            ("KAFKA_SECURITY_PROTOCOL", "SASL_SSL"),
            ("KAFKA_SASL_USERNAME", "ada"),
            ("KAFKA_SASL_PASSWORD", "hunter2"),
            // This file holds the first line of either: -----BEGIN CERTIFICATE----- and -----BEGIN PRIVATE KEY-----.
            ("KAFKA_SSL_CERTIFICATE_FILE", "src/properties/mod.rs"),
            ("KAFKA_SSL_KEY_FILE", "src/properties/mod.rs"),
            ("KAFKA_SSL_KEY_PASSWORD", "hunter2"),
        ];
        let all = [config(&[]), config(secure)];
        let all = all.iter().flat_map(clients);
        let set: BTreeSet<_> = all.flat_map(|client| client.config_map().keys().map(|key| (*key).to_owned()).collect::<Vec<_>>()).collect();
        let set: BTreeSet<_> = set.iter().map(|key| find(&written(key)).unwrap().0).collect();
        let ours: BTreeSet<_> = VERDICTS.iter().map(|(name, _)| *name).collect();
        assert_eq!(ours.len(), VERDICTS.len(), "twice in the list");
        assert_eq!(set.difference(&ours).collect::<Vec<_>>(), [""; 0].iter().collect::<Vec<_>>(), "set by the program, and open to all");
        for (name, verdict) in VERDICTS {
            assert!(KNOWN.iter().any(|(known, ..)| known == name), "{name} is no property");
            assert!(*verdict != Verdict::Tunable || set.contains(name), "{name} is not set by the program");
        }
    }

    #[test]
    fn the_table_is_that_of_this_librdkafka() {
        for (name, ..) in KNOWN.iter().filter(|(name, ..)| !name.ends_with("_cb")) {
            let set = ClientConfig::new().set(*name, "").create_native_config().map(drop);
            assert!(!matches!(set, Err(KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..))), "{name}: {set:?}");
        }
        assert_eq!(rdkafka::util::get_rdkafka_version().1, "2.12.1", "write properties/known.rs anew from its CONFIGURATION.md");
    }

    #[test]
    fn what_a_promise_rests_on_is_refused_with_the_reason() {
        for (name, value, says) in [
            ("BOOTSTRAP_SERVERS", "localhost:9092", "set KAFKA_BROKERS"),
            ("GROUP_ID", "others", "set KAFKA_CONSUMER_GROUP"),
            ("SASL_PASSWORD", "hunter2", "set KAFKA_SASL_PASSWORD"),
            ("SASL_MECHANISM", "PLAIN", "set KAFKA_SASL_MECHANISM"),
            ("DELIVERY_TIMEOUT_MS", "1000", "set KAFKA_DELIVERY_TIMEOUT"),
            ("ENABLE_AUTO_COMMIT", "true", "committed after its record is in the tables"),
            ("ISOLATION_LEVEL", "read_uncommitted", "aborted transactions"),
            ("AUTO_OFFSET_RESET", "latest", "nothing is skipped"),
            ("ACKS", "1", "in-sync replicas"),
            ("ENABLE_IDEMPOTENCE", "false", "neither double"),
            ("PARTITIONER", "random", "Java"),
            ("TRANSACTIONAL_ID", "till", "no transactions"),
            ("SSL_CERTIFICATE_VERIFY_CB", "0", "function"),
        ] {
            let message = problem(&format!("{PREFIX}{name}"), value);
            assert!(message.contains(says), "{name} {message}");
        }
    }

    #[test]
    fn a_name_that_is_none_is_told_with_the_one_that_was_meant_and_a_value_with_what_it_may_be() {
        assert!(problem("KAFKA_PROPERTY_CLIENT_RAK", "eu-1a").contains("KAFKA_PROPERTY_CLIENT_RACK for client.rack"));
        assert!(problem("KAFKA_PROPERTY_FETCH_MAX_WAIT_MS", "10").contains("fetch.wait.max.ms"), "as Java calls it");
        assert!(!problem("KAFKA_PROPERTY_BUFFER_MEMORY", "10").contains("there is"));
        assert!(problem("KAFKA_PROPERTY_TEST_MOCK_NUM_BROKERS", "3").contains("no property"));
        assert!(problem("KAFKA_PROPERTY_SOCKET_SEND_BUFFER_BYTES", "lots").contains("0 .. 100000000"));
        assert!(problem("KAFKA_PROPERTY_BROKER_ADDRESS_FAMILY", "both").contains("any, v4, v6"));
    }

    #[test]
    fn what_is_only_wrong_beside_another_setting_is_told_at_the_start_too() {
        assert!(problem("KAFKA_PROPERTY_MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION", "6").contains("max.in.flight"));
        let two = [("KAFKA_PROPERTY_RECONNECT_BACKOFF_MS", "5000"), ("KAFKA_PROPERTY_RECONNECT_BACKOFF_MAX_MS", "1000")];
        assert_eq!(problems(&two).len(), 2, "each alone is right");
        let same = problems(&[("KAFKA_PROPERTY_LINGER_MS", "1"), ("KAFKA_PROPERTY_QUEUE_BUFFERING_MAX_MS", "2")]);
        assert!(same.len() == 1 && same[0].1.contains("another variable"), "{same:?}");
    }

    #[test]
    fn a_secret_is_shown_nowhere() {
        let pairs = [("KAFKA_SECURITY_PROTOCOL", "SSL"), ("KAFKA_PROPERTY_SSL_KEYSTORE_PASSWORD", "hunter2")];
        let mut env = Reader::from_pairs(pairs);
        let config = KafkaConfig::read(&mut env);
        let shown = format!("{:?} {config:?} {:?}", env.shown(), env.finish());
        assert!(shown.contains("KAFKA_PROPERTY_SSL_KEYSTORE_PASSWORD") && !shown.contains("hunter2"), "{shown}");
    }

    /// What librdkafka logs.
    #[derive(Clone, Default)]
    struct Logged(Arc<Mutex<Vec<String>>>);

    impl ClientContext for Logged {
        fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
            self.0.lock().unwrap().push(format!("{facility} {message}"));
        }
    }

    impl ConsumerContext for Logged {}

    impl ProducerContext for Logged {
        type DeliveryOpaque = ();

        fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
    }

    #[test]
    fn no_client_warns_of_a_property_that_is_another_kinds() {
        let values = |takes: &str| takes.split([',', ' ']).next().unwrap_or_default().to_owned();
        let open = KNOWN.iter().filter(|(name, _, takes)| verdict(name) == Verdict::Tunable && !takes.is_empty());
        let properties = open.filter_map(|(name, scope, takes)| {
            let value = if takes.contains("..") { takes.rsplit(' ').next().unwrap().to_owned() } else { values(takes) };
            let stays = *scope == Scope::All || ["max.in.flight.requests.per.connection", "compression.level"].contains(name);
            (!stays).then_some(Property { variable: "", name, scope: *scope, value })
        });
        let properties: Vec<_> = properties.filter(|property| accepted(property.name, "", &property.value).is_ok()).collect();
        assert!(properties.len() > 15, "{}", properties.len());
        // One after the other: together some exclude each other.
        for property in properties {
            let name = property.name;
            let config = KafkaConfig { properties: Properties(vec![property]), ..config(&[]) };
            let [member, _, reader, producer, _] = clients(&config);
            let logged = Logged::default();
            for reader in [member, reader] {
                if let Ok(reader) = reader.create_with_context::<_, BaseConsumer<Logged>>(logged.clone()) {
                    reader.poll(Duration::from_millis(1));
                }
            }
            if let Ok(producer) = producer.create_with_context::<_, BaseProducer<Logged>>(logged.clone()) {
                producer.poll(Duration::from_millis(1));
            }
            let warned: Vec<_> = logged.0.lock().unwrap().iter().filter(|line| line.contains("will be ignored")).cloned().collect();
            assert!(warned.is_empty(), "{name}: {warned:?}");
        }
    }
}
