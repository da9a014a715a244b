//! What librdkafka's text says beyond its code: one code stands for all that can go wrong with a connection.
//!
//! Only librdkafka's own words, OpenSSL's numbers and those of TLS alerts are looked at. All that hangs on them is what a person is told
//! and whether one is called: a text that changes with a version never costs a record.

use crate::oauth;
use pipeline::FaultClass;
use pipeline::fault::{REFUSED, UNKNOWN_HOST};
use rdkafka::error::RDKafkaErrorCode as Code;

/// The broker does not offer the mechanism, or no login at all.
pub(crate) const MECHANISM: &str =
    "login: the broker does not offer this way to log in, check KAFKA_SASL_MECHANISM and KAFKA_SECURITY_PROTOCOL";
/// The identity provider answers with 4xx.
const CLIENT: &str = "login: the token endpoint refuses, check KAFKA_SASL_OAUTHBEARER_CLIENT_ID, _CLIENT_SECRET and _SCOPE";
const NO_TOKEN: &str = "login: what answers gives no token, check KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL";
const NO_ENDPOINT: &str =
    "login: the token endpoint cannot be reached, check KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL and _CA_FILE if this lasts";
/// The handshake failed.
pub(crate) const UNTRUSTED: &str =
    "tls: check KAFKA_SSL_CA_FILE, whether the broker's certificate is for the host in KAFKA_BROKERS, and KAFKA_SECURITY_PROTOCOL";
/// The broker ended the handshake because of us.
const CERTIFICATE: &str = "tls: the broker refuses the client's certificate, check KAFKA_SSL_CERTIFICATE_FILE and KAFKA_SSL_KEY_FILE";
/// So does a broker that is just starting behind a proxy, which is why this alone calls for nobody.
const PROTOCOL: &str = "connection: the broker hangs up, check KAFKA_SECURITY_PROTOCOL if this lasts";

/// Alerts with which a server refuses a client's certificate: `handshake_failure`, `bad_certificate`, `unsupported_certificate`,
/// `certificate_revoked`, `certificate_expired`, `certificate_unknown`, `unknown_ca`, `certificate_required` (RFC 8446, section 6).
const CERTIFICATE_ALERTS: [u8; 8] = [40, 42, 43, 44, 45, 46, 48, 116];

/// OpenSSL's number for a certificate that it does not accept.
const VERIFY_FAILED: &str = "error:0A000086:";
/// A broker that hangs up so soon does not like what it was told; librdkafka's own measure, in milliseconds.
const SOON: u32 = 2_000;

/// The class and what to look at, where the text says more than the code.
pub(crate) fn of(code: Code, text: &str) -> Option<(FaultClass, &'static str)> {
    match code {
        // With TLS 1.3 a server refuses a client after the handshake: for librdkafka that is a broken connection.
        Code::SSL | Code::BrokerTransportFailure if alert(text).is_some_and(|number| CERTIFICATE_ALERTS.contains(&number)) => {
            Some((FaultClass::Operator, CERTIFICATE))
        }
        Code::BrokerTransportFailure if text.contains(VERIFY_FAILED) => Some((FaultClass::Operator, UNTRUSTED)),
        Code::Authentication if text.contains(oauth::REFUSED) => Some((FaultClass::Operator, CLIENT)),
        Code::Authentication if text.contains(oauth::STRANGE) => Some((FaultClass::Operator, NO_TOKEN)),
        Code::Authentication if text.contains(oauth::AWAY) => Some((FaultClass::Unavailable { timed_out: false }, NO_ENDPOINT)),
        Code::Authentication if text.contains("mechanism handshake failed") => Some((FaultClass::Operator, MECHANISM)),
        _ => None,
    }
}

/// What to look at if no broker can be reached, from a line about a connection that broke.
pub(crate) fn hint(line: &str) -> Option<&'static str> {
    // librdkafka's own words, and after `failed: ` the system's.
    if line.contains(": Failed to resolve '") {
        return Some(UNKNOWN_HOST);
    }
    if line.contains(" failed: Connection refused") {
        return Some(REFUSED);
    }
    let (_, end) = line.rsplit_once("(after ")?;
    let (milliseconds, state) = end.split_once("ms in state ")?;
    let hangs_up = match state.split([',', ')']).next()? {
        "SSL_HANDSHAKE" | "APIVERSION_QUERY" | "AUTH_HANDSHAKE" => true,
        "UP" => milliseconds.parse::<u32>().is_ok_and(|milliseconds| milliseconds < SOON),
        _ => false,
    };
    hangs_up.then_some(PROTOCOL)
}

/// The number of the alert that the other side sent, as OpenSSL writes it.
fn alert(text: &str) -> Option<u8> {
    let (_, number) = text.split_once("SSL alert number ")?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts as librdkafka 2.12.1 wrote them to Kafka 4.3.1, up to addresses.
    #[test]
    fn a_text_of_librdkafka_tells_whose_fault_it_is() {
        for (code, text, subject) in [
            (
                Code::BrokerTransportFailure,
                "ssl://h:1/bootstrap: Receive failed: error:0A000412:SSL routines::ssl/tls alert bad certificate: SSL alert number 42 (after \
                 4ms in state APIVERSION_QUERY)",
                CERTIFICATE,
            ),
            (
                Code::BrokerTransportFailure,
                "ssl://h:1/bootstrap: error:0A000086:SSL routines::certificate verify failed (after 0ms in state SSL_HANDSHAKE)",
                UNTRUSTED,
            ),
            (
                Code::Authentication,
                "sasl_ssl://h:1/bootstrap: SASL SCRAM-SHA-512 mechanism handshake failed: Broker: Request not valid in current SASL state: \
                 broker's supported mechanisms:  (after 0ms in state AUTH_HANDSHAKE)",
                MECHANISM,
            ),
        ] {
            assert_eq!(of(code, text), Some((FaultClass::Operator, subject)));
        }
    }

    #[test]
    fn a_broker_that_hangs_up_before_it_has_said_anything_is_a_hint_at_the_protocol() {
        for (state, hints) in [
            ("after 0ms in state APIVERSION_QUERY", true),
            ("after 3ms in state SSL_HANDSHAKE, 2 identical error(s) suppressed", true),
            ("after 5ms in state UP", true),
            ("after 50000ms in state UP", false),
            ("after 1ms in state CONNECT", false),
        ] {
            let line = format!("[thrd:h:1/bootstrap]: h:1/bootstrap: Disconnected: connection closed by peer ({state})");
            assert_eq!(hint(&line), hints.then_some(PROTOCOL), "{line}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_connected_to_is_told_as_what_it_is() {
        let refused = "[thrd:127.0.0.1:1/bootstrap]: 127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in \
                       state CONNECT)";
        let unknown = "[thrd:kafka.invalid:9092/bootstrap]: kafka.invalid:9092/bootstrap: Failed to resolve 'kafka.invalid:9092': Name or \
                       service not known (after 3ms in state CONNECT)";
        assert_eq!((hint(refused), hint(unknown)), (Some(REFUSED), Some(UNKNOWN_HOST)));
    }

    #[test]
    fn another_text_says_nothing() {
        for text in ["localhost:9092/1: SSL alert number x", "error:0A00010B:SSL routines::wrong version number", "", "(after"] {
            for code in [Code::BrokerTransportFailure, Code::SSL, Code::Authentication] {
                assert_eq!(of(code, text), None);
            }
            assert_eq!(hint(text), None);
        }
    }
}
