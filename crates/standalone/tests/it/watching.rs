//! What a person sees on a screen: one that is shown again and again, and the addresses that the program prints when it starts.

use std::time::Duration;

use pipeline::DeadLetterQueue as _;
use testkit::builders::dead_letter;
use testkit::eventually;
use testkit::watched::Watched;

use crate::process::standalone;

/// How long a screen may take to come.
const BOUND: Duration = Duration::from_secs(60);

#[tokio::test]
async fn what_is_watched_is_shown_again_until_it_is_asked_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    sqlite::Sqlite::open(&folder.path().join("events.db")).unwrap().push(&[dead_letter("boom")]).await.unwrap();
    for (arguments, line) in [(["status", "--watch", "1"].as_slice(), "\ndead letters  1"), (&["dlq", "list", "--watch", "1"], "not_json")]
    {
        let watched = Watched::start(standalone(folder.path(), &["--data-dir", "."]).args(arguments).env("API_PORT", "1"));
        let is_there = async || watched.said()[0].matches(line).count() >= 3;
        eventually(BOUND, &format!("the third screen of {arguments:?}"), is_there).await;
        let (code, [told, problems]) = watched.stopped();
        assert_eq!((code, problems.contains("error")), (Some(0), false), "{arguments:?}: {told}{problems}");
        assert!(!told.contains('\u{1b}'), "where no terminal is, nothing is cleared: {told}");
    }
}

#[tokio::test]
async fn the_address_of_the_console_that_is_printed_answers_and_lets_its_password_in() {
    let folder = tempfile::tempdir().unwrap();
    let running = Watched::start(standalone(folder.path(), &[]).env("API_PORT", "0"));
    eventually(BOUND, "the console's address", async || running.said()[0].contains("(password ")).await;
    let [told, _] = running.said();
    let line = told.lines().find(|line| line.contains("(password ")).unwrap();
    let (address, password) = line.split_once(" (password ").unwrap();
    let address = address.split_whitespace().last().unwrap();
    let password = password.split_once(')').unwrap().0;

    let client = reqwest::Client::new();
    let page = client.get(address).send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("Log in to the console"));
    let unled = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let login = unled.post(format!("{address}login")).header("Sec-Fetch-Site", "same-origin");
    let login = login.header("Content-Type", "application/x-www-form-urlencoded").body(format!("token={password}")).send().await.unwrap();
    assert_eq!((login.status().as_u16(), login.headers().contains_key("set-cookie")), (303, true));
    // The address alone is a page, too.
    let root = client.get(address.strip_suffix("console/").unwrap()).send().await.unwrap();
    assert!(root.status() == 200 && root.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert_eq!(running.stopped().0, Some(0));
}
