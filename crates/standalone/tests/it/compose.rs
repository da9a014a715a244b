//! `docker-compose.yml`: what must hold for a stack that people run on their machines.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use settings::Reader;

use crate::repository::{root, text, texts, yaml};

const FILE: &str = "docker-compose.yml";
/// The services that are built here.
const OURS: [&str; 5] = ["migrate", "consumer", "api", "producer", "demo"];
/// The services that do one thing and end.
const ONE_SHOT: [&str; 5] = ["topic", "migrate", "logins", "producer", "demo"];

pub fn services() -> Map<String, Value> {
    yaml(FILE)["services"].as_object().unwrap().clone()
}

pub fn environment(service: &Value) -> Map<String, Value> {
    service["environment"].as_object().cloned().unwrap_or_default()
}

fn variables(read: impl FnOnce(&mut Reader)) -> BTreeSet<String> {
    let mut env = Reader::from_pairs([]);
    read(&mut env);
    env.variables().iter().map(|variable| variable.name.to_owned()).collect()
}

/// What the program of each service reads.
fn variables_of(service: &str) -> BTreeSet<String> {
    variables(|env| {
        telemetry::LoggingConfig::read(env);
        match service {
            "consumer" => drop(consumer::wiring::Settings::read(env)),
            "migrate" => drop(sqlserver::SqlServerConfig::read(env)),
            "api" => drop(api::Config::read(env)),
            "producer" => drop(kafka::KafkaConfig::read(env)),
            "demo" => {
                drop(kafka::KafkaConfig::read(env));
                drop(redis_dlq::RedisConfig::read(env));
            }
            other => panic!("{other} is not a program of ours"),
        }
    })
}

/// Settings that have no meaning inside the stack: its connections stay within one machine, in plain text or with a certificate that signs
/// itself, and lead to the one server that it has. Nor can a compose file hand on variables whose names it does not know.
fn has_no_meaning_here(variable: &str) -> bool {
    ["KAFKA_SECURITY_", "KAFKA_SASL_", "KAFKA_SSL_", "KAFKA_PROPERTY_"].iter().any(|prefix| variable.starts_with(prefix))
        || ["API_MSSQL_", "MSSQL_HOST_NAME_"].iter().any(|prefix| variable.starts_with(prefix))
        || variable.starts_with("AZURE_")
        || ["MSSQL_ENCRYPT", "MSSQL_CA_FILE", "MSSQL_CONNECTION_STRING"].contains(&variable)
        || ["MSSQL_AUTHENTICATION", "MSSQL_ACCESS_TOKEN_FILE"].contains(&variable)
        || variable.starts_with("REDIS_SENTINEL")
        || ["REDIS_URL", "REDIS_USERNAME", "REDIS_TLS", "REDIS_CA_FILE", "REDIS_WAIT_REPLICAS"].contains(&variable)
}

#[test]
fn every_setting_reaches_its_program_and_no_other_is_set() {
    let services = services();
    for name in OURS {
        let set: BTreeSet<_> = environment(&services[name]).keys().cloned().collect();
        let read: BTreeSet<_> = variables_of(name).into_iter().filter(|variable| !has_no_meaning_here(variable)).collect();
        let (unknown, missing): (Vec<_>, Vec<_>) = (set.difference(&read).collect(), read.difference(&set).collect());
        assert!(unknown.is_empty(), "{FILE}, {name}: no such setting: {unknown:?}");
        assert!(missing.is_empty(), "{FILE}, {name}: somebody who sets these in .env expects them to hold: {missing:?}");
    }
}

#[test]
fn passwords_come_from_outside_and_their_absence_is_refused_with_a_message() {
    for (name, service) in services() {
        for (variable, value) in environment(&service) {
            if !["PASSWORD", "TOKEN", "REDISCLI_AUTH"].iter().any(|end| variable.ends_with(end)) {
                continue;
            }
            let required = value.as_str().is_some_and(|value| value.starts_with("${") && value.contains(":?") && value.ends_with('}'));
            let passed_on = value.is_null() && variable == "ADMIN_TOKEN";
            assert!(required || passed_on, "{FILE}, {name}: {variable}");
        }
    }
}

#[test]
fn every_port_is_bound_to_this_machine_and_consumers_share_a_range() {
    for (name, service) in services() {
        for port in texts(&service["ports"]) {
            assert!(port.starts_with("127.0.0.1:"), "{FILE}, {name}: {port}");
        }
        assert!(service["container_name"].is_null(), "{FILE}, {name}: a fixed name cannot be scaled");
    }
    assert_eq!(services()["consumer"]["ports"][0], "127.0.0.1:${METRICS_PORTS:-9090-9099}:9090");
}

#[test]
fn every_service_has_limits_and_bounded_logs() {
    for (name, service) in services() {
        let limits = &service["deploy"]["resources"]["limits"];
        assert!(limits["cpus"].is_string() && limits["memory"].is_string(), "{FILE}, {name}: {limits}");
        assert!(service["logging"]["options"]["max-size"].is_string(), "{FILE}, {name}");
    }
}

#[test]
fn whoever_waits_for_a_service_waits_until_it_is_healthy_or_done() {
    let services = services();
    for (name, service) in &services {
        let one_shot = ONE_SHOT.contains(&name.as_str());
        let command = texts(&service["healthcheck"]["test"]);
        assert_eq!(service["healthcheck"]["disable"] == true, one_shot, "{FILE}, {name}");
        assert_eq!(matches!(command.first(), Some(&"CMD" | &"CMD-SHELL")), !one_shot, "{FILE}, {name}: {command:?}");
        assert_eq!(service["restart"], if one_shot { "no" } else { "unless-stopped" }, "{FILE}, {name}");
        for (dependency, how) in service["depends_on"].as_object().into_iter().flatten() {
            let done = ONE_SHOT.contains(&dependency.as_str());
            let condition = if done { "service_completed_successfully" } else { "service_healthy" };
            assert_eq!(how["condition"], condition, "{FILE}, {name} waits for {dependency}");
            assert!(services.contains_key(dependency), "{FILE}, {name} waits for {dependency}");
        }
    }
}

#[test]
fn what_is_kept_lies_in_named_volumes_and_what_is_mounted_exists() {
    let named = yaml(FILE)["volumes"].as_object().unwrap().clone();
    for (name, service) in services() {
        for mount in texts(&service["volumes"]) {
            let (source, rest) = mount.split_once(':').unwrap();
            if source.starts_with("./") {
                assert!(root().join(source).is_file() && rest.ends_with(":ro"), "{FILE}, {name}: {mount}");
            } else {
                assert!(named.contains_key(source), "{FILE}, {name}: {mount}");
            }
        }
    }
    for (name, place) in [("kafka", "/var/lib/kafka/data"), ("mssql", "/var/opt/mssql"), ("redis", "/data")] {
        assert!(texts(&services()[name]["volumes"]).iter().any(|mount| mount.ends_with(place)), "{FILE}, {name} loses what it holds");
    }
}

#[test]
fn programs_of_ours_have_no_rights_and_images_of_others_have_a_version() {
    for (name, service) in services() {
        if OURS.contains(&name.as_str()) {
            assert_eq!(service["read_only"], true, "{FILE}, {name}");
            assert_eq!(texts(&service["cap_drop"]), ["ALL"], "{FILE}, {name}");
            assert_eq!(texts(&service["security_opt"]), ["no-new-privileges:true"], "{FILE}, {name}");
            assert!(service["user"].is_null(), "{FILE}, {name}: the image says which user");
            let file = service["build"]["dockerfile"].as_str().unwrap();
            assert!(root().join(file).is_file(), "{FILE}, {name}: {file}");
        } else {
            let (_, version) = service["image"].as_str().unwrap().rsplit_once(':').unwrap();
            assert!(version.contains(|c: char| c.is_ascii_digit()) && !version.contains("latest"), "{FILE}, {name}: {version}");
            assert!(service["privileged"].is_null() && service["user"] != "root", "{FILE}, {name}");
        }
    }
}

#[test]
fn every_image_is_a_variable_and_those_of_builds_have_the_dockerfiles_defaults() {
    for (name, service) in services() {
        if let Some(image) = service["image"].as_str() {
            // These run a tool that is in another's image.
            let variable = match name.as_str() {
                "topic" => "KAFKA".to_owned(),
                "logins" => "MSSQL".to_owned(),
                name => name.to_uppercase(),
            };
            assert!(image.starts_with(&format!("${{{variable}_IMAGE:-")) && image.ends_with('}'), "{FILE}, {name}: {image}");
            continue;
        }
        let dockerfile = text(service["build"]["dockerfile"].as_str().unwrap());
        for argument in ["BUILD_IMAGE", "RUNTIME_IMAGE"] {
            let default = dockerfile.lines().find_map(|line| line.strip_prefix(&format!("ARG {argument}="))).unwrap();
            assert_eq!(service["build"]["args"][argument], format!("${{{argument}:-{default}}}"), "{FILE}, {name}");
        }
    }
}

#[test]
fn redis_keeps_every_dead_letter_and_the_topic_has_six_partitions() {
    let services = services();
    let redis = services["redis"]["command"][2].as_str().unwrap();
    for line in ["requirepass \"$$REDIS_PASSWORD\"\n", "appendonly yes\n", "appendfsync always\n", "maxmemory-policy noeviction\n"] {
        assert!(redis.contains(line), "{FILE}: redis without {line}");
    }
    let topic = services["topic"]["command"][0].as_str().unwrap();
    assert!(topic.contains("--partitions 6 ") && topic.contains("--if-not-exists"), "{FILE}: {topic}");
    for (tool, server) in [("topic", "kafka"), ("logins", "mssql")] {
        assert_eq!(services[tool]["image"], services[server]["image"], "{FILE}, {tool}");
    }
}
