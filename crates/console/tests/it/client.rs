//! A client of the console that needs no socket.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::Response;
use console::{Access, Account, Place, Role, routes};
use tower::ServiceExt as _;

use super::fake::Fake;

/// The tokens of the tests: the names of their roles.
pub fn access(allow_remote: bool) -> Access {
    let authenticate = |token: &str| {
        let (name, role) = match token {
            "viewer-token-0123" => ("vera", Role::Viewer),
            "operator-token-01" => ("olga", Role::Operator),
            "editor-token-0123" => ("ada", Role::Editor),
            _ => return None,
        };
        Some(Account { name: name.to_owned(), role })
    };
    let place = Place { allow_remote, hosts: vec!["console.test".to_owned()] };
    Access { authenticate: Arc::new(authenticate), place }
}

/// An answer.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn location(&self) -> &str {
        self.headers.get(LOCATION).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Fails with the page where a text is not in it.
    #[track_caller]
    pub fn has(&self, text: &str) -> &Self {
        assert!(self.body.contains(text), "{text:?} is not in the answer {}:\n{}", self.status, self.body);
        self
    }

    #[track_caller]
    pub fn lacks(&self, text: &str) -> &Self {
        assert!(!self.body.contains(text), "{text:?} is in the answer {}:\n{}", self.status, self.body);
        self
    }
}

/// Someone who asks.
#[derive(Clone)]
pub struct Client {
    pub router: Router,
    pub peer: SocketAddr,
    pub cookie: Option<String>,
    pub csrf: String,
    /// Sent with every request.
    pub headers: Vec<(&'static str, String)>,
}

impl Client {
    pub fn new(fake: &Arc<Fake>) -> Self {
        Self::of(routes(access(false), fake.clone()))
    }

    pub fn of(router: Router) -> Self {
        Self { router, peer: "127.0.0.1:40000".parse().unwrap(), cookie: None, csrf: String::new(), headers: Vec::new() }
    }

    pub async fn viewer(fake: &Arc<Fake>) -> Self {
        Self::new(fake).log_in("viewer-token-0123").await
    }

    pub async fn operator(fake: &Arc<Fake>) -> Self {
        Self::new(fake).log_in("operator-token-01").await
    }

    pub async fn editor(fake: &Arc<Fake>) -> Self {
        Self::new(fake).log_in("editor-token-0123").await
    }

    pub async fn log_in(mut self, token: &str) -> Self {
        let answer = self.send(Method::POST, "/console/login", &[("token", token)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        let cookie = answer.headers[SET_COOKIE].to_str().unwrap();
        self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
        let page = self.get("/console/jobs").await;
        self.csrf = between(&page.body, "name=\"csrf\" value=\"", "\"").to_owned();
        self
    }

    pub async fn get(&self, address: &str) -> Answer {
        self.send(Method::GET, address, &[]).await
    }

    /// Sends a form of this session.
    pub async fn post(&self, address: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(Method::POST, address, &[fields, &[("csrf", self.csrf.as_str())]].concat()).await
    }

    pub async fn send(&self, method: Method, address: &str, fields: &[(&str, &str)]) -> Answer {
        let (parts, body) = self.begin(method, address, fields).await.into_parts();
        let body = String::from_utf8_lossy(&to_bytes(body, usize::MAX).await.unwrap()).into_owned();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Sends a request, and returns the head of its answer.
    pub async fn begin(&self, method: Method, address: &str, fields: &[(&str, &str)]) -> Response {
        let mut request = Request::builder().method(&method).uri(address);
        if self.headers.iter().all(|(name, _)| *name != "host") {
            request = request.header("host", "localhost");
        }
        if let Some(cookie) = &self.cookie {
            request = request.header(COOKIE, cookie);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let mut body = Body::empty();
        if method != Method::GET {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            body = Body::from(form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish());
        }
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(ConnectInfo(self.peer));
        self.router.clone().oneshot(request).await.unwrap()
    }
}

/// What stands between two texts.
#[track_caller]
pub fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("{before:?} is not in\n{text}"));
    rest.split_once(after).unwrap().0
}

/// The hidden fields of the last form of a page that has them: the time of the page, and what a rehearsal gave out.
pub fn page_fields(page: &Answer) -> Vec<(&str, &str)> {
    let field = |name: &'static str| {
        let (_, rest) = page.body.rsplit_once(&format!("name=\"{name}\" value=\""))?;
        Some((name, rest.split_once('"')?.0))
    };
    ["until", "proof", "selected"].into_iter().filter_map(field).collect()
}
