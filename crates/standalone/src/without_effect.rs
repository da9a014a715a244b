//! Settings that somebody has set and that do nothing here.

use settings::Reader;

/// Settings that do nothing here: of the separate API, and of parts that are embedded, because the one variable that makes such a part the real one is not set: a sentence each.
pub fn without_effect(env: &Reader) -> Vec<String> {
    let anchors =
        [("KAFKA_", "KAFKA_BROKERS", "broker"), ("MSSQL_", "MSSQL_SERVER", "database"), ("REDIS_", "REDIS_HOST", "dead letter queue")];
    let embedded =
        anchors.into_iter().filter(|(prefix, anchor, _)| !env.is_set(anchor) && !env.is_set(&format!("{prefix}CONNECTION_STRING")));
    let named = embedded.flat_map(|(prefix, anchor, part)| env.set_settings(prefix).into_iter().map(move |name| (name, anchor, part)));
    let of_api = env.set_settings("API_MSSQL_").into_iter();
    let of_api = of_api.map(|name| format!("{name} has no effect here: `standalone` serves its API from the database of its consumer"));
    of_api.chain(named.map(|(name, anchor, part)| format!("{name} has no effect without {anchor}: the {part} is embedded"))).collect()
}
