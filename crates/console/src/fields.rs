//! Addresses and forms: names and values in which a name may occur more than once.

/// What an address or a form says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The first value of this name that is not blank: an empty field of a form stands for nothing.
    pub fn given(&self, name: &str) -> Option<&str> {
        self.all(name).map(str::trim).find(|value| !value.is_empty())
    }

    /// Every value of this name.
    pub fn all<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// An address with a query.
pub(crate) fn address(path: &str, query: &[(&str, &str)]) -> String {
    if query.is_empty() {
        return path.to_owned();
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    format!("{path}?{query}")
}

/// An address of the console, or its first page where it leads elsewhere: whoever wrote the link must not choose another site.
pub(crate) fn own_address(next: Option<&str>) -> String {
    let own = |next: &&str| {
        next.starts_with("/console/") && next.is_ascii() && !next.contains("..") && !next.contains(|c: char| c.is_control() || c == '\\')
    };
    next.filter(own).unwrap_or("/console/").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_the_console_only() {
        assert_eq!(own_address(Some("/console/dead-letters?reason=too_large")), "/console/dead-letters?reason=too_large");
        for elsewhere in ["https://evil/", "//evil/", "/console", "/console/../admin", "/\\evil", "/console/\r\nSet-Cookie: a=b", ""] {
            assert_eq!(own_address(Some(elsewhere)), "/console/", "{elsewhere:?}");
        }
        assert_eq!(own_address(None), "/console/");
    }

    #[test]
    fn values_survive_an_address() {
        let value = "a&b=c d+é%";
        let fields = Fields::parse(address("", &[("x", value), ("x", " ")]).trim_start_matches('?').as_bytes());
        assert_eq!(fields.all("x").collect::<Vec<_>>(), [value, " "]);
        assert_eq!((fields.given("x"), fields.given("y")), (Some(value), None));
    }
}
