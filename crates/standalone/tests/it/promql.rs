//! As much of Prometheus' query language as it takes to see which metrics and labels a query names.

use std::collections::BTreeSet;

/// Functions, operators and aggregations that our queries use. A word that is neither here nor a metric fails the test that asks.
const WORDS: [&str; 18] = [
    "sum",
    "max",
    "min",
    "count",
    "absent",
    "rate",
    "increase",
    "histogram_quantile",
    "and",
    "or",
    "unless",
    "offset",
    "bool",
    "clamp_min",
    "deriv",
    "delta",
    "time",
    "max_over_time",
];
const GROUPINGS: [&str; 4] = ["by", "without", "on", "ignoring"];

/// A metric as a query names it.
#[derive(Debug, PartialEq, Eq)]
pub struct Selector {
    /// Its name, suffixes of histograms included.
    pub metric: String,
    /// Labels that are asked for: name, operator, value.
    pub matchers: Vec<(String, String, String)>,
}

/// What a query names.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Its metrics.
    pub selectors: Vec<Selector>,
    /// The labels that it groups by.
    pub groupings: BTreeSet<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

fn tokens(query: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = query;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let taken = if first == '"' {
            let text = rest[1..].split('"').next().unwrap_or_default();
            tokens.push(Token::Text(text.to_owned()));
            text.len() + 2
        } else if is_word(first) || first == '$' {
            let length = 1 + rest[1..].find(|c| !is_word(c)).unwrap_or(rest.len() - 1);
            // Numbers, durations and variables of the dashboard name nothing.
            if !first.is_ascii_digit() && first != '$' {
                tokens.push(Token::Word(rest[..length].to_owned()));
            }
            length
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Sign(first));
            }
            first.len_utf8()
        };
        rest = &rest[taken.min(rest.len())..];
    }
    tokens
}

/// What stands up to the closing sign; the tokens after it remain.
fn until<'t>(tokens: &mut std::slice::Iter<'t, Token>, close: char) -> Vec<&'t Token> {
    tokens.take_while(|token| **token != Token::Sign(close)).collect()
}

/// Reads a query.
pub fn names(query: &str) -> Names {
    let tokens = tokens(query);
    let mut tokens = tokens.iter();
    let mut names = Names::default();
    while let Some(token) = tokens.next() {
        let Token::Word(word) = token else { continue };
        if GROUPINGS.contains(&word.as_str()) {
            let words = until(&mut tokens, ')').into_iter();
            names.groupings.extend(words.filter_map(|token| if let Token::Word(label) = token { Some(label.clone()) } else { None }));
        } else if !WORDS.contains(&word.as_str()) {
            let matchers =
                if tokens.as_slice().first() == Some(&Token::Sign('{')) { matchers(&until(&mut tokens, '}')) } else { Vec::new() };
            names.selectors.push(Selector { metric: word.clone(), matchers });
        }
    }
    names
}

fn matchers(tokens: &[&Token]) -> Vec<(String, String, String)> {
    let mut matchers = Vec::new();
    let (mut label, mut operator) = (String::new(), String::new());
    for token in tokens {
        match token {
            Token::Word(word) => label.clone_from(word),
            Token::Sign(sign @ ('=' | '!' | '~')) => operator.push(*sign),
            Token::Sign(_) => {}
            Token::Text(text) => matchers.push((std::mem::take(&mut label), std::mem::take(&mut operator), text.clone())),
        }
    }
    matchers
}

#[test]
fn metrics_matchers_and_groupings_are_found_and_nothing_else() {
    let query = r#"histogram_quantile(0.95, sum by (le, route) (rate(a_bucket{route!~"/x.*|y",b="c"}[5m]))) > 1e3 and max(up offset 10m) == $__rate_interval"#;
    let found = names(query);
    assert_eq!(found.groupings, BTreeSet::from(["le".to_owned(), "route".to_owned()]));
    let matcher = |label: &str, operator: &str, value: &str| (label.to_owned(), operator.to_owned(), value.to_owned());
    assert_eq!(
        found.selectors,
        [
            Selector { metric: "a_bucket".to_owned(), matchers: vec![matcher("route", "!~", "/x.*|y"), matcher("b", "=", "c")] },
            Selector { metric: "up".to_owned(), matchers: Vec::new() },
        ]
    );
}
