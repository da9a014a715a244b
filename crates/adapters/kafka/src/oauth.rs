//! Tokens for SASL OAUTHBEARER: of the OAuth 2.0 endpoint of an identity provider, by client credentials
//! ([RFC 6749](https://www.rfc-editor.org/rfc/rfc6749#section-4.4), section 4.4).
//!
//! librdkafka could fetch them itself, but only with libcurl, which its build does not find unless the machine has it. All clients of a program
//! share one token.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread::{self, Thread};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rdkafka::client::OAuthToken;
use reqwest::{Certificate, Client, header, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

/// How long one question to the endpoint may take.
const BOUND: Duration = Duration::from_secs(10);
/// How long a client waits for its first token. While it polls: later ones are there before they are needed.
const WAIT: Duration = Duration::from_secs(3);
/// The endpoint is asked again so long after a failure; librdkafka itself asks every ten seconds.
const PAUSE: Duration = Duration::from_secs(5);
/// No sooner than this is it asked at all, however short its tokens live.
const LEAST: Duration = Duration::from_secs(1);

/// What is wrong, in the words that librdkafka hands back as the reason of its own failure.
pub(crate) const REFUSED: &str = "the token endpoint refuses the client";
pub(crate) const AWAY: &str = "the token endpoint cannot be reached";
pub(crate) const STRANGE: &str = "the token endpoint answers without a token";

/// Where tokens come from, and the one that is in use.
#[derive(Clone)]
pub struct Tokens(Arc<Source>);

/// What an identity provider asks for.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) url: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: SecretString,
    pub(crate) scope: Option<String>,
    /// Authorities beside those of the system, in PEM.
    pub(crate) authorities: Vec<Certificate>,
}

struct Source {
    endpoint: Endpoint,
    state: Mutex<State>,
    answered: Condvar,
    /// The thread that fetches, once there is one.
    keeper: OnceLock<Option<Thread>>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// Why there is none, or no newer one.
    failed: Option<&'static str>,
}

#[derive(Clone)]
struct Token {
    text: SecretString,
    got: SystemTime,
    ends: SystemTime,
}

/// Without the token.
impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tokens").field(&self.0.endpoint).finish()
    }
}

impl Tokens {
    pub(crate) fn of(endpoint: Endpoint) -> Self {
        Self(Arc::new(Source { endpoint, state: Mutex::default(), answered: Condvar::new(), keeper: OnceLock::new() }))
    }

    /// The token in use. Waits for the first, for a few seconds.
    ///
    /// # Errors
    /// Why there is none, in one of the sentences above.
    pub(crate) fn current(&self) -> Result<OAuthToken, &'static str> {
        self.0.keeper.get_or_init(|| {
            let source = Arc::downgrade(&self.0);
            thread::Builder::new().name("kafka-token".to_owned()).spawn(move || keep(&source)).ok().map(|keeper| keeper.thread().clone())
        });
        let is_first = |state: &mut State| state.token.is_none() && state.failed.is_none();
        let state = self.0.answered.wait_timeout_while(self.0.lock(), WAIT, is_first).unwrap_or_else(PoisonError::into_inner).0;
        let usable = state.token.as_ref().filter(|token| token.ends > SystemTime::now());
        usable.map(|token| token.handed_over(&self.0.endpoint.client_id)).ok_or(state.failed.unwrap_or(AWAY))
    }
}

/// Fetches the next token at half of the life of each, so that nobody who polls waits for it, until nobody needs any.
fn keep(source: &Weak<Source>) {
    while let Some(source) = source.upgrade() {
        let pause = source.note(fetch(&source.endpoint));
        drop(source);
        thread::park_timeout(pause);
    }
}

impl Source {
    /// Notes an answer; returns in what time the next is needed.
    fn note(&self, answer: Result<Token, &'static str>) -> Duration {
        let mut state = self.lock();
        let pause = match answer {
            Ok(token) => {
                let pause = token.half_life().max(LEAST);
                (state.token, state.failed) = (Some(token), None);
                pause
            }
            Err(reason) => {
                // Once, not at each attempt.
                if state.failed.replace(reason) != Some(reason) {
                    tracing::warn!(reason, "there is no new token for Kafka (SASL OAUTHBEARER)");
                }
                PAUSE
            }
        };
        self.answered.notify_all();
        pause
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Some(Some(keeper)) = self.keeper.get() {
            keeper.unpark();
        }
    }
}

impl Token {
    fn half_life(&self) -> Duration {
        self.ends.duration_since(self.got).unwrap_or_default() / 2
    }

    /// The name is for librdkafka's own log alone: brokers read the token.
    fn handed_over(&self, client_id: &str) -> OAuthToken {
        let ends = self.ends.duration_since(UNIX_EPOCH).unwrap_or_default();
        OAuthToken {
            token: self.text.expose_secret().to_owned(),
            principal_name: client_id.to_owned(),
            lifetime_ms: i64::try_from(ends.as_millis()).unwrap_or(i64::MAX),
        }
    }
}

/// Asks on the current thread, which is none of a runtime's.
fn fetch(endpoint: &Endpoint) -> Result<Token, &'static str> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|_| AWAY)?;
    runtime.block_on(async {
        let client = endpoint.authorities.iter().cloned().fold(Client::builder(), reqwest::ClientBuilder::add_root_certificate);
        // The secret goes nowhere else.
        let client = client.timeout(BOUND).redirect(redirect::Policy::none()).build().map_err(|_| AWAY)?;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        form.extend_pairs(endpoint.scope.iter().map(|scope| ("scope", scope)));
        let question = client
            .post(&endpoint.url)
            .basic_auth(&endpoint.client_id, Some(endpoint.client_secret.expose_secret()))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(form.finish());
        let got = SystemTime::now();
        let answer = question.send().await.map_err(|_| AWAY)?;
        match answer.status() {
            status if status.is_success() => token(&answer.json().await.map_err(|_| STRANGE)?, got).ok_or(STRANGE),
            status if status.is_client_error() => Err(REFUSED),
            _ => Err(AWAY),
        }
    })
}

/// The token of an answer. How long it is good for is said by the answer, by the token itself, or by both: then the earlier counts.
fn token(answer: &Value, got: SystemTime) -> Option<Token> {
    let text = answer["access_token"].as_str()?;
    let told = answer["expires_in"].as_u64().map(|seconds| got + Duration::from_secs(seconds));
    let own = claims(text).and_then(|claims| claims["exp"].as_u64()).map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
    let ends = told.into_iter().chain(own).min()?;
    Some(Token { text: text.into(), got, ends })
}

/// The claims of a JSON Web Token, unverified: that is for brokers.
fn claims(token: &str) -> Option<Value> {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_says_how_long_a_token_is_good_for_or_the_token_does() {
        let got = UNIX_EPOCH + Duration::from_secs(1_000);
        let ends = |answer: &Value| token(answer, got).map(|token| token.ends.duration_since(UNIX_EPOCH).unwrap().as_secs());
        let jwt = format!("e30.{}.", URL_SAFE_NO_PAD.encode(r#"{"exp":4600}"#));
        assert_eq!(ends(&json!({ "access_token": jwt, "expires_in": 300 })), Some(1_300));
        assert_eq!(ends(&json!({ "access_token": jwt, "expires_in": 9_000 })), Some(4_600));
        assert_eq!(ends(&json!({ "access_token": jwt })), Some(4_600));
        assert_eq!(ends(&json!({ "access_token": "opaque" })), None);
        assert_eq!(ends(&json!({ "error": "invalid_client" })), None);
    }

    #[test]
    fn a_failure_keeps_the_token_that_is_there_and_the_next_is_fetched_at_half_of_its_life() {
        let endpoint =
            Endpoint { url: String::new(), client_id: "ada".into(), client_secret: "hunter2".into(), scope: None, authorities: Vec::new() };
        let tokens = Tokens::of(endpoint);
        assert!(!format!("{tokens:?}").contains("hunter2"));
        // Nobody fetches here.
        tokens.0.keeper.get_or_init(|| None);
        let got = SystemTime::now();
        assert_eq!(tokens.0.note(Err(REFUSED)), PAUSE);
        assert_eq!(tokens.current().map(|token| token.token), Err(REFUSED));
        assert_eq!(tokens.0.note(Ok(Token { text: "t".into(), got, ends: got + Duration::from_secs(100) })), Duration::from_secs(50));
        tokens.0.note(Err(AWAY));
        assert_eq!(tokens.current().map(|token| token.token), Ok("t".to_owned()));
        tokens.0.note(Ok(Token { text: "t".into(), got, ends: got }));
        assert_eq!(tokens.current().map(|token| token.token), Err(AWAY), "it has ended");
    }
}
