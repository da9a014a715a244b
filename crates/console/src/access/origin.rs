//! Whether a request that changes something comes from the console's own pages. Beside the token that each form carries.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

/// Browsers say where a request comes from: in `Sec-Fetch-Site`, and older ones, and those that speak plain HTTP, in `Origin`.
///
/// `Origin: null` says nothing: our own pages send it, because they ask for no referrer.
pub(super) fn is_own(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin";
    }
    match headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or_default()) {
        None | Some("null") => true,
        Some(origin) => {
            let host = headers.get(HOST).and_then(|host| host.to_str().ok());
            let named = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
            named.is_some() && named == host
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn own(pairs: &[(&'static str, &'static str)]) -> bool {
        is_own(&pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect())
    }

    #[test]
    fn what_a_browser_says_decides() {
        assert!(own(&[("sec-fetch-site", "same-origin")]));
        for site in ["cross-site", "same-site", "none", ""] {
            assert!(!own(&[("sec-fetch-site", site), ("origin", "http://here:1"), ("host", "here:1")]), "{site}");
        }
        assert!(own(&[("origin", "http://here:1"), ("host", "here:1")]));
        assert!(own(&[("origin", "https://here"), ("host", "here")]));
        for origin in ["http://here:2", "http://there:1", "here:1", "http://here:1.evil", "ftp://here:1", "http://"] {
            assert!(!own(&[("origin", origin), ("host", "here:1")]), "{origin}");
        }
        assert!(!own(&[("origin", "http://here:1")]), "no host to compare with");
    }

    #[test]
    fn without_a_word_the_form_decides() {
        assert!(own(&[]) && own(&[("origin", "null"), ("host", "here:1")]));
    }
}
