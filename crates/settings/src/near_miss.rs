//! Variables that are set and mean nothing, beside settings that are not set: `KAFKA_BROKER` for `KAFKA_BROKERS`.

/// The settings of all programs: the table that is made of what they ask for.
const DOCUMENT: &str = include_str!("../README.md");

/// From this likeness on, 0 to 1, a name may have been mistyped for another one: a letter of six.
const NEAR: f64 = 0.84;

/// What other programs call the same thing.
const OTHER_NAMES: [(&str, &str); 14] = [
    ("BOOTSTRAP_SERVERS", "KAFKA_BROKERS"),
    ("KAFKA_BOOTSTRAP_SERVER", "KAFKA_BROKERS"),
    ("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_BROKERS"),
    ("KAFKA_GROUP", "KAFKA_CONSUMER_GROUP"),
    ("KAFKA_GROUP_ID", "KAFKA_CONSUMER_GROUP"),
    ("KAFKA_USERNAME", "KAFKA_SASL_USERNAME"),
    ("KAFKA_PASSWORD", "KAFKA_SASL_PASSWORD"),
    ("MSSQL_HOST", "MSSQL_SERVER"),
    ("MSSQL_DB", "MSSQL_DATABASE"),
    ("MSSQL_USERNAME", "MSSQL_USER"),
    ("MSSQL_SA_PASSWORD", "MSSQL_PASSWORD"),
    ("REDIS_SERVER", "REDIS_HOST"),
    ("REDIS_USER", "REDIS_USERNAME"),
    ("LOGLEVEL", "LOG_LEVEL"),
];

/// The names of all settings, of whatever program.
fn known() -> impl Iterator<Item = &'static str> {
    DOCUMENT.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`').map(|(name, _)| name))
}

/// Whether some program asks for a variable of this name. Names with a part of their own, such as `KAFKA_PROPERTY_<NAME>`, begin as they are written.
pub(crate) fn is_setting(name: &str) -> bool {
    known().any(|setting| setting == name || setting.split_once('<').is_some_and(|(beginning, _)| name.starts_with(beginning)))
}

/// The setting that this variable may have been meant for; `None` where it is a setting itself, or like none that is not set.
pub(crate) fn near_miss(name: &str, is_set: impl Fn(&str) -> bool) -> Option<&'static str> {
    if is_setting(name) {
        return None;
    }
    let other = OTHER_NAMES.iter().find(|(other, _)| *other == name).map(|(_, setting)| *setting);
    let like = || {
        let likeness = known().map(|setting| (strsim::normalized_damerau_levenshtein(name, setting), setting));
        likeness.filter(|(likeness, _)| *likeness >= NEAR).max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, setting)| setting)
    };
    other.or_else(like).filter(|setting| !is_set(setting))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_name_and_that_of_another_program_are_told_with_the_setting() {
        let near = |name| near_miss(name, |_| false);
        for (name, setting) in [
            ("KAFKA_BROKER", "KAFKA_BROKERS"),
            ("KAFKA_BORKERS", "KAFKA_BROKERS"),
            ("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_BROKERS"),
            ("MSSQL_HOST", "MSSQL_SERVER"),
            ("MSSQL_PASWORD", "MSSQL_PASSWORD"),
            ("DLQ_MAX_RATOI", "DLQ_MAX_RATIO"),
        ] {
            assert_eq!(near(name), Some(setting), "{name}");
        }
        for name in
            ["KAFKA_BROKERS", "API_PORT", "KAFKA_HOME", "KAFKA_OPTS", "REDIS_PORT_6379_TCP", "REDIS_SERVICE_HOST", "PATH", "LOGNAME", ""]
        {
            assert_eq!(near(name), None, "{name}");
        }
        assert_eq!(near_miss("KAFKA_BROKER", |name| name == "KAFKA_BROKERS"), None, "it is set beside it, whatever that one is for");
    }

    #[test]
    fn no_setting_is_told_to_be_another_one() {
        assert!(known().count() > 50, "the table is read");
        for (name, setting) in OTHER_NAMES {
            assert!(known().all(|known| known != name) && known().any(|known| known == setting), "{name}");
        }
        for name in known() {
            assert_eq!(near_miss(name, |_| false), None);
        }
    }
}
