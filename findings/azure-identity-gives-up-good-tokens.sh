#!/usr/bin/env bash
# The last five minutes of a token are lost, where the authority cannot be reached just then.
#
# One would guess: a credential that has a token asks for the next one a while before it ends, and goes on handing out the one that it has when
# that fails: it is good still, and an outage of some minutes is no outage for anybody. So the cache of both packages is understood, and the one for
# Python has code for it (`_get_token_base`).
# What happens, in Microsoft's packages for Rust and for Python alike: with less than 300 seconds left, the token counts as gone. A failure to
# reach the authority is the caller's failure, although the token in the cache has minutes to go. In Python it is MSAL below that leaves the token out
# before the package's own rule could be asked. Tokens that live no longer than five minutes are fetched for each call.
# So whoever must go on keeps the last token beside the credential and uses it to its end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install azure-identity==1.27.0 azure-core==1.41.0 msal==1.39.0
venv/bin/python - <<'PYTHON'
import json
import logging
from importlib.metadata import version

from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.core.pipeline.transport import HttpTransport
from azure.identity import ClientSecretCredential


class Response:
    status_code, headers, reason, content_type = 200, {"content-type": "application/json"}, "OK", "application/json"
    def __init__(self, request, body): self.request, self.internal_response, self._body = request, None, json.dumps(body)
    def text(self, encoding=None): return self._body
    def body(self): return self._body.encode()


class Authority(HttpTransport):
    """Gives one token, for 200 seconds; afterwards it cannot be reached."""
    given = 0
    def open(self): pass
    def close(self): pass
    def __exit__(self, *_): pass
    def send(self, request, **_):
        if "oauth2/v2.0/token" not in request.url:
            base = "https://login.microsoftonline.com/tenant"
            return Response(request, {"tenant_discovery_endpoint": base, "api-version": "1.1", "metadata": [],
                "authorization_endpoint": base + "/oauth2/v2.0/authorize", "token_endpoint": base + "/oauth2/v2.0/token", "issuer": base + "/v2.0"})
        self.given += 1
        if self.given > 1:
            raise ServiceRequestError("connection refused")
        return Response(request, {"token_type": "Bearer", "expires_in": 200, "access_token": "the-token"})


authority = Authority()
credential = ClientSecretCredential("tenant", "client", "secret", transport=authority, retry_total=0)
scope = "https://database.windows.net/.default"
assert credential.get_token(scope).token == "the-token"
logging.disable(logging.CRITICAL)
try:
    again = credential.get_token(scope).token
except ClientAuthenticationError as error:
    again = error
print("azure-identity of PyPI", version("azure-identity"), "with msal", version("msal"), repr(again))
assert "connection refused" in str(again) and authority.given == 2
PYTHON
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
async-trait = "=0.1.92"
azure_core = { version = "=1.1.0", default-features = false, features = ["tokio"] }
azure_identity = { version = "=1.0.0", default-features = false }
futures = "0.3"
tokio = { version = "1", features = ["rt", "macros"] }
TOML
cat >src/main.rs <<'RUST'
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use azure_core::credentials::{Secret, TokenCredential};
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, ClientOptions, HttpClient, Request, RetryOptions, StatusCode, Transport};
use azure_core::time::OffsetDateTime;
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};

/// Gives one token, for 200 seconds; afterwards it cannot be reached.
#[derive(Debug, Default)]
struct Authority(AtomicUsize);

#[async_trait::async_trait]
impl HttpClient for Authority {
    async fn execute_request(&self, _: &Request) -> azure_core::Result<AsyncRawResponse> {
        if self.0.fetch_add(1, Ordering::Relaxed) > 0 {
            return Err(Error::with_message(ErrorKind::Connection, "connection refused"));
        }
        let body = r#"{"token_type":"Bearer","expires_in":200,"access_token":"the-token"}"#;
        Ok(AsyncRawResponse::from_bytes(StatusCode::Ok, Headers::new(), body))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let client_options = ClientOptions {
        transport: Some(Transport::new(Arc::new(Authority::default()))),
        retry: RetryOptions::none(),
        ..ClientOptions::default()
    };
    let options = Some(ClientSecretCredentialOptions { client_options });
    let credential = ClientSecretCredential::new("tenant", "client".into(), Secret::new("secret"), options).unwrap();
    let scopes = ["https://database.windows.net/.default"];
    let first = credential.get_token(&scopes, None).await.unwrap();
    let left = first.expires_on - OffsetDateTime::now_utc();
    let again = credential.get_token(&scopes, None).await.map(|_| "the token").map_err(|error| error.to_string());
    println!("azure_identity of crates.io 1.0.0, a token with {} s left: {again:?}", left.whole_seconds());
    assert!(left.whole_seconds() > 190 && again.unwrap_err().contains("connection refused"));
}
RUST
CARGO_TARGET_DIR=$work/target cargo run --quiet
