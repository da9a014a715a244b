//! Who gets in, and who may do what.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, RETRY_AFTER, SET_COOKIE};
use axum::http::{Method, StatusCode};
use axum::routing::get;
use console::routes;

use super::client::{Client, access, between};
use super::fake::{Asked, Fake};

const READS: [&str; 12] = [
    "/console/",
    "/console/dead-letters",
    "/console/dead-letters/3fa9c1d20000",
    "/console/jobs",
    "/console/jobs/2",
    "/console/parked",
    "/console/audit",
    "/console/verify",
    "/console/trace?event=1",
    "/console/health",
    "/console/held",
    "/console/nowhere",
];
const OPERATOR_READS: [&str; 2] = ["/console/redrive?all=1&rehearse=1", "/console/purge?all=1"];
const OPERATOR_POSTS: [&str; 6] =
    ["/console/permit", "/console/redrive", "/console/purge", "/console/jobs/3/pause", "/console/verify/now", "/console/health/check"];
const EDITOR_POSTS: [&str; 2] = ["/console/dead-letters/3fa9c1d20000/check", "/console/dead-letters/3fa9c1d20000/send"];

/// A form that would suit every address.
const FORM: [(&str, &str); 8] = [
    ("permit", "nothing"),
    ("id", "3fa9c1d20000"),
    ("sure", "1"),
    ("payload", "{\"a@b\": 1}"),
    ("limit", "1"),
    ("rate", "1"),
    ("theme", "dark"),
    ("until", "2000-01-01T00:00:00Z"),
];

#[tokio::test]
async fn without_a_session_every_page_leads_to_the_login() {
    let fake = Fake::with(10);
    let client = Client::new(&fake);
    for address in READS.iter().chain(&OPERATOR_READS) {
        let answer = client.get(address).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{address}");
        assert!(answer.location().starts_with("/console/login?next=%2Fconsole%2F"), "{}", answer.location());
    }
    for address in OPERATOR_POSTS.iter().chain(&["/console/theme", "/console/logout"]) {
        let answer = client.send(Method::POST, address, &FORM).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/console/login?next=%2Fconsole%2F"), "{address}");
    }
    for address in EDITOR_POSTS {
        let answer = client.send(Method::POST, address, &FORM).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{address}");
        answer.has("Log in to the console").has("{&#34;a@b&#34;: 1}");
    }
    assert_eq!(fake.asked(), []);
    assert_eq!(client.get("/console").await.location(), "/console/");
}

#[tokio::test]
async fn a_login_leads_to_where_one_wanted_to_go_and_a_logout_ends_it() {
    let fake = Fake::with(10);
    let client = Client::new(&fake);
    let wanted = "/console/dead-letters?reason=too_large";
    let page = client.get(client.get(wanted).await.location()).await;
    page.has("name=\"next\" value=\"/console/dead-letters?reason=too_large\"").has("type=\"password\"");
    let answer = client.send(Method::POST, "/console/login", &[("token", " editor-token-0123 "), ("next", wanted)]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, wanted));
    let cookie = answer.headers[SET_COOKIE].to_str().unwrap();
    let (id, rest) = cookie.strip_prefix("console_session=").unwrap().split_once(';').unwrap();
    assert!(id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(rest, " Path=/console; HttpOnly; SameSite=Strict; Max-Age=43200");

    let client = Client::editor(&fake).await;
    assert_eq!(client.get("/console/").await.status, StatusCode::OK);
    assert_eq!(client.post("/console/logout", &[]).await.location(), "/console/login");
    assert_eq!(client.get("/console/").await.status, StatusCode::SEE_OTHER, "the cookie is worth nothing any more");
}

#[tokio::test]
async fn behind_tls_the_cookie_is_for_tls_only() {
    let mut client = Client::of(routes(access(true), Fake::with(1)));
    client.headers = vec![("x-forwarded-proto", "https".to_owned())];
    let answer = client.send(Method::POST, "/console/login", &[("token", "editor-token-0123")]).await;
    assert!(answer.headers[SET_COOKIE].to_str().unwrap().ends_with("; Secure"));
}

#[tokio::test]
async fn a_login_never_leads_elsewhere() {
    let client = Client::new(&Fake::with(1));
    for next in ["https://evil.example/", "//evil.example", "/admin", "/console/../x"] {
        let answer = client.send(Method::POST, "/console/login", &[("token", "editor-token-0123"), ("next", next)]).await;
        assert_eq!(answer.location(), "/console/", "{next}");
    }
}

#[tokio::test]
async fn ten_wrong_tokens_close_the_login_for_wrong_ones() {
    let client = Client::new(&Fake::with(1));
    for _ in 0..10 {
        let answer = client.send(Method::POST, "/console/login", &[("token", "guess")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        answer.has("This is no token of this console.").lacks("guess");
    }
    let answer = client.send(Method::POST, "/console/login", &[("token", "guess")]).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    answer.has("too many wrong ones were tried").lacks("guess");
    let wait: u64 = answer.headers[RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert_eq!(client.log_in("viewer-token-0123").await.get("/console/").await.status, StatusCode::OK, "a right one comes in meanwhile");
}

#[tokio::test]
async fn viewers_change_nothing() {
    let fake = Fake::with(10);
    let client = Client::viewer(&fake).await;
    for address in READS {
        assert!(client.get(address).await.status != StatusCode::FORBIDDEN, "{address}");
    }
    for address in OPERATOR_READS {
        assert_eq!(client.get(address).await.status, StatusCode::FORBIDDEN, "{address}");
    }
    for address in OPERATOR_POSTS.iter().chain(&EDITOR_POSTS) {
        let answer = client.post(address, &FORM).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{address}");
        answer.has("yours is viewer");
    }
    assert_eq!(fake.asked(), []);
}

#[tokio::test]
async fn operators_act_but_see_and_send_no_payload() {
    let fake = Fake::with(10);
    let client = Client::operator(&fake).await;
    for address in EDITOR_POSTS {
        assert_eq!(client.post(address, &FORM).await.status, StatusCode::FORBIDDEN, "{address}");
    }
    assert_eq!(fake.asked(), []);
    for address in OPERATOR_POSTS {
        assert_eq!(client.post(address, &FORM).await.status, StatusCode::SEE_OTHER, "{address}");
    }
    assert_eq!(fake.asked().len(), 6);
    for client in [client, Client::viewer(&fake).await] {
        let page = client.get("/console/dead-letters/3fa9c1d20000").await;
        page.has("shown to editors").lacks("user-42").lacks("Lovelace").lacks("7b 22").lacks("<textarea");
    }
}

#[tokio::test]
async fn forms_of_other_sites_and_other_sessions_do_nothing() {
    let fake = Fake::with(10);
    let own = Client::editor(&fake).await;
    let posts: Vec<&str> = OPERATOR_POSTS.into_iter().chain(EDITOR_POSTS).chain(["/console/theme", "/console/logout"]).collect();
    let with = |headers: &[(&'static str, &str)]| {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Client { headers, ..own.clone() }
    };
    let foreign = [
        with(&[("sec-fetch-site", "cross-site")]),
        with(&[("sec-fetch-site", "same-site")]),
        with(&[("sec-fetch-site", "none"), ("origin", "http://localhost")]),
        with(&[("origin", "http://evil.test")]),
        Client { csrf: String::new(), ..own.clone() },
        Client { csrf: Client::editor(&fake).await.csrf, ..with(&[("sec-fetch-site", "same-origin")]) },
    ];
    for client in foreign {
        for address in &posts {
            let answer = client.post(address, &FORM).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{address} {:?}", client.headers);
            answer.has("nothing was done");
        }
    }
    assert_eq!(fake.asked(), []);
    for client in [with(&[("sec-fetch-site", "same-origin")]), with(&[("origin", "http://localhost")]), with(&[])] {
        assert_eq!(client.post("/console/permit", &FORM).await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(fake.asked().len(), 3);
    assert!(matches!(&fake.asked()[0], Asked::Permit(who, _) if who == "ada"));
    let login = with(&[("sec-fetch-site", "cross-site")]);
    assert_eq!(login.send(Method::POST, "/console/login", &[("token", "editor-token-0123")]).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_form_that_is_too_large_does_nothing() {
    let fake = Fake::with(10);
    let client = Client::editor(&fake).await;
    let answer = client.post("/console/purge", &[("id", &"a".repeat(70_000)), ("sure", "1")]).await;
    assert_eq!((answer.status, fake.asked().len()), (StatusCode::PAYLOAD_TOO_LARGE, 0));
}

#[tokio::test]
async fn only_this_machine_is_answered_unless_others_may_ask() {
    let fake = Fake::with(1);
    let local = Client::editor(&fake).await;
    let from = |peer: &str| Client { peer: peer.parse().unwrap(), ..local.clone() };
    let through = |header, value: &str| Client { headers: vec![(header, value.to_owned())], ..local.clone() };
    let remote = [
        from("192.0.2.7:1"),
        from("[2001:db8::1]:1"),
        through("x-forwarded-for", "192.0.2.7"),
        through("forwarded", "for=192.0.2.7"),
        through("x-real-ip", "192.0.2.7"),
        through("via", "1.1 proxy"),
    ];
    for client in remote {
        for address in ["/console", "/console/", "/console/login", "/console/assets/x"] {
            let answer = client.get(address).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{address}");
            answer.has("Only clients on this machine are answered here");
        }
    }
    for local in [from("[::1]:1"), from("[::ffff:127.0.0.1]:1")] {
        assert_eq!(local.get("/console/").await.status, StatusCode::OK);
    }
    let named = |host: &str| Client { headers: vec![("host", host.to_owned())], ..local.clone() };
    for host in ["evil.test", "evil.test:9102", "127.0.0.1.evil.test", "192.0.2.7"] {
        for address in ["/console/", "/console/login", "/console/assets/x"] {
            let answer = named(host).get(address).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{host}{address}");
            answer.has("Only addresses of this machine are answered here").has("ADMIN_HOSTS");
        }
    }
    let elsewhere = named("evil.test").send(Method::POST, "/console/login", &[("token", "editor-token-0123")]).await;
    assert_eq!(elsewhere.status, StatusCode::FORBIDDEN);
    assert_eq!(local.get("http://evil.test/console/").await.status, StatusCode::FORBIDDEN, "also by an address in full");
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        assert_eq!(named(host).get("/console/").await.status, StatusCode::OK, "{host}");
    }
    let open = Client::of(routes(access(true), fake.clone())).log_in("editor-token-0123").await;
    let open = Client { peer: "192.0.2.7:1".parse().unwrap(), headers: vec![("host", "console.test".to_owned())], ..open };
    assert_eq!(open.get("/console/").await.status, StatusCode::OK);
    for host in ["evil.test", "console.test.evil.test:9102"] {
        let named = Client { headers: vec![("host", host.to_owned())], ..open.clone() };
        let answer = named.get("/console/login").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{host}");
        answer.has("ADMIN_HOSTS");
    }
}

#[tokio::test]
async fn every_answer_says_what_a_browser_must_not_do() {
    let fake = Fake::with(10);
    let client = Client::editor(&fake).await;
    let addresses = READS.iter().chain(&OPERATOR_READS).chain(&["/console/login", "/console", "/console/assets/none"]);
    for address in addresses {
        let answer = client.get(address).await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';") && !policy.contains("unsafe"), "{address}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["referrer-policy"], "no-referrer");
        assert_eq!(answer.headers[CACHE_CONTROL], "no-store", "{address}");
        answer.lacks(" style=").lacks("<style").lacks(" onclick").lacks("javascript:");
    }
}

#[tokio::test]
async fn a_link_from_elsewhere_finds_the_session() {
    let fake = Fake::with(10);
    let stranger = Client { headers: vec![("sec-fetch-site", "cross-site".to_owned())], ..Client::new(&fake) };
    let page = stranger.get("/console/dead-letters?reason=a&type=b").await;
    page.has("http-equiv=\"refresh\" content=\"0; url=/console/dead-letters?reason=a&#38;type=b\"");
    let partial = Client { headers: vec![("hx-request", "true".to_owned())], ..Client::new(&fake) };
    let answer = partial.get("/console/").await;
    assert_eq!(
        (answer.status, answer.headers["hx-redirect"].to_str().unwrap()),
        (StatusCode::UNAUTHORIZED, "/console/login?next=%2Fconsole%2F")
    );
}

#[tokio::test]
async fn an_address_of_a_form_is_no_page() {
    let client = Client::editor(&Fake::with(1)).await;
    for address in OPERATOR_POSTS.iter().filter(|address| !address.ends_with("redrive") && !address.ends_with("purge")).chain(&EDITOR_POSTS)
    {
        let answer = client.get(address).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{address}");
        answer.has("takes forms of the console only");
    }
}

#[tokio::test]
async fn what_it_is_merged_with_is_left_alone() {
    let other = Router::new().route("/other", get(async || "other"));
    let mut client = Client::of(other.merge(routes(access(false), Fake::with(1))));
    client.peer = "192.0.2.7:1".parse().unwrap();
    let answer = client.get("/other").await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "other"));
    assert!(!answer.headers.contains_key("content-security-policy"));
    assert_eq!(client.get("/nowhere").await.status, StatusCode::NOT_FOUND);
    let answer = client.send(Method::DELETE, "/console/jobs", &[]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "also by a method that it does not have");
}

#[tokio::test]
async fn a_draft_outlives_the_session_in_which_it_was_written() {
    let fake = Fake::with(10);
    let (client, letter) = (Client::new(&fake), "/console/dead-letters/3fa9c1d20000");
    let draft = "{\n  \"email\": \"</textarea><b>ada@example.org\"\n}";
    let over = client.send(Method::POST, &format!("{letter}/send"), &[("payload", draft), ("csrf", "old")]).await;
    assert_eq!(over.status, StatusCode::UNAUTHORIZED);
    over.has("Your session is over, and nothing was sent.").has("value=\"/console/dead-letters/3fa9c1d20000\"").lacks("</textarea><b>");
    let next = ("next", letter);
    let wrong = client.send(Method::POST, "/console/login", &[("token", "no token of ours"), next, ("payload", draft)]).await;
    wrong.has("This is no token of this console.").has("ada@example.org");
    let entered = client.send(Method::POST, "/console/login", &[("token", "editor-token-0123"), next, ("payload", draft)]).await;
    assert_eq!(entered.status, StatusCode::OK);
    entered.has("Nothing was sent yet.").has(&format!("action=\"{letter}/check\"")).has("ada@example.org");
    let cookie = entered.headers[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    let csrf = between(&entered.body, "name=\"csrf\" value=\"", "\"").to_owned();
    let again = Client { cookie: Some(cookie), csrf, ..client.clone() };
    let page = again.post(&format!("{letter}/check"), &[("payload", draft)]).await;
    page.has("Send under the same event id").has("&#60;/textarea&#62;&#60;b&#62;ada@example.org");

    // The page is of a session before this one.
    let stale = Client { csrf: "of another session".to_owned(), ..again.clone() };
    let kept = stale.post(&format!("{letter}/send"), &[("payload", draft)]).await;
    assert_eq!(kept.status, StatusCode::FORBIDDEN);
    kept.has("The form is of another session").has("ada@example.org").has(&format!("name=\"csrf\" value=\"{}\"", again.csrf));
    // Another site gets nothing of it.
    let elsewhere = Client { headers: vec![("sec-fetch-site", "cross-site".to_owned())], ..client };
    assert_eq!(elsewhere.send(Method::POST, &format!("{letter}/send"), &[("payload", draft)]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(fake.asked(), [], "nothing was sent");
}
