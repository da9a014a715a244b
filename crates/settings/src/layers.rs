//! What a command line adds to the environment.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::near_miss::{is_setting, near_miss};

/// A file beneath the environment, and settings above it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    /// A file in the form of `.env`; what `.env` and the environment say stands above it.
    pub file: Option<PathBuf>,
    /// Names and values; they stand above everything else.
    pub set: Vec<(String, String)>,
}

/// Given once, before the first [`crate::Reader`] reads: a process has one command line.
static GIVEN: OnceLock<Layers> = OnceLock::new();

impl Layers {
    /// Takes what a command line says: a file, and `NAME=value` each.
    ///
    /// # Errors
    /// What is not in that form, or names no setting of any program. Values are not quoted.
    pub fn new(file: Option<PathBuf>, set: &[String]) -> Result<Self, String> {
        Ok(Self { file, set: set.iter().map(|text| pair(text)).collect::<Result<_, _>>()? })
    }

    /// Lets every [`crate::Reader::from_environment`] of this process read them. The first call counts.
    pub fn apply(self) {
        GIVEN.get_or_init(|| self);
    }

    /// Those that were given.
    pub(crate) fn given() -> &'static Self {
        static NONE: Layers = Layers { file: None, set: Vec::new() };
        GIVEN.get().unwrap_or(&NONE)
    }

    /// The value that stands above all others; the last one where there are several.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.set.iter().rev().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The files, the one that counts more first.
    pub(crate) fn files(&self) -> impl DoubleEndedIterator<Item = &Path> {
        let own = Path::new(".env");
        [own.exists().then_some(own), self.file.as_deref()].into_iter().flatten()
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
        return Err("--set wants NAME=value, such as --set LOG_LEVEL=debug".to_owned());
    };
    let name = name.trim().to_uppercase();
    if is_setting(&name) {
        return Ok((name, value.to_owned()));
    }
    let meant = near_miss(&name, |_| false).map_or_else(String::new, |setting| format!(": is {setting} meant?"));
    Err(format!("--set: {name} is no setting{meant}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(texts: &[&str]) -> Result<Layers, String> {
        let texts: Vec<_> = texts.iter().map(|&text| text.to_owned()).collect();
        Layers::new(None, &texts)
    }

    #[test]
    fn a_setting_is_set_by_its_name_and_the_last_one_counts() {
        let layers = set(&["KAFKA_TOPIC=a=b", "log_level=debug", "LOG_LEVEL=warn", "REDIS_HOST="]).unwrap();
        assert_eq!((layers.value("KAFKA_TOPIC"), layers.value("LOG_LEVEL"), layers.value("API_PORT")), (Some("a=b"), Some("warn"), None));
        assert_eq!(layers.value("REDIS_HOST"), Some(""), "which takes out what another layer says");
        assert!(set(&["KAFKA_PROPERTY_CLIENT_RACK=a"]).is_ok());
    }

    #[test]
    fn what_is_no_setting_is_refused_without_its_value() {
        for (text, problem) in [
            ("hunter2", "--set wants NAME=value, such as --set LOG_LEVEL=debug"),
            ("=hunter2", "--set wants NAME=value, such as --set LOG_LEVEL=debug"),
            ("KAFKA_BROKER=hunter2", "--set: KAFKA_BROKER is no setting: is KAFKA_BROKERS meant?"),
            ("COLOUR=hunter2", "--set: COLOUR is no setting"),
        ] {
            assert_eq!(set(&[text]), Err(problem.to_owned()));
        }
    }
}
