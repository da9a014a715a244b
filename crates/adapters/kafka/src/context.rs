//! What librdkafka tells its application: log lines, errors, statistics.

use std::error::Error;
use std::ffi::CString;
use std::ptr;
use std::sync::Arc;

use rdkafka::ClientContext;
use rdkafka::bindings::rd_kafka_oauthbearer_set_token;
use rdkafka::client::{Client, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::statistics::Statistics;

use crate::bootstrap::Bootstrap;
use crate::config::KafkaConfig;
use crate::health::Health;
use crate::oauth::Tokens;
use crate::security::Sasl;

/// Facilities of librdkafka's log lines about single connections and requests: [`Health`] says what comes of them.
const CONNECTION_FACILITIES: [&str; 6] = ["FAIL", "ERROR", "MAXPOLL", "REQTMOUT", "SSL", "GETPID"];

/// What every client of ours does with what it is told.
pub(crate) struct Context {
    health: Arc<Health>,
    bootstrap: Bootstrap,
    /// Where it logs in with tokens.
    tokens: Option<Tokens>,
}

impl Context {
    /// For a client of these brokers, and whose state this is.
    pub(crate) fn of(config: &KafkaConfig, health: Arc<Health>) -> Self {
        let tokens = match config.security.sasl() {
            Some(Sasl::Tokens(tokens)) => Some(tokens.clone()),
            Some(Sasl::Password { .. }) | None => None,
        };
        Self { health, bootstrap: Bootstrap::from(&config.brokers), tokens }
    }

    /// For the client that owns the embedded broker.
    pub(crate) fn of_nobody(health: Arc<Health>) -> Self {
        Self { health, bootstrap: Bootstrap::from(""), tokens: None }
    }

    /// Whether the client logs in with tokens: then it has to be polled before it can be asked.
    pub(crate) const fn takes_tokens(&self) -> bool {
        self.tokens.is_some()
    }

    /// Gives a client its token that nobody polls, so that it cannot ask for one.
    pub(crate) fn hand_over_token<C: ClientContext>(&self, client: &Client<C>) {
        if let Some(tokens) = &self.tokens {
            match tokens.current() {
                Ok(token) => set_token(client, token),
                Err(reason) => self.health.report(RDKafkaErrorCode::Authentication, Some(reason)),
            }
        }
    }

    /// Gives the client, whose context this is, its brokers again where it has lost them. Whoever uses a client calls this now and then.
    pub(crate) fn restore<C: ClientContext>(&self, client: &Client<C>) {
        self.bootstrap.restore(client);
    }
}

#[expect(unsafe_code, reason = "rdkafka sets a token only for a client that is polled, and its admin client is not")]
fn set_token<C: ClientContext>(client: &Client<C>, token: OAuthToken) {
    let (Ok(text), Ok(name)) = (CString::new(token.token), CString::new(token.principal_name)) else { return };
    let mut error = [0; 256];
    // SAFETY: the client is borrowed, so its handle is alive, and librdkafka allows the call from any thread. It copies both texts, which end
    // with a zero, reads no extensions of a list of none, and writes no more into the buffer than its size.
    unsafe {
        rd_kafka_oauthbearer_set_token(
            client.native_ptr(),
            text.as_ptr(),
            token.lifetime_ms,
            name.as_ptr(),
            ptr::null_mut(),
            0,
            error.as_mut_ptr(),
            error.len(),
        );
    }
}

impl ClientContext for Context {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    /// Where it cannot be had, librdkafka asks again in ten seconds, and goes on with the one that it has.
    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.tokens.as_ref().map_or(Err("no token is needed"), Tokens::current).map_err(Into::into)
    }

    /// librdkafka's lines go where ours go. Those about single attempts to connect come again and again while a broker is away.
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if facility == "FAIL" {
            self.health.hear(message);
        }
        match level {
            _ if CONNECTION_FACILITIES.contains(&facility) => tracing::debug!(target: "librdkafka", facility, "{message}"),
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
                tracing::error!(target: "librdkafka", facility, "{message}");
            }
            RDKafkaLogLevel::Warning => tracing::warn!(target: "librdkafka", facility, "{message}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::debug!(target: "librdkafka", facility, "{message}");
            }
        }
    }

    /// Looks only whether there is a broker, and whether it is connected. The default would log the whole of it.
    fn stats(&self, statistics: Statistics) {
        self.bootstrap.note(&statistics);
        if statistics.brokers.values().any(|broker| broker.state == "UP") {
            self.health.reachable();
        }
    }

    /// The reason is looked at and never shown: it may quote a broker.
    fn error(&self, error: KafkaError, reason: &str) {
        if let Some(code) = error.rdkafka_error_code() {
            self.health.report(code, Some(reason));
        }
    }
}

/// For consuming clients that are no member of a group.
impl ConsumerContext for Context {}
