//! Where values come from.

use std::collections::HashMap;
use std::path::Path;

use config::Source as _;

/// Variables by name.
pub(crate) enum Source {
    Environment(config::Config),
    Pairs(HashMap<String, String>),
}

impl Source {
    /// The environment, and beneath it the `.env` file of the working directory, if there is one.
    ///
    /// # Errors
    /// The file cannot be read or is not in the form `NAME=value`.
    pub(crate) fn environment() -> Result<Self, String> {
        let mut builder = config::Config::builder();
        if Path::new(".env").exists() {
            for pair in dotenvy::from_path_iter(".env").map_err(|error| unreadable(&error))? {
                let (name, value) = pair.map_err(|error| unreadable(&error))?;
                // A name that is no path of ours cannot be a variable of ours either.
                builder = builder.set_default(name.to_lowercase(), value).map_err(|_| "`.env` holds a name that is none".to_owned())?;
            }
        }
        let environment = config::Environment::default().ignore_empty(true);
        builder
            .add_source(environment)
            .build()
            .map(Self::Environment)
            .map_err(|_| "the environment cannot be read: a variable is not UTF-8".to_owned())
    }

    /// The names that begin so and go on, in order.
    pub(crate) fn names(&self, prefix: &str) -> Vec<String> {
        let names: Vec<String> = match self {
            Self::Environment(config) => config.collect().map(|values| values.into_keys().collect()).unwrap_or_default(),
            Self::Pairs(pairs) => pairs.keys().cloned().collect(),
        };
        let mut found: Vec<_> = names.into_iter().map(|name| name.to_uppercase()).collect();
        found.retain(|name| name.len() > prefix.len() && name.starts_with(prefix));
        found.sort();
        found
    }

    /// Where the value of a variable comes from, as half a sentence; `None` for pairs.
    pub(crate) fn origin(&self, name: &str) -> Option<String> {
        let Self::Environment(_) = self else { return None };
        // The environment stands above the file.
        if std::env::var(name).is_ok_and(|value| !value.trim().is_empty()) {
            return Some("from the environment".to_owned());
        }
        let file = std::fs::read_to_string(".env").ok()?;
        let line = (1..).zip(file.lines()).filter(|(_, line)| sets(line, name)).last();
        Some(line.map_or_else(|| "from `.env`".to_owned(), |(number, _)| format!("from line {number} of `.env`")))
    }

    /// The value of a variable; an empty one counts as not set, as compose files write it.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let value = match self {
            Self::Environment(config) => config.get_string(&name.to_lowercase()).ok(),
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
fn unreadable(error: &dotenvy::Error) -> String {
    match error {
        dotenvy::Error::LineParse(_, column) => {
            format!(
                "`.env` has a line that is not NAME=value (it breaks off at its character {column}); a value with spaces, backslashes, quotes or # \
                 stands in single quotes"
            )
        }
        _ => "`.env` is there and cannot be read".to_owned(),
    }
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
}
