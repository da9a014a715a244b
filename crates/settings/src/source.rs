//! Where values come from.

use std::collections::HashMap;
use std::path::Path;

use config::Source as _;

use crate::layers::Layers;

/// Variables by name.
pub(crate) enum Source {
    Environment { read: Box<config::Config>, layers: Layers },
    Pairs(HashMap<String, String>),
}

impl Source {
    /// Layers, each above the one before: a file that the command line names, the `.env` file of the working directory, the environment, and what the
    /// command line sets.
    ///
    /// # Errors
    /// A file cannot be read or is not in the form `NAME=value`.
    pub(crate) fn environment(layers: &Layers) -> Result<Self, String> {
        let mut builder = config::Config::builder();
        for file in layers.files().rev() {
            for pair in dotenvy::from_path_iter(file).map_err(|error| unreadable(file, &error))? {
                let (name, value) = pair.map_err(|error| unreadable(file, &error))?;
                // A name that is no path of ours cannot be a variable of ours either.
                builder =
                    builder.set_default(name.to_lowercase(), value).map_err(|_| format!("{} holds a name that is none", file.display()))?;
            }
        }
        builder = builder.add_source(config::Environment::default().ignore_empty(true));
        for (name, value) in &layers.set {
            builder = builder.set_override(name.to_lowercase(), value.as_str()).map_err(|_| format!("--set: {name} is no name"))?;
        }
        let read = builder.build().map_err(|_| "the environment cannot be read: a variable is not UTF-8".to_owned())?;
        Ok(Self::Environment { read: Box::new(read), layers: layers.clone() })
    }

    /// The names that begin so and go on, in order.
    pub(crate) fn names(&self, prefix: &str) -> Vec<String> {
        let names: Vec<String> = match self {
            Self::Environment { read, .. } => read.collect().map(|values| values.into_keys().collect()).unwrap_or_default(),
            Self::Pairs(pairs) => pairs.keys().cloned().collect(),
        };
        let mut found: Vec<_> = names.into_iter().map(|name| name.to_uppercase()).collect();
        found.retain(|name| name.len() > prefix.len() && name.starts_with(prefix));
        found.sort();
        found
    }

    /// Where the value of a variable comes from, as half a sentence; `None` for pairs.
    pub(crate) fn origin(&self, name: &str) -> Option<String> {
        let Self::Environment { layers, .. } = self else { return None };
        if self.is_on_command_line(name) {
            return Some("from --set".to_owned());
        }
        // The environment stands above the files.
        if std::env::var(name).is_ok_and(|value| !value.trim().is_empty()) {
            return Some("from the environment".to_owned());
        }
        layers.files().find_map(|file| {
            let text = std::fs::read_to_string(file).ok()?;
            let (number, _) = (1..).zip(text.lines()).filter(|(_, line)| sets(line, name)).last()?;
            Some(format!("from line {number} of {}", shown(file)))
        })
    }

    /// Whether the command line sets it: where everyone on the machine can read it.
    pub(crate) fn is_on_command_line(&self, name: &str) -> bool {
        matches!(self, Self::Environment { layers, .. } if layers.value(name).is_some())
    }

    /// The value of a variable; an empty one counts as not set, as compose files write it.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let value = match self {
            Self::Environment { read, .. } => read.get_string(&name.to_lowercase()).ok(),
            Self::Pairs(pairs) => pairs.get(name).cloned(),
        };
        value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }
}

/// Whether a line of a `.env` file sets this variable.
fn sets(line: &str, name: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").map_or(line, str::trim_start);
    line.split_once('=').is_some_and(|(before, _)| before.trim_end().eq_ignore_ascii_case(name))
}

/// Without the line itself, which may hold a password.
fn unreadable(file: &Path, error: &dotenvy::Error) -> String {
    let file = shown(file);
    match error {
        dotenvy::Error::LineParse(_, column) => {
            format!(
                "{file} has a line that is not NAME=value (it breaks off at its character {column}); a value with spaces, backslashes, quotes or # \
                 stands in single quotes"
            )
        }
        dotenvy::Error::Io(error) if error.kind() == std::io::ErrorKind::NotFound => format!("{file} is not there"),
        _ => format!("{file} is there and cannot be read"),
    }
}

fn shown(file: &Path) -> String {
    format!("`{}`", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_file_sets_the_variable_before_its_equals_sign() {
        for line in ["API_PORT=1", "  export API_PORT = 1", "api_port='1'"] {
            assert!(sets(line, "API_PORT"), "{line}");
        }
        for line in ["# API_PORT=1", "MY_API_PORT=1", "API_PORT", "API_PORTS=1", ""] {
            assert!(!sets(line, "API_PORT"), "{line}");
        }
    }

    fn layers(file: Option<std::path::PathBuf>, set: &[(&str, &str)]) -> Layers {
        Layers { file, set: set.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect() }
    }

    #[test]
    fn a_dollar_sign_in_a_file_stands_for_a_variable_unless_single_quotes_are_around_it() {
        let file = std::env::temp_dir().join(format!("dollars-{}", std::process::id()));
        std::fs::write(&file, "A=one\nB=${A}-two\nC=pa$word\nD='pa$word'\n").unwrap();
        let source = Source::environment(&layers(Some(file.clone()), &[])).unwrap();
        std::fs::remove_file(&file).unwrap();
        let value = |name| source.get(name).unwrap_or_default();
        assert_eq!([value("B"), value("C"), value("D")], ["one-two", "pa", "pa$word"].map(str::to_owned), "as README says");
    }

    #[test]
    fn the_command_line_stands_above_the_environment_and_its_file_beneath() {
        let file = std::env::temp_dir().join(format!("layers-{}", std::process::id()));
        // PATH is in every environment, and no file of a test's working directory has it.
        std::fs::write(&file, "API_PORT=1\n\nPATH=of-the-file\nKAFKA_TOPIC=of-the-file\n").unwrap();
        let source = Source::environment(&layers(Some(file.clone()), &[("KAFKA_TOPIC", "set")])).unwrap();
        assert_eq!((source.get("API_PORT").as_deref(), source.get("KAFKA_TOPIC").as_deref()), (Some("1"), Some("set")));
        assert_ne!(source.get("PATH").as_deref(), Some("of-the-file"));
        let origin = |name| source.origin(name).unwrap_or_default();
        assert_eq!(origin("API_PORT"), format!("from line 1 of `{}`", file.display()));
        assert_eq!((origin("KAFKA_TOPIC").as_str(), origin("PATH").as_str()), ("from --set", "from the environment"));
        assert!(source.is_on_command_line("KAFKA_TOPIC") && !source.is_on_command_line("API_PORT"));
        let cleared = Source::environment(&layers(Some(file.clone()), &[("KAFKA_TOPIC", "")])).unwrap();
        assert_eq!(cleared.get("KAFKA_TOPIC"), None);
        std::fs::write(&file, "API_PORT=1\nhunter2\n").unwrap();
        let problem = Source::environment(&layers(Some(file.clone()), &[])).err().unwrap();
        assert!(problem.contains("NAME=value") && problem.contains("layers-") && !problem.contains("hunter2"), "{problem}");
        std::fs::remove_file(&file).unwrap();
        let problem = Source::environment(&layers(Some(file.clone()), &[])).err().unwrap();
        assert_eq!(problem, format!("`{}` is not there", file.display()));
    }
}
