//! Settings that somebody has set and that do nothing here.

use redis_dlq::RedisConfig;
use settings::Reader;
use sqlserver::SqlServerConfig;

/// Settings that do nothing here: of the separate API, and of parts that are embedded, because the one variable that makes such a part the real one is not set: a sentence each.
pub fn without_effect(env: &Reader) -> Vec<String> {
    let anchors = [
        ("KAFKA_", "KAFKA_BROKERS", "broker", env.is_set("KAFKA_BROKERS")),
        ("MSSQL_", "MSSQL_SERVER", "database", SqlServerConfig::is_set(env)),
        ("REDIS_", "REDIS_HOST", "dead letter queue", RedisConfig::is_set(env)),
    ];
    let embedded = anchors.into_iter().filter(|(.., is_real)| !is_real);
    let named = embedded.flat_map(|(prefix, anchor, part, _)| env.set_settings(prefix).into_iter().map(move |name| (name, anchor, part)));
    let of_api = env.set_settings("API_MSSQL_").into_iter();
    let of_api = of_api.map(|name| format!("{name} has no effect here: `standalone` serves its API from the database of its consumer"));
    of_api.chain(named.map(|(name, anchor, part)| format!("{name} has no effect without {anchor}: the {part} is embedded"))).collect()
}
