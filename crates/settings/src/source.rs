//! Where values come from.

use std::collections::HashMap;
use std::path::Path;

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

    /// The value of a variable; an empty one counts as not set, as compose files write it.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let value = match self {
            Self::Environment(config) => config.get_string(&name.to_lowercase()).ok(),
            Self::Pairs(pairs) => pairs.get(name).cloned(),
        };
        value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }
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
