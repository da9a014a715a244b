//! Sessions that are opened with a token of Entra ID, whose endpoints are on the loopback.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use azure_core::http::{AsyncRawResponse, HttpClient, Request};
use pipeline::{Fault, FaultClass};
use serde_json::{Value, json};
use sqlserver::{Authentication, EntraTokens, Identity, SqlServer, SqlServerConfig};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::scripted::{Scripted, Step, done};

const TENANT: &str = "8f3c1f0e-54a2-4d5b-9a3c-2b6a0c1d2e3f";
const HOUR: Duration = Duration::from_secs(3_600);
/// Of the messages of a connection the second is the login.
const LOGIN: usize = 1;

/// What an endpoint answers with.
type Answers = Arc<Mutex<VecDeque<(u16, Value)>>>;

/// Every address of Entra ID and of Azure's instances is one port here: what it was asked, and what it answers.
struct Endpoint {
    asked: Arc<Mutex<Vec<String>>>,
    answers: Answers,
    port: u16,
}

impl Endpoint {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, answers) = (Arc::<Mutex<Vec<String>>>::default(), Answers::default());
        let (by_endpoint, given) = (Arc::clone(&asked), Arc::clone(&answers));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                answer(stream, &by_endpoint, &given).await;
            }
        });
        Self { asked, answers, port }
    }

    fn answers(&self, status: u16, body: Value) {
        self.answers.lock().unwrap().push_back((status, body));
    }

    fn gives(&self, token: &str, life: Duration) {
        let ends = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + life;
        // As Entra ID writes its life, and as the endpoint of an instance does.
        let body = json!({ "token_type": "Bearer", "access_token": token, "expires_in": life.as_secs(), "expires_on": ends.as_secs().to_string(),
            "resource": "https://database.windows.net" });
        self.answers(200, body);
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn tokens(&self, identity: Identity) -> Authentication {
        self.tokens_of(identity, "events.database.windows.net")
    }

    fn tokens_of(&self, identity: Identity, server: &str) -> Authentication {
        let client = Arc::new(Loopback { client: reqwest::Client::new(), port: self.port });
        Authentication::Entra(EntraTokens::over(identity, &"hunter2".into(), server, None, client).unwrap())
    }
}

async fn answer(mut stream: TcpStream, asked: &Mutex<Vec<String>>, answers: &Mutex<VecDeque<(u16, Value)>>) {
    let (mut question, mut part) = (String::new(), [0; 4_096]);
    loop {
        let Ok(bytes @ 1..) = stream.read(&mut part).await else { return };
        question.push_str(std::str::from_utf8(&part[..bytes]).unwrap());
        let Some((head, body)) = question.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |length| length.parse().unwrap());
        if body.len() == length {
            break;
        }
    }
    asked.lock().unwrap().push(question);
    // Without an answer it hangs up.
    let Some((status, body)) = answers.lock().unwrap().pop_front() else { return };
    let body = body.to_string();
    let head =
        format!("HTTP/1.1 {status} OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).await.ok();
}

/// Sends every question to the endpoint; the host that was meant stays in the head.
struct Loopback {
    client: reqwest::Client,
    port: u16,
}

impl fmt::Debug for Loopback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Loopback")
    }
}

impl HttpClient for Loopback {
    fn execute_request<'c: 'f, 'r: 'f, 'f>(
        &'c self,
        request: &'r Request,
    ) -> Pin<Box<dyn Future<Output = azure_core::Result<AsyncRawResponse>> + Send + 'f>> {
        let mut request = request.clone();
        let meant = format!("{}://{}", request.url().scheme(), request.url().host_str().unwrap());
        request.insert_header("x-meant", meant);
        let url = request.url_mut();
        url.set_scheme("http").unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(self.port)).unwrap();
        Box::pin(async move { self.client.execute_request(&request).await })
    }
}

async fn server(sessions: usize) -> Scripted {
    Scripted::open(vec![vec![Step::Answer(done()), Step::Close]; sessions]).await
}

fn database(server: &Scripted, authentication: &Authentication) -> SqlServer {
    SqlServer::new(SqlServerConfig { authentication: authentication.clone(), ..server.config() })
}

fn principal() -> Identity {
    Identity::ServicePrincipal { tenant: TENANT.to_owned(), client: "c1".to_owned() }
}

async fn refused(endpoint: &Endpoint, identity: Identity) -> Fault {
    let server = server(1).await;
    let fault = database(&server, &endpoint.tokens(identity)).check().await.unwrap_err();
    assert_eq!(server.connections(), 0, "nobody goes to the server without a token");
    fault
}

#[tokio::test]
async fn an_application_with_a_secret_logs_in_with_a_token() {
    let (endpoint, server) = (Endpoint::start().await, server(2).await);
    endpoint.gives("token-1", HOUR);
    let authentication = endpoint.tokens(principal());
    for _ in 0..2 {
        assert_eq!(database(&server, &authentication).check().await, Ok(()));
    }
    assert_eq!(server.heard("token-1").len(), 2, "two sessions, and one token for both");
    assert!(server.heard("token-1").contains(&LOGIN) && server.heard("hunter2").is_empty());
    let asked = endpoint.asked();
    assert_eq!(asked.len(), 1);
    assert!(
        asked[0].starts_with(&format!("POST /{TENANT}/oauth2/v2.0/token "))
            && asked[0].contains("x-meant: https://login.microsoftonline.com\r\n")
    );
    for part in
        ["client_id=c1", "client_secret=hunter2", "grant_type=client_credentials", "scope=https%3A%2F%2Fdatabase.windows.net%2F.default"]
    {
        assert!(asked[0].contains(part), "{part}");
    }
}

#[tokio::test]
async fn the_identity_of_a_machine_is_asked_for_at_the_machine() {
    for (client, part) in [(None, "resource="), (Some("c1".to_owned()), "client_id=c1")] {
        let (endpoint, server) = (Endpoint::start().await, server(1).await);
        endpoint.gives("token-1", HOUR);
        assert_eq!(database(&server, &endpoint.tokens(Identity::Managed(client.clone()))).check().await, Ok(()));
        let asked = &endpoint.asked()[0];
        assert!(asked.starts_with("GET /metadata/identity/oauth2/token?") && asked.contains("x-meant: http://169.254.169.254\r\n"));
        assert!(asked.contains(part) && asked.contains("metadata: true\r\n") && asked.contains("client_id") == client.is_some());
        assert_eq!(server.heard("token-1"), [LOGIN]);
    }
}

#[tokio::test]
async fn a_pod_shows_the_token_of_its_service_account() {
    let (endpoint, server) = (Endpoint::start().await, server(1).await);
    endpoint.gives("token-1", HOUR);
    let token_file = file("of-the-service-account");
    let identity = Identity::Workload { tenant: TENANT.to_owned(), client: "c1".to_owned(), token_file: token_file.path().to_owned() };
    assert_eq!(database(&server, &endpoint.tokens(identity)).check().await, Ok(()));
    let asked = &endpoint.asked()[0];
    assert!(asked.contains("client_assertion=of-the-service-account") && asked.contains("client_id=c1"), "{asked}");
    assert_eq!(server.heard("token-1"), [LOGIN]);
}

#[tokio::test]
async fn a_token_in_a_file_is_read_for_each_session() {
    let server = server(2).await;
    let path = file("token-1\n");
    let tokens = EntraTokens::new(Identity::TokenFile(path.path().to_owned()), &"".into(), "db", None).unwrap();
    let authentication = Authentication::Entra(tokens);
    assert_eq!(database(&server, &authentication).check().await, Ok(()));
    std::fs::write(&path, "token-2").unwrap();
    assert_eq!(database(&server, &authentication).check().await, Ok(()));
    assert_eq!((server.heard("token-1").len(), server.heard("token-2").len()), (1, 1));
    std::fs::write(&path, " \n").unwrap();
    let fault = database(&server, &authentication).check().await.unwrap_err();
    assert_eq!(fault.class, FaultClass::Operator);
    assert!(fault.subject.contains("MSSQL_ACCESS_TOKEN_FILE"), "{fault}");
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_and_used_to_its_end_where_it_cannot_be() {
    let (endpoint, server) = (Endpoint::start().await, server(3).await);
    // Below five minutes the next is asked for.
    endpoint.gives("token-1", Duration::from_secs(200));
    endpoint.gives("token-2", Duration::from_secs(200));
    let authentication = endpoint.tokens(principal());
    for _ in 0..3 {
        assert_eq!(database(&server, &authentication).check().await, Ok(()));
    }
    assert_eq!((server.heard("token-1").len(), server.heard("token-2").len()), (1, 2));
    assert_eq!(endpoint.asked().len(), 3, "the third time nobody answered");
}

#[tokio::test]
async fn a_session_lives_on_when_its_token_ends_and_the_next_one_brings_a_newer() {
    let endpoint = Endpoint::start().await;
    endpoint.gives("token-1", Duration::ZERO);
    endpoint.gives("token-2", HOUR);
    let living = vec![Step::Answer(done()), Step::Answer(done()), Step::Silence];
    let server = Scripted::open(vec![living, vec![Step::Answer(done())]]).await;
    let database = database(&server, &endpoint.tokens(principal()));
    for _ in 0..2 {
        assert_eq!(database.check().await, Ok(()));
    }
    assert_eq!((server.connections(), endpoint.asked().len()), (1, 1), "the session is asked on, and brings no token again");
    let busy = tokio::spawn({
        let database = database.clone();
        async move { database.check().await }
    });
    server.is_silent().await;
    assert_eq!(database.check().await, Ok(()), "another session, while the first is in use");
    assert_eq!((server.heard("token-1").len(), server.heard("token-2").len(), server.connections()), (1, 1, 2));
    busy.abort();
}

#[tokio::test]
async fn a_token_that_has_ended_is_not_used() {
    let endpoint = Endpoint::start().await;
    endpoint.gives("token-1", Duration::ZERO);
    let (server, authentication) = (server(1).await, endpoint.tokens(principal()));
    assert_eq!(database(&server, &authentication).check().await, Ok(()), "what the endpoint gives is for the server to judge");
    let fault = database(&server, &authentication).check().await.unwrap_err();
    assert_eq!(fault.class, FaultClass::Unavailable { timed_out: false });
}

#[tokio::test]
async fn who_is_refused_is_told_what_to_look_at_and_who_is_unreachable_that() {
    let endpoint = Endpoint::start().await;
    let fault = refused(&endpoint, principal()).await;
    assert_eq!((fault.class, fault.code), (FaultClass::Unavailable { timed_out: false }, None));
    assert!(fault.subject.starts_with("entra: the endpoint that gives tokens cannot be reached"), "{fault}");

    endpoint.answers(401, json!({ "error": "invalid_client", "error_description": "AADSTS7000215: c1", "error_codes": [7_000_215] }));
    let fault = refused(&endpoint, principal()).await;
    assert_eq!((fault.class, fault.code), (FaultClass::Operator, Some(7_000_215)));
    assert!(fault.subject.contains("MSSQL_PASSWORD") && fault.subject.contains("AZURE_TENANT_ID"), "{fault}");

    endpoint.answers(400, json!({ "error": "invalid_request", "error_description": "Identity not found" }));
    let fault = refused(&endpoint, Identity::Managed(None)).await;
    assert_eq!(fault.class, FaultClass::Operator);
    assert!(fault.subject.starts_with("entra: this machine has no such managed identity"), "{fault}");

    for status in [429, 503] {
        endpoint.answers(status, json!({ "error": "temporarily_unavailable" }));
        assert_eq!(refused(&endpoint, principal()).await.class, FaultClass::Unavailable { timed_out: false }, "{status}");
    }
}

#[tokio::test]
async fn each_cloud_has_its_own_authority_and_audience() {
    for (server, authority, audience) in [
        ("events.database.windows.net", "https://login.microsoftonline.com", "database.windows.net"),
        ("Events.Database.ChinaCloudApi.cn.", "https://login.chinacloudapi.cn", "database.chinacloudapi.cn"),
        ("events.database.usgovcloudapi.net", "https://login.microsoftonline.us", "database.usgovcloudapi.net"),
        ("sql.example.com", "https://login.microsoftonline.com", "database.windows.net"),
    ] {
        let (endpoint, scripted) = (Endpoint::start().await, self::server(1).await);
        endpoint.gives("token-1", HOUR);
        assert_eq!(database(&scripted, &endpoint.tokens_of(principal(), server)).check().await, Ok(()));
        let asked = &endpoint.asked()[0];
        assert!(asked.contains(&format!("x-meant: {authority}\r\n")) && asked.contains(&format!("%2F%2F{audience}%2F.default")), "{asked}");
    }
}

fn file(text: &str) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(&file, text).unwrap();
    file
}
