//! Who logs in: a SQL login, or an identity of Entra ID.

use settings::{ExposeSecret as _, Reader, SecretString};

use super::given::{ANOTHER, one_of};
use crate::entra::{EntraTokens, Identity};

/// How a session proves who it is.
#[derive(Clone, Debug)]
pub enum Authentication {
    /// By a SQL login: user and password.
    SqlPassword,
    /// By a token of Entra ID.
    Entra(EntraTokens),
}

/// How, by the names that Microsoft's connection strings have for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    SqlPassword,
    ManagedIdentity,
    WorkloadIdentity,
    ServicePrincipal,
    AccessToken,
}

const METHODS: [(&str, Method); 5] = [
    ("SqlPassword", Method::SqlPassword),
    ("ActiveDirectoryManagedIdentity", Method::ManagedIdentity),
    ("ActiveDirectoryWorkloadIdentity", Method::WorkloadIdentity),
    ("ActiveDirectoryServicePrincipal", Method::ServicePrincipal),
    ("AccessToken", Method::AccessToken),
];

/// What a connection string says of the login.
pub(super) struct GivenLogin {
    pub(super) method: Option<Method>,
    pub(super) user: Option<String>,
    pub(super) password: Option<SecretString>,
}

pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: SecretString,
    pub(super) authentication: Authentication,
}

const AUTHENTICATION: &str = "MSSQL_AUTHENTICATION";
const USER: &str = "MSSQL_USER";
const PASSWORD: &str = "MSSQL_PASSWORD";
const TENANT: &str = "AZURE_TENANT_ID";
const TOKEN_FILE: &str = "MSSQL_ACCESS_TOKEN_FILE";
const FEDERATED_TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";

/// Reads who logs in at this server.
pub(super) fn login(env: &mut Reader, given: GivenLogin, server: &str) -> Login {
    let help = "How to log in, by the names of Microsoft's connection strings: SqlPassword, by Entra ID ActiveDirectoryManagedIdentity, \
                ActiveDirectoryWorkloadIdentity or ActiveDirectoryServicePrincipal, or AccessToken (see MSSQL_ACCESS_TOKEN_FILE).";
    let method = env.choice(AUTHENTICATION, &METHODS, help);
    let method = one_of(env, AUTHENTICATION, method, given.method);
    let user_is_set = env.is_set(USER) || given.user.is_some();
    let user = env.text(USER, "sa", "SQL login; with Entra ID the client id of the application or of the user-assigned identity.");
    let user = one_of(env, USER, user, given.user);
    let password = password(env, given.password, method);
    let azure = Azure::read(env);
    let client = user_is_set.then(|| user.clone()).or_else(|| azure.client.clone());
    let has_secret = !password.expose_secret().is_empty();
    let authentication = match identity(env, method, client, azure, has_secret) {
        None => Authentication::SqlPassword,
        Some((identity, authority)) => match EntraTokens::new(identity, &password, server, authority.as_deref()) {
            Ok(tokens) => Authentication::Entra(tokens),
            Err(problem) => {
                env.problem(AUTHENTICATION, format!("cannot be followed: {problem}"));
                Authentication::SqlPassword
            }
        },
    };
    Login { user, password, authentication }
}

/// Who logs in by Entra ID, and at which authority. `None` also where something is missing, which has been said then.
fn identity(
    env: &mut Reader,
    method: Method,
    client: Option<String>,
    azure: Azure,
    has_secret: bool,
) -> Option<(Identity, Option<String>)> {
    if method != Method::AccessToken && azure.access_token_file.is_some() {
        env.problem(TOKEN_FILE, "is set, but MSSQL_AUTHENTICATION is not AccessToken: nobody would read it");
    }
    let identity = match method {
        Method::SqlPassword => return None,
        Method::ManagedIdentity => Identity::Managed(client),
        Method::WorkloadIdentity => {
            let tenant = required(env, TENANT, azure.tenant);
            let client = required(env, USER, client);
            let token_file = required(env, FEDERATED_TOKEN_FILE, azure.federated_token_file);
            Identity::Workload { tenant: tenant?, client: client?, token_file: token_file?.into() }
        }
        Method::ServicePrincipal => {
            let (tenant, client) = (required(env, TENANT, azure.tenant), required(env, USER, client));
            let identity = Identity::ServicePrincipal { tenant: tenant?, client: client? };
            has_secret.then_some(identity)?
        }
        Method::AccessToken => Identity::TokenFile(required(env, TOKEN_FILE, azure.access_token_file)?.into()),
    };
    Some((identity, azure.authority))
}

/// What Azure's own tools and Kubernetes call them.
struct Azure {
    tenant: Option<String>,
    client: Option<String>,
    federated_token_file: Option<String>,
    authority: Option<String>,
    access_token_file: Option<String>,
}

impl Azure {
    fn read(env: &mut Reader) -> Self {
        Self {
            access_token_file: env.optional(
                TOKEN_FILE,
                "File with a token for the database, which somebody else renews: read whenever a session is opened (AccessToken).",
            ),
            tenant: env
                .optional(TENANT, "Directory of the application (ActiveDirectoryWorkloadIdentity, ActiveDirectoryServicePrincipal)."),
            client: env.optional("AZURE_CLIENT_ID", "What MSSQL_USER says with Entra ID, where that is not set; Kubernetes sets it."),
            federated_token_file: env.optional(
                FEDERATED_TOKEN_FILE,
                "File with the token of the service account; Kubernetes sets it (ActiveDirectoryWorkloadIdentity).",
            ),
            authority: env.optional("AZURE_AUTHORITY_HOST", "Address of Entra ID (https), where it is not that of the server's cloud."),
        }
    }
}

fn required(env: &mut Reader, name: &'static str, value: Option<String>) -> Option<String> {
    if value.is_none() {
        env.problem(name, format!("must be set, as {AUTHENTICATION} wants it"));
    }
    value
}

fn password(env: &mut Reader, given: Option<SecretString>, method: Method) -> SecretString {
    let own = env.secret(PASSWORD, "Password of the SQL login; the client secret with ActiveDirectoryServicePrincipal.");
    let needed = matches!(method, Method::SqlPassword | Method::ServicePrincipal);
    match (own, given) {
        (Some(own), Some(given)) => {
            if own.expose_secret() != given.expose_secret() {
                env.problem(PASSWORD, ANOTHER);
            }
            given
        }
        (Some(password), None) | (None, Some(password)) => password,
        (None, None) => {
            if needed {
                env.problem(PASSWORD, "must be set");
            }
            SecretString::default()
        }
    }
}

/// What the key of a connection string says.
pub(crate) const CONNECTION_STRING_METHODS: [(&str, Method); 11] = [
    ("SqlPassword", Method::SqlPassword),
    ("Sql Password", Method::SqlPassword),
    ("NotSpecified", Method::SqlPassword),
    ("ActiveDirectoryManagedIdentity", Method::ManagedIdentity),
    ("Active Directory Managed Identity", Method::ManagedIdentity),
    ("ActiveDirectoryMSI", Method::ManagedIdentity),
    ("Active Directory MSI", Method::ManagedIdentity),
    ("ActiveDirectoryWorkloadIdentity", Method::WorkloadIdentity),
    ("Active Directory Workload Identity", Method::WorkloadIdentity),
    ("ActiveDirectoryServicePrincipal", Method::ServicePrincipal),
    ("Active Directory Service Principal", Method::ServicePrincipal),
];

#[cfg(test)]
mod tests {
    use super::super::SqlServerConfig;
    use super::super::given::CONNECTION_STRING;
    use super::super::tests::read;
    use super::*;

    const TENANT_ID: (&str, &str) = (TENANT, "8f3c1f0e-54a2-4d5b-9a3c-2b6a0c1d2e3f");

    fn shown(config: &SqlServerConfig) -> String {
        format!("{:?}", config.authentication)
    }

    #[test]
    fn each_method_needs_what_it_says_and_nothing_else() {
        let method = |name: &'static str| (AUTHENTICATION, name);
        for (pairs, identity) in [
            (vec![("MSSQL_PASSWORD", "x")], "SqlPassword"),
            (vec![method("ActiveDirectoryManagedIdentity")], "Managed(None)"),
            (vec![method("activedirectorymanagedidentity"), (USER, "c1")], "Managed(Some(\"c1\"))"),
            (vec![method("ActiveDirectoryManagedIdentity"), ("AZURE_CLIENT_ID", "c2")], "Managed(Some(\"c2\"))"),
            (vec![method("ActiveDirectoryServicePrincipal"), (USER, "c1"), (PASSWORD, "hunter2"), TENANT_ID], "client: \"c1\""),
            (
                vec![method("ActiveDirectoryWorkloadIdentity"), ("AZURE_CLIENT_ID", "c2"), (FEDERATED_TOKEN_FILE, "Cargo.toml"), TENANT_ID],
                "token_file: \"Cargo.toml\"",
            ),
            (vec![method("AccessToken"), (TOKEN_FILE, "/run/token")], "TokenFile(\"/run/token\")"),
            (vec![(CONNECTION_STRING, "Server=db;Authentication=Active Directory Managed Identity;User ID=c1")], "Managed(Some(\"c1\"))"),
            (
                vec![(CONNECTION_STRING, "Server=db;Authentication=ActiveDirectoryServicePrincipal;UID=c1;PWD=hunter2"), TENANT_ID],
                "client: \"c1\"",
            ),
            (vec![(CONNECTION_STRING, "jdbc:sqlserver://db;authentication=ActiveDirectoryMSI;msiClientId=c1")], "Managed(Some(\"c1\"))"),
        ] {
            let (config, problems) = read(&pairs);
            assert_eq!(problems, "", "{pairs:?}");
            assert!(shown(&config).contains(identity) && !shown(&config).contains("hunter"), "{pairs:?}: {}", shown(&config));
        }
    }

    #[test]
    fn a_problem_of_another_setting_changes_nothing_of_who_logs_in() {
        let (config, problems) = read(&[("MSSQL_SERVER", "np:db"), (AUTHENTICATION, "ActiveDirectoryManagedIdentity")]);
        assert!(problems.contains("MSSQL_SERVER"), "{problems}");
        assert!(shown(&config).contains("Managed(None)"), "{}", shown(&config));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let method = |name: &'static str| (AUTHENTICATION, name);
        for (pairs, words) in [
            (vec![], "MSSQL_PASSWORD must be set"),
            (vec![method("Kerberos")], "MSSQL_AUTHENTICATION must be one of"),
            (
                vec![method("ActiveDirectoryServicePrincipal"), (PASSWORD, "x"), TENANT_ID],
                "MSSQL_USER must be set, as MSSQL_AUTHENTICATION",
            ),
            (vec![method("ActiveDirectoryServicePrincipal"), (USER, "c1"), TENANT_ID], "MSSQL_PASSWORD must be set"),
            (vec![method("ActiveDirectoryServicePrincipal"), (USER, "c1"), (PASSWORD, "x")], "AZURE_TENANT_ID must be set"),
            (vec![method("ActiveDirectoryWorkloadIdentity"), (USER, "c1"), TENANT_ID], "AZURE_FEDERATED_TOKEN_FILE must be set"),
            (vec![method("AccessToken")], "MSSQL_ACCESS_TOKEN_FILE must be set"),
            (vec![(PASSWORD, "x"), (TOKEN_FILE, "x")], "MSSQL_ACCESS_TOKEN_FILE is set, but MSSQL_AUTHENTICATION is not AccessToken"),
            (
                vec![method("ActiveDirectoryServicePrincipal"), (USER, "c1"), (PASSWORD, "x"), (TENANT, "a/b")],
                "MSSQL_AUTHENTICATION cannot be followed: ",
            ),
            (
                vec![
                    method("ActiveDirectoryServicePrincipal"),
                    (USER, "c1"),
                    (PASSWORD, "x"),
                    TENANT_ID,
                    ("AZURE_AUTHORITY_HOST", "http://login"),
                ],
                "HTTPS",
            ),
            (vec![method("ActiveDirectoryManagedIdentity"), ("MSSQL_ENCRYPT", "off")], "MSSQL_ENCRYPT must not be off with Entra ID"),
            (
                vec![(CONNECTION_STRING, "Server=db;Authentication=ActiveDirectoryMSI"), method("AccessToken"), (TOKEN_FILE, "x")],
                "MSSQL_AUTHENTICATION is not what MSSQL_CONNECTION_STRING says",
            ),
        ] {
            let (_, problems) = read(&pairs);
            assert!(problems.contains(words), "{pairs:?}: {problems}");
        }
    }
}
