//! Tokens of Microsoft Entra ID in place of a password, for Azure SQL and SQL Server 2022
//! (<https://learn.microsoft.com/sql/connect/ado-net/sql/azure-active-directory-authentication>).
//!
//! Microsoft's own crate gets them. A session is given its token when it is opened; the server lets it live on when that ends, and the next
//! session brings a newer one.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{AccessToken, Secret, TokenCredential};
use azure_core::error::ErrorKind;
use azure_core::http::{ClientOptions, HttpClient, RetryOptions, Transport};
use azure_core::time::OffsetDateTime;
use azure_identity::{
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use pipeline::{Fault, FaultClass};
use settings::{ExposeSecret as _, SecretString};

use crate::faults::{AWAY, fault};

/// How long one question to an endpoint may take. The time to connect bounds the whole.
const BOUND: Duration = Duration::from_secs(10);

const UNREACHED: &str = "entra: the endpoint that gives tokens cannot be reached, check the network and AZURE_AUTHORITY_HOST; a managed identity has one only on Azure";
const REFUSED: &str = "entra: no token for this identity, check MSSQL_USER, the secret in MSSQL_PASSWORD or the federated token, and AZURE_TENANT_ID; \
     the number is what follows AADSTS in Microsoft's list of errors";
const NOT_ASSIGNED: &str =
    "entra: this machine has no such managed identity: assign it, and give the client id of one that is user-assigned in MSSQL_USER";
const NO_FILE: &str = "entra: the file in MSSQL_ACCESS_TOKEN_FILE cannot be read or holds no token";

/// Who this program is at Entra ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Of the machine, the container or the app service. With the client id of one that is user-assigned.
    Managed(Option<String>),
    /// Of a pod in Kubernetes, whose token for its service account stands for it.
    Workload {
        /// The directory.
        tenant: String,
        /// The application.
        client: String,
        /// The file with the token of the service account; read anew, as it is replaced.
        token_file: PathBuf,
    },
    /// An application with a client secret.
    ServicePrincipal {
        /// The directory.
        tenant: String,
        /// The application.
        client: String,
    },
    /// Whoever writes this file: each session is opened with the token that is in it by then.
    TokenFile(PathBuf),
}

/// Where the tokens of an identity come from. Copies share them.
#[derive(Clone)]
pub struct EntraTokens(Arc<Shared>);

struct Shared {
    identity: Identity,
    scope: &'static str,
    source: Source,
    last: Mutex<Option<AccessToken>>,
}

enum Source {
    File(PathBuf),
    Credential(Arc<dyn TokenCredential>),
}

/// Without the tokens.
impl fmt::Debug for EntraTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EntraTokens").field(&self.0.identity).finish()
    }
}

impl EntraTokens {
    /// For sessions with a server of this name. `authority` is the address of another authority than that of the server's cloud.
    ///
    /// # Errors
    /// What is wrong with the identity, as Microsoft's crate says it: an id that is none, a file that is not there.
    pub fn new(identity: Identity, secret: &SecretString, server: &str, authority: Option<&str>) -> Result<Self, String> {
        // The program's own clients of HTTP ask once as well: whoever needs a session tries again.
        let client = reqwest::Client::builder().timeout(BOUND).redirect(reqwest::redirect::Policy::none()).build();
        Self::over(identity, secret, server, authority, Arc::new(client.map_err(|error| error.to_string())?))
    }

    /// As [`Self::new`], over another client of HTTP.
    ///
    /// # Errors
    /// As those of [`Self::new`].
    pub fn over(
        identity: Identity,
        secret: &SecretString,
        server: &str,
        authority: Option<&str>,
        client: Arc<dyn HttpClient>,
    ) -> Result<Self, String> {
        let cloud = Cloud::of(server);
        let mut custom = CustomConfiguration::default();
        authority.unwrap_or(cloud.authority).clone_into(&mut custom.authority_host);
        let client_options = ClientOptions {
            transport: Some(Transport::new(client)),
            retry: RetryOptions::none(),
            cloud: Some(Arc::new(CloudConfiguration::Custom(custom))),
            ..ClientOptions::default()
        };
        let source = match &identity {
            Identity::TokenFile(path) => Ok(Source::File(path.clone())),
            Identity::Managed(client) => {
                let user_assigned_id = client.clone().map(UserAssignedId::ClientId);
                ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions { user_assigned_id, client_options }))
                    .map(|credential| Source::Credential(credential))
            }
            Identity::Workload { tenant, client, token_file } => WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                credential_options: ClientAssertionCredentialOptions { client_options },
                client_id: Some(client.clone()),
                tenant_id: Some(tenant.clone()),
                token_file_path: Some(token_file.clone()),
            }))
            .map(|credential| Source::Credential(credential)),
            Identity::ServicePrincipal { tenant, client } => {
                let secret = Secret::new(secret.expose_secret().to_owned());
                ClientSecretCredential::new(tenant, client.clone(), secret, Some(ClientSecretCredentialOptions { client_options }))
                    .map(|credential| Source::Credential(credential))
            }
        };
        let source = source.map_err(|error| error.to_string())?;
        Ok(Self(Arc::new(Shared { identity, scope: cloud.scope, source, last: Mutex::default() })))
    }

    /// A token that is good now.
    ///
    /// # Errors
    /// Who cannot be reached, or what is refused.
    pub(crate) async fn current(&self) -> Result<SecretString, Fault> {
        match &self.0.source {
            Source::File(path) => {
                let text = std::fs::read_to_string(path).unwrap_or_default();
                let token = text.trim();
                if token.is_empty() { Err(fault(FaultClass::Operator, NO_FILE)) } else { Ok(token.into()) }
            }
            Source::Credential(credential) => match credential.get_token(&[self.0.scope], None).await {
                Ok(token) => {
                    let text = token.token.secret().into();
                    *self.0.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
                    Ok(text)
                }
                // The next one is asked for five minutes before the last one ends: until then an outage of the endpoint is none of ours.
                Err(error) => self.last().ok_or_else(|| self.explained(&error)),
            },
        }
    }

    fn last(&self) -> Option<SecretString> {
        let last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|token| token.expires_on > OffsetDateTime::now_utc()).map(|token| token.token.secret().into())
    }

    /// By status and number, never by the endpoint's prose: it quotes the identity.
    fn explained(&self, error: &azure_core::Error) -> Fault {
        let Some((status, code)) = refusal(error) else { return fault(AWAY, UNREACHED) };
        if !(400..500).contains(&status) || status == TOO_MANY_REQUESTS {
            return fault(AWAY, UNREACHED);
        }
        let subject = if matches!(self.0.identity, Identity::Managed(_)) { NOT_ASSIGNED } else { REFUSED };
        Fault { code, ..fault(FaultClass::Operator, subject) }
    }
}

const TOO_MANY_REQUESTS: u16 = 429;

/// The status and Entra's number in an answer that gives no token.
fn refusal(error: &azure_core::Error) -> Option<(u16, Option<i64>)> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(ErrorKind::HttpResponse { status, error_code, .. }) = cause.downcast_ref().map(azure_core::Error::kind) {
            let code = error_code.as_deref().and_then(|codes| codes.split(',').next()?.parse().ok());
            return Some((u16::from(*status), code));
        }
        next = cause.source();
    }
    None
}

/// What differs between Microsoft's clouds
/// (<https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud>).
struct Cloud {
    authority: &'static str,
    scope: &'static str,
}

impl Cloud {
    /// Of a server. One with a name of one's own is taken for the public cloud's.
    fn of(server: &str) -> Self {
        let server = server.trim_end_matches('.').to_ascii_lowercase();
        if server.ends_with(".database.chinacloudapi.cn") {
            Self { authority: "https://login.chinacloudapi.cn", scope: "https://database.chinacloudapi.cn/.default" }
        } else if server.ends_with(".database.usgovcloudapi.net") {
            Self { authority: "https://login.microsoftonline.us", scope: "https://database.usgovcloudapi.net/.default" }
        } else {
            Self { authority: "https://login.microsoftonline.com", scope: "https://database.windows.net/.default" }
        }
    }
}
